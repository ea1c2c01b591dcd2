"""One field of a form that was sent."""

from starlette.requests import Request

from gatehold.console.context import form_of
from gatehold.console.forms import one
from gatehold.console.problems import Refused


def field(request: Request, name: str, otherwise: str = "") -> str:
    """Its value; ``otherwise`` where it is not there. Raises Refused where it was sent twice or holds a NUL.

    No text of a person has one, and PostgreSQL takes none.
    """
    try:
        value = one(form_of(request), name, otherwise)
    except ValueError:
        raise Refused(400, "This form cannot be read.") from None
    if "\x00" in value:
        raise Refused(400, "This form cannot be read.")
    return value
