"""The rules in the order in which they are weighed, and what they say of a call that nobody made."""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.console import forms, rules
from gatehold.console.context import Console, form_of
from gatehold.console.problems import Refused
from gatehold.explaining import Explainer, InvalidCallError
from policy.rules.schema import METHODS

MOST: Final = 300
"""Rules on the page."""
FIELDS: Final = ("target", "method", "path", "subject", "issuer", "groups", "headers", "body")
_PREFILLED: Final = ("target", "method", "path", "subject", "issuer", "groups")
_LONGEST: Final = 8192
"""Characters of a field that a link fills."""


class _Policy:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def page(self, request: Request) -> Response:
        """The rules; a link may fill the form."""
        asked = dict.fromkeys(FIELDS, "") | {"method": "GET"}
        for name in _PREFILLED:
            asked[name] = request.query_params.get(name, asked[name])[:_LONGEST]
        return self._shown(request, asked, None, "", opened=bool(asked["path"]))

    async def explain(self, request: Request) -> Response:
        """What the policy answers, and why."""
        try:
            asked = {name: forms.one(form_of(request), name) for name in FIELDS}
        except ValueError:
            raise Refused(400, "This form cannot be read.") from None
        try:
            answer = await asyncio.to_thread(self._answer, asked)
        except InvalidCallError as error:
            return self._shown(request, asked, None, str(error), opened=True)
        return self._shown(request, asked, answer, "", opened=True)

    def _answer(self, asked: dict[str, str]) -> dict[str, Any]:
        """Raises InvalidCallError."""
        if not asked["target"] or not asked["path"]:
            raise InvalidCallError("Say which target and which path.")
        explainer = Explainer(self._console.configuration, issuer=asked["issuer"] or None)
        agent = explainer.agent(asked["subject"].strip() or None, _lines(asked["groups"]))
        body = asked["body"].replace("\r\n", "\n").encode("utf-8", "surrogatepass")
        kind = "application/json" if body.lstrip()[:1] in (b"{", b"[") else None
        call = explainer.call(
            asked["target"],
            asked["method"].strip() or "GET",
            asked["path"].strip(),
            agent=agent,
            headers=_lines(asked["headers"]),
            body=body,
            media_type=kind,
        )
        return explainer.explain(call)

    def _shown(self, request: Request, asked: dict[str, str], answer: Any, problem: str, *, opened: bool) -> Response:
        console, wanted = self._console, request.query_params.get("q", "")[:200].strip()
        configuration, engine = console.configuration, console.engine
        tally = console.decisions.tally.rules
        found = rules.rows(engine.rules.values(), configuration.rule_places, tally, str(configuration.directory))
        fitting = [row for row in found if wanted.casefold() in row.text]
        return console.templates.page(
            request,
            "policy.html",
            422 if problem else 200,
            asked=asked,
            answer=answer,
            problem=problem,
            opened=opened,
            wanted=wanted,
            groups=[(effect, [row for row in fitting[:MOST] if row.effect is effect]) for effect in rules.ORDER],
            number=len(found),
            fitting=len(fitting),
            left_out=max(0, len(fitting) - MOST),
            targets=sorted(configuration.targets),
            methods=METHODS,
            revision=engine.revision,
        )


def routes(console: Console) -> list[Route]:
    """The page and its form."""
    page = _Policy(console)
    return [
        Route("/policy", page.page, methods=["GET"]),
        Route("/policy", page.explain, methods=["POST"]),
    ]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
