/* The refresh of the dashboard: it puts in place only what changed, can be paused, and says when it
   fails. Without it the page is whole, as fresh as when it was opened. */
"use strict";

(() => {
  const dashboard = document.getElementById("dashboard");
  if (!dashboard) return;

  const news = document.getElementById("dashboard-news");
  const trouble = document.getElementById("dashboard-trouble");
  const pause = document.getElementById("dashboard-pause");
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";

  // Kept as long as the tab: whoever pauses and comes back finds it paused.
  const KEPT = "dashboard-paused";
  pause.setAttribute("aria-pressed", sessionStorage.getItem(KEPT) ?? "false");
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    sessionStorage.setItem(KEPT, String(isPaused()));
  });

  dashboard.addEventListener("htmx:beforeRequest", (event) => {
    if (isPaused() || document.hidden) event.preventDefault();
  });

  // What somebody marks is being read.
  const isMarked = (panel) => {
    const selection = document.getSelection();
    return !selection.isCollapsed && selection.containsNode(panel, true);
  };

  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (!target.dataset.version) return;
    if (fragment.dataset.version === target.dataset.version || isMarked(target)) {
      event.preventDefault();
      return;
    }
    for (const open of target.querySelectorAll("details[open]")) {
      const same = fragment.querySelector(`#${CSS.escape(open.id)}`);
      if (same) same.open = true;
    }
    const places = [...target.querySelectorAll(".ops-scroll")].map((one) => [
      one.id,
      { left: one.scrollLeft, top: one.scrollTop },
    ]);
    target.dataset.version = fragment.dataset.version;
    queueMicrotask(() => {
      for (const [id, place] of places) document.getElementById(id)?.scrollTo(place);
      tellNews(target);
    });
  });

  let told = newsOf(document);
  function newsOf(place) {
    return place.querySelector("[data-news]")?.dataset.news ?? "";
  }
  function tellNews(panel) {
    const now = newsOf(panel);
    if (!now || now === told) return;
    told = now;
    news.textContent = now;
  }

  // Who was signed out meanwhile is led to the login: that is no dashboard.
  const isOurs = (xhr) => xhr.responseURL.split("?")[0].endsWith(dashboard.getAttribute("hx-get"));
  const say = (words) => {
    if (trouble.textContent !== words) trouble.textContent = words;
  };
  dashboard.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status !== 200) return;
    if (isOurs(event.detail.xhr)) {
      say("");
      return;
    }
    event.detail.shouldSwap = false;
    say("You were signed out, so this is not refreshed. Reload the page to sign in.");
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    dashboard.addEventListener(failure, () => {
      say("The last refresh failed. What stands here is as old as it says; it is tried again.");
    });
  }
})();
