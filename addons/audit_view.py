"""Decisions in stock mitmweb: ``mitmweb -n -r FILE.flow -s audit_view.py [--set audit_journal=LINES.jsonl]``.

Flows that a gateway recorded carry their decision as metadata. The content view "Audit" shows it above the body, with
the lines of the journal about it; it is chosen by itself for answers, and can be chosen for requests and messages. The
view "Terminal" shows what was said in exec and attach.
Nothing is sent again from here. This file stands alone: it needs mitmproxy and nothing of ours; it is no part of the
data path.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mitmproxy import contentviews, ctx, exceptions, http
from mitmproxy.addonmanager import Loader
from mitmproxy.contentviews._registry import ContentviewRegistry

_OVER_OTHERS: Final = 10.0
"""Priority of a view; those that know a body's type have 1 or 2."""
_NEVER: Final = -1.0
_FIRST: Final = ("decision", "verdict", "code", "rule", "rules", "agent", "issuer", "session", "target", "approval")
_ELSEWHERE: Final = frozenset({"masked", "mask", "input"})
_LONGEST: Final = 64 * 1024
"""Characters of a decision's input; a longer one is left out."""
_SPOKEN: Final = "channel.k8s.io"
_CHANNELS: Final = {0: "stdin", 1: "stdout", 2: "stderr", 3: "status", 4: "size", 255: "closed"}
_VIEWER: Final = "This is a viewer and sends nothing. See 'gatehold replay --help'."

type Words = dict[str, Any]


class Journal:
    """Lines of the journal by what they are about: decisions and approvals."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def read(self, path: Path) -> None:
        """Take the lines of a file in place of those before; lines that cannot be read are passed over.

        Raises OSError.
        """
        self._lines.clear()
        with path.open("rb") as file:
            for raw in file:
                try:
                    line = json.loads(raw)
                    self._add(line)
                except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                    continue

    def about(self, words: Words) -> list[str]:
        """What there is to say about a decision, in order."""
        names = dict.fromkeys(str(words.get(key, "")) for key in ("decision", "approval"))
        return sorted((line for name in names for line in self._lines.get(name, ())), key=_sequence)

    def _add(self, line: Words) -> None:
        own = line["event"]["unmapped"]["gatehold"]
        name = line.get("decision") or own.get("approval")
        if isinstance(name, str) and name:
            self._lines.setdefault(name, []).append(_line(line, own))


class Audit:
    """The content view: a mitmproxy ``Contentview``."""

    name = "Audit"
    syntax_highlight: Final = "yaml"

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._others = ContentviewRegistry()
        for view in contentviews.registry.values():
            self._others.register(view)

    def prettify(self, _data: bytes, metadata: contentviews.Metadata) -> str:
        """The decision, then the body as it would be shown without this view. Raises ValueError where there is none."""
        words = _words(metadata)
        if words is None:
            raise ValueError("no gateway has recorded this flow")
        block = [*_decision(words), *_hidden(words), *_judged_by(words)]
        if lines := self._journal.about(words):
            block += ["journal:", *(f"  - {line}" for line in lines)]
        return "\n".join([*block, "---", self._body(metadata)])

    def render_priority(self, _data: bytes, metadata: contentviews.Metadata) -> float:
        """First for answers with a decision; for what has none this view is no choice."""
        if _words(metadata) is None:
            return _NEVER
        answer = getattr(metadata.flow, "response", None)
        return _OVER_OTHERS if answer is not None and metadata.http_message is answer else 0.0

    def __lt__(self, other: contentviews.Contentview) -> bool:
        """Views stand in the order of their names."""
        return self.name < other.name

    def _body(self, metadata: contentviews.Metadata) -> str:
        message = metadata.http_message or metadata.websocket_message
        if message is None or metadata.flow is None:
            return ""
        return contentviews.prettify_message(message, metadata.flow, registry=self._others).text


class Terminal:
    """The content view for messages of exec and attach: which stream, then its bytes as text."""

    name = "Terminal"
    syntax_highlight: Final = "none"

    def prettify(self, data: bytes, _metadata: contentviews.Metadata) -> str:
        """``stdout: total 0``; control characters are taken out by mitmproxy. Raises ValueError for no message."""
        if not data:
            raise ValueError("a message of a terminal begins with its channel")
        return f"{_CHANNELS.get(data[0], data[0])}: {data[1:].decode('utf-8', 'replace')}"

    def render_priority(self, _data: bytes, metadata: contentviews.Metadata) -> float:
        """First for what is spoken over a protocol of Kubernetes."""
        answer = getattr(metadata.flow, "response", None)
        if metadata.websocket_message is None or answer is None:
            return _NEVER
        protocol = answer.headers.get("sec-websocket-protocol", "")
        return _OVER_OTHERS if protocol.endswith(_SPOKEN) else _NEVER

    def __lt__(self, other: contentviews.Contentview) -> bool:
        """Views stand in the order of their names."""
        return self.name < other.name


class AuditView:
    """Registers the views, and reads the journal's lines for it."""

    def __init__(self) -> None:
        self._journal = Journal()

    def load(self, loader: Loader) -> None:
        """Add the option and the views."""
        loader.add_option("audit_journal", str, "", "Lines of the journal (JSON Lines), shown with decisions.")
        contentviews.add(Terminal)
        contentviews.add(Audit(self._journal))

    def configure(self, updated: set[str]) -> None:
        """Read the lines."""
        if "audit_journal" in updated and ctx.options.audit_journal:
            try:
                self._journal.read(Path(ctx.options.audit_journal).expanduser())
            except OSError as error:
                raise exceptions.OptionsError(f"audit_journal: {error.strerror}") from error

    def request(self, flow: http.HTTPFlow) -> None:
        """Answer what somebody sends again by mitmweb's button: it would pass by the gateway."""
        if flow.is_replay == "request":
            flow.response = http.Response.make(403, _VIEWER, {"Content-Type": "text/plain"})


def _words(metadata: contentviews.Metadata) -> Words | None:
    own = metadata.flow.metadata.get("gatehold") if metadata.flow else None
    return own if isinstance(own, dict) else None


def _decision(words: Words) -> Iterator[str]:
    rest = sorted(words.keys() - set(_FIRST) - _ELSEWHERE)
    for key in (*_FIRST, *rest):
        if words.get(key) not in (None, "", []):
            yield f"{_told(key)}: {_told(words[key])}"


def _hidden(words: Words) -> Iterator[str]:
    counts = words.get("masked")
    if isinstance(counts, dict) and counts:
        yield f"masked by {_told(words['mask'])}:" if words.get("mask") else "masked:"
        yield from (f"  {_told(entity)}: {_told(count)}" for entity, count in counts.items())


def _judged_by(words: Words) -> Iterator[str]:
    """What the call was judged by besides its request, and where the record is not what was judged."""
    text = words.get("input", "")
    try:
        noted = json.loads(text) if isinstance(text, str) and len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return
    if not isinstance(noted, dict):
        return
    for key in sorted(noted.keys() - {"at"}):
        value = noted[key]
        if key == "objects" or not isinstance(value, dict):
            yield f"{_told(key)}: {_told(list(value) if isinstance(value, dict) else value)}"
        else:
            yield f"{_told(key)}:"
            yield from (f"  {_told(name)}: {json.dumps(each)}" for name, each in value.items())


def _told(value: Any) -> str:
    """On one line: agents choose some of it."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if text.isprintable() else json.dumps(text)


def _line(line: Words, own: Words) -> str:
    event = line["event"]
    when = datetime.fromtimestamp(line["time"] / 1000, UTC).isoformat(timespec="milliseconds")
    person = event.get("actor", {}).get("user", {}).get("name", "") if event.get("entity") else ""
    state = own.get("state") or event.get("status_code", "")
    status = event.get("api", {}).get("response", {}).get("code", "")
    said = [event.get(key, "") for key in ("message", "status_detail", "comment")]
    words = [line["kind"], state, status, person and f"by {person}", *said]
    return _told(" ".join([str(line["seq"]), when, *(str(word) for word in words if word)]))


def _sequence(line: str) -> int:
    number = line.partition(" ")[0].lstrip('"')
    return int(number) if number.isdecimal() else 0


addons = [AuditView()]
