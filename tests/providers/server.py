"""One local HTTP server for all providers: `with ProviderServer() as server: server.url`."""

import contextlib
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.providers.alarms import Opsgenie, Slack, Watcher
from tests.providers.github import GitHub
from tests.providers.inbox import Inbox
from tests.providers.resend import Resend
from tests.providers.whatsapp import WhatsApp
from tests.providers.wire import Delivery, Request, Wire
from tests.providers.zoom import Zoom

HOST = "127.0.0.1"


class Site(Protocol):
    """A provider, or the inbox: whoever answers for some of the paths."""

    def owns(self, path: str) -> bool: ...

    def answer(self, request: Request) -> Delivery: ...


class ProviderServer:
    def __init__(self, *, host: str = HOST, port: int = 0) -> None:
        self.resend = Resend()
        self.whatsapp = WhatsApp()
        self.zoom = Zoom()
        self.github, self.slack = GitHub(), Slack()
        self.opsgenie, self.watcher = Opsgenie(), Watcher()
        self._alarms = (self.github, self.slack, self.opsgenie, self.watcher)
        # The first that owns the path answers. Resend owns the rest, so it stays last.
        inbox = Inbox(self.resend, self.whatsapp)
        others = (self.whatsapp, self.zoom, *self._alarms)
        self._sites: tuple[Site, ...] = (inbox, *others, self.resend)
        self._http = _HTTPServer((host, port), self._sites)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self._http.server_name}:{self.port}"

    def reset(self) -> None:
        """Forget all calls, messages, keys and faults; let go what hangs."""
        self.resend.reset()
        self.whatsapp.reset()
        self.zoom.reset()
        for alarm in self._alarms:
            alarm.reset()
        self._http.forgets_idle_after = None

    def forget_idle_connections(self, *, after: float) -> None:
        """Reset a connection that is used again after so many idle seconds, as balancers do."""
        self._http.forgets_idle_after = after

    def close_idle_connections(self) -> None:
        """Close, as a server does that tidies up; what is not idle now breaks too."""
        self._http.hang_up()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End at once, whatever hangs."""
        self.resend.release()
        self.whatsapp.release()
        self.zoom.release()
        for alarm in self._alarms:
            alarm.release()
        self._http.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.hang_up()

    def __enter__(self) -> "ProviderServer":
        self.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    forgets_idle_after: float | None = None

    def __init__(self, address: tuple[str, int], sites: tuple[Site, ...]) -> None:
        self.sites = sites
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of our own name, which is slow on some machines."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that are still open, so that nobody talks to a stopped server."""
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what is our own mistake; a client may leave at any time."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer
    idle_since: float | None = None  # None: this connection has served nothing yet

    def _serve(self) -> None:
        if self._is_forgotten():
            self.close_connection = True
            self._reset()
            return
        self._answer()
        self.idle_since = time.monotonic()

    def _is_forgotten(self) -> bool:
        limit, since = self.server.forgets_idle_after, self.idle_since
        return limit is not None and since is not None and time.monotonic() - since > limit

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        body = self.rfile.read(int(length)) if length.isdecimal() else b""
        if len(body) < int(length if length.isdecimal() else 0):
            return  # the client died in the middle: nothing arrived
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, headers, body, self._client_left, query)
        site = next(site for site in self.server.sites if site.owns(path))
        self._deliver(site.answer(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _client_left(self) -> bool:
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.wire is not Wire.WHOLE:
            self.close_connection = True
        if delivery.wire is Wire.CLOSE:
            return
        if delivery.wire is Wire.RESET:
            self._reset()
            return
        self._write_head(delivery)
        if self.command != "HEAD":
            self._write_body(delivery)

    def _write_head(self, delivery: Delivery) -> None:
        answer = delivery.answer
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _write_body(self, delivery: Delivery) -> None:
        body = delivery.answer.body
        if delivery.wire is Wire.HALF:
            body = body[: len(body) // 2]
        if delivery.wire is not Wire.DRIP:
            self.wfile.write(body)
            return
        for position in range(len(body)):
            self.wfile.write(body[position : position + 1])
            if self.server.stopping.wait(delivery.pace):
                return

    def _reset(self) -> None:
        """Close with SO_LINGER 0, so that the client sees a TCP RST instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the ledger keeps what matters, and headers hold keys."""
