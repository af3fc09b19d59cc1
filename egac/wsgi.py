"""The site for a WSGI server such as gunicorn."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from egac.logs import redact

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request; then hide a secret in its address from the server's access log."""
    answer = _django(environ, start_response)
    for name in ("QUERY_STRING", "RAW_URI", "REQUEST_URI"):
        if name in environ:
            environ[name] = redact(environ[name])
    return answer
