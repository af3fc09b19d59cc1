"""Show the whole with invented data; `scripts/server` runs this after the set-up.

Without a key for Resend the stand-in of the tests takes every message, and nothing leaves the
machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import django
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError

from egac.environment import BASE_DIR, read_env_file

HOST = "127.0.0.1"
PORT = 8000
KEPT = BASE_DIR / ".localdb"
INBOX = KEPT / "inbox"  # what the stand-in accepted
SECONDS_TO_ANSWER = 60
SECONDS_TO_STOP = 10
LOGIN = "staff"
# The queue comes last, so that what the others have queued goes out too.
A_PASS = (
    "retry_invites",
    "generate_t5_invoices",
    "generate_monthly_invoices",
    "run_escalation_orchestration",
    "escalate_overdue_bookings",
    "schedule_create_zoom",
    "check_invite_stats",
    "run_worker_queue",
)

Child = subprocess.Popen[str]


def main() -> int:
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(0))
    # A shell starts its background jobs deaf to Ctrl-C, and our children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    children: list[Child] = []
    try:
        return show(children)
    except KeyboardInterrupt:
        return 0
    except OperationalError as error:
        reason = " ".join(str(error).split())
        print(f"The database does not answer ({reason}). Correct DATABASE_URL.", file=sys.stderr)
        return 1
    except (CommandError, ImproperlyConfigured, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for child in reversed(children):
            end(child)


def show(children: list[Child]) -> int:
    """Prepare, serve and wait until the server ends; what is started is added to `children`."""
    read_env_file()
    reserved = reserve_port()
    address = f"http://{HOST}:{reserved.getsockname()[1]}"
    set_defaults(address)
    is_local = not os.environ.get("RESEND_API_KEY", "").strip()
    if is_local:
        INBOX.mkdir(mode=0o700, exist_ok=True)
        children.append(start("-m", "tests.providers", "--port", "0", "--keep", str(INBOX)))
        point_at(announced_address(children[-1]))
    django.setup()
    call_command("migrate", verbosity=0)
    password = staff_password()
    if is_local:
        fill()
    reserved.close()
    children.append(start("manage.py", "runserver", "--noreload", address.removeprefix("http://")))
    # Only its own word proves that it is our server which answers there.
    announced_address(children[-1])
    see_it_answer(f"{address}/admin/login/")
    print(summary(address, password=password, is_local=is_local), flush=True)
    return children[-1].wait()


def reserve_port() -> socket.socket:
    """Return a listener on the usual port, or on any free one where that is taken.

    It keeps the port from other programs while the club is made: that takes a minute.
    """
    for port in (PORT, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen()
        except OSError:
            listener.close()
            continue
        return listener
    raise RuntimeError(f"No port of {HOST} is free: end a program that listens there.")


def set_defaults(address: str) -> None:
    """Set what a first look needs; the environment and `.env` go before."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
    for name, value in (
        ("DEBUG", "1"),
        ("SECRET_KEY", kept_secret("secret_key")),
        ("CRON_SECRET", kept_secret("cron_secret")),
        ("SITE_BASE_URL", address),
    ):
        if not os.environ.get(name, "").strip():
            os.environ[name] = value


def kept_secret(name: str) -> str:
    """Return the secret of this name, made at the first call."""
    KEPT.mkdir(mode=0o700, exist_ok=True)
    path = KEPT / name
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48 if name == "secret_key" else 12))
    return path.read_text()


def point_at(address: str) -> None:
    """Let the stand-in take the place of the providers."""
    os.environ.update(
        RESEND_API_URL=address,
        RESEND_API_KEY="re_standin",
        STANDIN_INBOX_URL=f"{address}/inbox",
        WHATSAPP_API_URL=f"{address}/v23.0",
        WHATSAPP_TOKEN="standin",
        WHATSAPP_PHONE_NUMBER_ID="100000000000001",
        ZOOM_API_URL=f"{address}/v2",
        ZOOM_OAUTH_URL=f"{address}/oauth/token",
        ZOOM_ACCOUNT_ID="standin",
        ZOOM_CLIENT_ID="client",
        ZOOM_CLIENT_SECRET="client-secret",
    )
    os.environ.setdefault("RESEND_FROM", "EGAC <membership@club.example>")
    os.environ.setdefault("RESEND_RATE_LIMIT", "50")
    os.environ.setdefault("STAFF_ALERT_EMAILS", "office@club.example")
    os.environ.setdefault(
        "INVOICE_PAYMENT_DETAILS",
        "Bank transfer: sort code 00-00-00, account 00000000. Name the invoice's number.",
    )


def staff_password() -> str:
    """Return the password of the staff login, made at the first run; "" if it is not ours to know.

    In a database that DATABASE_URL names, a login of that name may be a person's.
    """
    users = get_user_model().objects
    password = kept_secret("staff_password")
    user = users.filter(username=LOGIN).first()
    if user is None:
        users.create_superuser(LOGIN, password=password)
    elif not user.check_password(password):
        if os.environ.get("DATABASE_URL", "").strip():
            return ""
        user.set_password(password)
        user.save(update_fields=["password"])
    return password


def fill() -> None:
    """Seed the invented club and run each job once; a database with real rows stays as it is."""
    try:
        call_command("seed_demo", stdout=sys.stderr)
    except CommandError as reason:
        print(reason, file=sys.stderr)
        return
    for job in A_PASS:
        # What could not be done ends a command with a status: it shows in the admin.
        with contextlib.suppress(CommandError, SystemExit):
            call_command(job, stdout=sys.stderr)


def start(*arguments: str) -> Child:
    """Start one of our programs, in a session of its own: a Ctrl-C shall reach it once, from us."""
    return subprocess.Popen(
        [sys.executable, "-u", *arguments],
        cwd=BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def end(child: Child) -> None:
    """End it as Ctrl-C would, so that it leaves the database in good order."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def announced_address(child: Child) -> str:
    """Wait until the program says where it listens, and return that address."""
    assert child.stdout
    for line in child.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise RuntimeError(
        "A program of the first look does not start: read the lines above, then run it again."
    )


def see_it_answer(url: str) -> None:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_TO_ANSWER):
            # The server logs the request after its answer; the block shall stand below that line.
            time.sleep(0.2)
    except OSError as error:
        raise RuntimeError(f"The server does not answer at {url}: {error}.") from error


def summary(address: str, *, password: str, is_local: bool) -> str:
    login = f"{LOGIN}, password {password}" if password else "as it is in your database"
    mail = "RESEND_API_KEY is set, so messages go out for real; nothing was seeded or sent yet"
    if is_local:
        inbox = os.environ["STANDIN_INBOX_URL"]
        mail = f"{inbox} (a stand-in takes every message; none leaves this machine)"
    return f"\n  Admin   {address}/admin/\n  Login   {login}\n  Mail    {mail}\n  Stop    Ctrl-C\n"


if __name__ == "__main__":
    sys.exit(main())
