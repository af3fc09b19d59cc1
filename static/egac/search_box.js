"use strict";
// select2 calls the words in its box a text box of its own, and gives that box no name.
django.jQuery(() => {
  for (const words of document.querySelectorAll(".select2-selection__rendered")) {
    words.removeAttribute("role");
    words.removeAttribute("aria-readonly");
  }
});
