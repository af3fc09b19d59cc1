"""Who sees addresses, numbers and bodies in the admin, and the net that masks every page of it.

The net stands at the door of the site, so a page that nobody thought of is masked too.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from egac.masking import masked_page, masked_text

SEE, REVEAL = "egac.see_addresses", "egac.reveal_addresses"
READ_AS_TEXT = ("application/json", "text/csv", "text/plain")


def sees_addresses(request: HttpRequest) -> bool:
    """Return whether this page shows addresses: to this person, or this once."""
    return bool(request.user.has_perm(SEE)) or getattr(request, "is_revealed", False)


def require_sight(request: HttpRequest) -> None:
    """Refuse what cannot be masked, a body or a file, to who does not see addresses."""
    if not request.user.has_perm(SEE):
        raise PermissionDenied


def as_seen_by(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer as this person may read it, once it is rendered."""
    if sees_addresses(request):
        return response
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.add_post_render_callback(mask)
        return response
    return mask(response)


def mask(response: Any) -> Any:
    """Mask what an answer says, in the way of its kind; a file or a redirect stays as it is."""
    kind = response.get("Content-Type", "").partition(";")[0]
    if kind == "text/html":
        response.content = masked_page(response.content.decode()).encode()
    elif kind in READ_AS_TEXT:
        response.content = masked_text(response.content.decode()).encode()
    return response
