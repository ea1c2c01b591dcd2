"""What is said over a tunnel, message by message, without sockets: who may say what, and what of it goes on.

exec and attach speak ``v5.channel.k8s.io`` or ``v4.channel.k8s.io`` (k8s.io/apimachinery, pkg/util/httpstream/wsstream
and client-go, tools/remotecommand): binary messages that begin with their channel.

======= ============ =====================================================================
channel from         carries
======= ============ =====================================================================
0       client       stdin; searched where a rule asks for it
1, 2    server       stdout, stderr; masked
3       server       the final status as JSON; what was held back of the output goes first
4       client       the size of the terminal, ``{"Width": 80, "Height": 24}``
255     either       v5: the channel that ends
======= ============ =====================================================================

Whatever else a side says ends the tunnel. A port-forward is opaque: its bytes are counted. What is said over a
WebSocket of an http target is in ``addons.exchanges``.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from addons.input_search import InputRefused, InputSearch
from addons.output_channels import OutputChannel
from masking.edits import add_counts
from masking.errors import Unmaskable
from masking.terminal_input import TerminalInput
from recordings.flows import Dialogue, Spoken

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
NORMAL, GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG, FAILED = 1000, 1001, 1003, 1008, 1009, 1011
"""Close codes (RFC 6455, 7.4.1)."""
_MAX_STATUS = 64 * 1024
_MAX_SIZE = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a tunnel ends."""

    code: int
    why: str
    """For the agent and the journal; empty where one side simply closed. Holds no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message that goes on."""

    to_client: bool
    content: bytes = field(repr=False)
    is_text: bool = False


class Conversation(Protocol):
    """What a tunnel needs to know of the messages in it."""

    ended: Ending | None
    dialogue: Dialogue
    takes_text: bool
    """May messages be of text?"""

    def receive(self, content: bytes, *, from_client: bool, is_text: bool = False) -> None:
        """Take one whole message; the content of one of text is UTF-8."""

    def flush(self) -> None:
        """Give on what waits for the end of a line, since nothing came for a while."""

    @property
    def may_flush(self) -> bool:
        """Is there anything that somebody at a terminal would wait for?"""

    @property
    def held(self) -> int:
        """Bytes that are judged together with what comes next."""

    def finish(self) -> None:
        """No more messages come: give on what was held back."""

    def cut(self, why: str, code: int = POLICY) -> None:
        """End it; the agent is told why."""

    def take(self) -> list[Outgoing]:
        """What is to be sent now, in order."""

    def summary(self) -> Mapping[str, int | str]:
        """What the journal says of it at its end."""


class Outbox:
    """What all kinds share: what goes out, and the end."""

    takes_text = False

    def __init__(self) -> None:
        self.ended: Ending | None = None
        self.dialogue = Dialogue()
        self._outgoing: list[Outgoing] = []

    def take(self) -> list[Outgoing]:
        """What is to be sent now, in order."""
        taken, self._outgoing = self._outgoing, []
        return taken

    def _send(self, content: bytes, *, to_client: bool, is_text: bool = False) -> None:
        self._outgoing.append(Outgoing(to_client=to_client, content=content, is_text=is_text))

    def _end(self, code: int, why: str) -> None:
        self.ended = self.ended or Ending(code=code, why=why)

    def _cut_summary(self) -> dict[str, int | str]:
        return {"cut": self.ended.why} if self.ended and self.ended.why else {}


class Forwarding(Outbox):
    """A port-forward: SPDY frames in messages, which nobody here reads."""

    may_flush = False
    held = 0

    def __init__(self) -> None:
        super().__init__()
        self._received = self._sent = 0

    def receive(self, content: bytes, *, from_client: bool, is_text: bool = False) -> None:  # noqa: ARG002 - takes none
        """Count one message."""
        if self.ended is not None:
            return
        if from_client:
            self._sent += len(content)
        else:
            self._received += len(content)
        self._send(content, to_client=not from_client)

    def flush(self) -> None:
        """Nothing is ever held back."""

    def finish(self) -> None:
        """Nothing is ever held back."""

    def cut(self, why: str, code: int = POLICY) -> None:
        """End it."""
        self._end(code, why)

    def summary(self) -> Mapping[str, int | str]:
        """Bytes to the pod and back."""
        return {"sent": self._sent, "received": self._received, **self._cut_summary()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a session was asked for, and so judged."""

    stdin: bool
    tty: bool
    closes: bool
    """Channels can be closed one by one: v5."""


class Session(Outbox):
    """An exec or attach."""

    def __init__(
        self,
        shape: Shape,
        channels: Mapping[int, OutputChannel],
        *,
        tell: Callable[[str], str],
        typed: TerminalInput,
        search: InputSearch | None = None,
    ) -> None:
        """``channels``: stdout, stderr; ``tell``: masks the server's own words; ``typed``: stdin as it is recorded;
        ``search``: of stdin, where a rule asks for it.
        """
        super().__init__()
        self._shape = shape
        self._channels = channels
        self._tell = tell
        self._typed = typed
        self._search = search
        self._bytes = {STDIN: 0, STDOUT: 0, STDERR: 0}
        self._exit: int | str = ""

    @property
    def held(self) -> int:
        """Bytes that are judged together with what comes next."""
        searched = self._search.held if self._search else 0
        return searched + self._typed.held + sum(channel.held for channel in self._channels.values())

    @property
    def may_flush(self) -> bool:
        """Somebody types, and waits for prompts."""
        return self._shape.stdin or self._shape.tty

    def receive(self, content: bytes, *, from_client: bool, is_text: bool = False) -> None:  # noqa: ARG002 - takes none
        """Take one message; one that its side may not send ends the session."""
        if self.ended is not None:
            return
        if not content:
            self.cut("an empty message")
        elif from_client:
            self._from_client(content[0], content[1:])
        else:
            try:
                self._from_server(content[0], content[1:])
            except Unmaskable as unmaskable:
                self.cut(f"the output could not be masked and was withheld: {unmaskable.reason}")

    def flush(self) -> None:
        """Give on the beginnings of lines."""
        if self.ended is not None:
            return
        try:
            for number, channel in self._channels.items():
                self._output(number, channel.flush())
        except Unmaskable as unmaskable:
            self.cut(f"the output could not be masked and was withheld: {unmaskable.reason}")

    def finish(self) -> None:
        """Give on what was held back."""
        try:
            if self.ended is None or not self.ended.why:
                for number, channel in self._channels.items():
                    self._output(number, channel.end())
        except Unmaskable as unmaskable:
            self.cut(f"the output could not be masked and was withheld: {unmaskable.reason}")
        self._keep_typed(self._typed.end())

    def cut(self, why: str, code: int = POLICY) -> None:
        """End it; the status channel says why, as the server would."""
        if self.ended is None:
            status = {
                "metadata": {},
                "status": "Failure",
                "message": f"gatehold: {why}",
                "reason": "Forbidden",
                "code": 403,
            }
            self._say(STATUS, json.dumps(status).encode())
        self._end(code, why)

    def summary(self) -> Mapping[str, int | str]:
        """Bytes by stream, and how the command ended."""
        ended: dict[str, int | str] = {} if self._exit == "" else {"exit": self._exit}
        streams = {"stdin": self._bytes[STDIN], "stdout": self._bytes[STDOUT], "stderr": self._bytes[STDERR]}
        found = {"found": self._search.found} if self._search and self._search.found else {}
        return {**streams, **ended, **found, **self._cut_summary()}

    def counts(self) -> dict[str, int]:
        """How many values were hidden in the output, by entity."""
        total: dict[str, int] = {}
        for channel in self._channels.values():
            add_counts(total, channel.counts)
        return total

    def _from_client(self, channel: int, data: bytes) -> None:
        if channel == STDIN and self._shape.stdin:
            self._bytes[STDIN] += len(data)
            self._input(data)
            self._keep_typed(self._typed.feed(data))
        elif channel == STDIN:
            if data:
                self.cut("stdin was not asked for")
        elif channel == RESIZE and self._shape.tty:
            self._resize(data)
        elif channel == CLOSE and self._shape.closes and data == bytes([STDIN]):
            self._input_ends()
        elif channel not in (RESIZE, CLOSE):
            self.cut(f"channel {channel} is not the client's")

    def _input(self, data: bytes) -> None:
        """Give stdin on: as it comes, or line by line where it is searched."""
        if self._search is None:
            self._send(bytes([STDIN]) + data, to_client=False)
            return
        try:
            searched = self._search.feed(data)
        except InputRefused as refused:
            self.cut(str(refused))
            return
        if searched:
            self._send(bytes([STDIN]) + searched, to_client=False)

    def _input_ends(self) -> None:
        try:
            rest = self._search.end() if self._search else b""
        except InputRefused as refused:
            self.cut(str(refused))
            return
        if rest:
            self._send(bytes([STDIN]) + rest, to_client=False)
        self._send(bytes([CLOSE, STDIN]), to_client=False)

    def _from_server(self, channel: int, data: bytes) -> None:
        if channel in self._channels:
            self._bytes[channel] += len(data)
            self._output(channel, self._channels[channel].feed(data), greeting=not data)
        elif channel == STATUS:
            self._status(data)
        elif channel == CLOSE and self._shape.closes and len(data) == 1 and data[0] in (STDOUT, STDERR, STATUS):
            if ending := self._channels.get(data[0]):
                self._output(data[0], ending.end())
            self._send(bytes([CLOSE, data[0]]), to_client=True)
        else:
            self.cut(f"channel {channel} is not the server's")

    def _output(self, channel: int, data: bytes, *, greeting: bool = False) -> None:
        """Something on stdout or stderr; an empty message is how a server says that the session runs."""
        if data:
            self._say(channel, data)
        elif greeting:
            self._send(bytes([channel]), to_client=True)

    def _say(self, channel: int, data: bytes) -> None:
        self._send(bytes([channel]) + data, to_client=True)
        self._record(channel, data, from_client=False)

    def _status(self, data: bytes) -> None:
        for number, channel in self._channels.items():
            self._output(number, channel.end())
        if not data:
            self._send(bytes([STATUS]), to_client=True)
            return
        status = _read_status(data)
        if status is None:
            self.cut("the target's final status cannot be read")
            return
        self._exit = _exit_code(status)
        self._say(STATUS, json.dumps(_told(status, self._tell)).encode())

    def _resize(self, data: bytes) -> None:
        size = _read_size(data)
        if size is not None:
            content = json.dumps(size, separators=(",", ":")).encode()
            self._send(bytes([RESIZE]) + content, to_client=False)
            self._record(RESIZE, content, from_client=True)

    def _keep_typed(self, kept: bytes) -> None:
        """Stdin for the record, masked line by line."""
        if kept:
            self._record(STDIN, kept, from_client=True)

    def _record(self, channel: int, data: bytes, *, from_client: bool) -> None:
        message = Spoken(time=time.time(), from_client=from_client, content=bytes([channel]) + data)
        self.dialogue.add(message)


def _read_status(data: bytes) -> dict[str, Any] | None:
    if len(data) > _MAX_STATUS:
        return None
    try:
        status = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return status if isinstance(status, dict) else None


def _told(status: Mapping[str, Any], tell: Callable[[str], str]) -> dict[str, Any]:
    """A status (meta/v1) with the texts in it masked and nothing in it that is not a status's."""
    told: dict[str, Any] = {"metadata": {}}
    for key in ("kind", "apiVersion", "status", "reason", "message"):
        if isinstance(status.get(key), str):
            told[key] = tell(status[key])
    if isinstance(status.get("code"), int):
        told["code"] = status["code"]
    causes = [
        {key: tell(cause[key]) for key in ("reason", "message", "field") if isinstance(cause.get(key), str)}
        for cause in _causes(status)
    ]
    if causes:
        told["details"] = {"causes": causes}
    return told


def _causes(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [each for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []


def _exit_code(status: Mapping[str, Any]) -> int | str:
    """The exit code of the command; its reason where there is none."""
    if status.get("status") == "Success":
        return 0
    for cause in _causes(status):
        code = cause.get("message")
        if cause.get("reason") == "ExitCode" and isinstance(code, str) and code.isascii() and code.isdecimal():
            return int(code[:4])
    return "unknown"


def _read_size(data: bytes) -> dict[str, int] | None:
    """The size of a terminal, in columns and rows; None where it is none."""
    if len(data) > 256:
        return None
    try:
        size = json.loads(data)
    except ValueError:
        return None
    if not isinstance(size, dict):
        return None
    found = {key: size.get(key) for key in ("Width", "Height")}
    whole = {key: each for key, each in found.items() if type(each) is int and 0 <= each <= _MAX_SIZE}
    return whole if len(whole) == 2 else None
