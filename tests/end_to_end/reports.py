"""Where a browser sends what it reports of a page that broke its policy."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings


@dataclass
class Reports:
    """The reports that came in, each as a line."""

    url: str
    told: list[str] = field(default_factory=list)

    def policy(self) -> dict[str, Any]:
        """Return the policy of the settings with us as the place to report to."""
        policy = settings.CONTENT_SECURITY_POLICY
        return {**policy, "DIRECTIVES": {**policy["DIRECTIVES"], "report-uri": [self.url]}}


@contextmanager
def reports_of_the_browser() -> Iterator[Reports]:
    """Listen for reports for a while."""

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            report = json.loads(body)["csp-report"]
            told = (report["document-uri"], report["effective-directive"], report["blocked-uri"])
            reports.told.append(" ".join(told))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    reports = Reports(f"http://127.0.0.1:{server.server_port}/")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield reports
    server.shutdown()
    server.server_close()
