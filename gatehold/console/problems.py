"""What the console says instead of a page: one look for all of it, and no word of what went wrong inside."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from gatehold.approvals.errors import AnswerRefused, IllegalMove, Objection, UnknownApproval
from gatehold.console.forms import BadForm
from gatehold.console.templating import Templates
from gatehold.store.errors import StoreUnavailable

_TITLES: Final[Mapping[int, str]] = {
    400: "That was not understood",
    401: "Signed out",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    408: "Too slow",
    409: "Too late",
    413: "Too large",
    415: "That was not understood",
    421: "Another name",
    422: "Something is missing",
    429: "Too many",
    500: "The console failed",
    503: "Not available now",
}

_OBJECTIONS: Final[Mapping[str, int]] = {
    Objection.LATE: 409,
    Objection.TWICE: 409,
    Objection.NOT_SHOWN: 409,
    Objection.NO_REASON: 422,
}
"""All others are 403."""


class Refused(Exception):
    """A request that is answered with an error page; ``words`` are for the person who reads it."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = words
        super().__init__(words)


class Forged(Refused):
    """Something that was to change does not come from a page of the person's own; the audit trail is told."""

    def __init__(self, objection: str, words: str, *, user: str = "") -> None:
        self.objection = objection
        self.user = user
        super().__init__(403, words)


def known(error: Exception) -> Refused | None:
    """What to say of an error that pages do not catch themselves; None for one that should not be."""
    match error:
        case Refused():
            return error
        case AnswerRefused():
            return Refused(_OBJECTIONS.get(error.objection, 403), _sentence(str(error)))
        case BadForm():
            return Refused(400, "This form cannot be read.")
        case UnknownApproval():
            return Refused(404, "There is no such approval.")
        case IllegalMove():
            return Refused(409, _sentence(str(error)))
        case StoreUnavailable():
            return Refused(503, "The store cannot be used now. Nothing was changed; try again in a moment.")
    return None


def page(templates: Templates, refused: Refused, *, part: bool) -> Response:
    """The error as a page, or for a part of one as its words alone."""
    if part:
        return Response(refused.words, refused.status, media_type="text/plain")
    values = {"title": _TITLES.get(refused.status, "Not possible"), "words": refused.words, "me": None, "here": ""}
    return HTMLResponse(templates.render("error.html", values), refused.status)


def document(refused: Refused) -> Response:
    """The error for programs: a problem document (RFC 9457), in ASCII."""
    title = _TITLES.get(refused.status, "Not possible")
    return answer({"title": title, "status": refused.status, "detail": refused.words}, refused.status, "problem+json")


def answer(facts: Mapping[str, Any], status: int = 200, kind: str = "json") -> Response:
    """JSON in ASCII: no text of an agent acts on a terminal that shows it."""
    return Response(json.dumps(facts, ensure_ascii=True, allow_nan=False), status, media_type=f"application/{kind}")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
