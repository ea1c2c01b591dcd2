"""Masking for the rest of the house: whole bodies, texts and streams, under named profiles.

Bytes that could not be masked never come back: everything that goes wrong raises ``Unmaskable``.
"""

import contextlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from masking.content import ContentType, Shape, read_content_type, refuse_binary, text_of, without_bom
from masking.edits import Edit, apply, count, merge, shift
from masking.encodings import Decoder, Limits, coding, decode
from masking.errors import ModelUnavailable, Unmaskable, refusing
from masking.growing import Growing
from masking.joined_lines import JoinedLines
from masking.messages import MessageMask
from masking.operators import Operators
from masking.pieces import of_event, of_line
from masking.plan import Plan
from masking.profiles import Profile
from masking.pseudonyms import Pseudonyms
from masking.screening.cost import AT_ONCE, JUDGED_AT_ONCE
from masking.screening.look import QuickLook
from masking.screening.screens import Screens, screens_of
from masking.stream import Events, KeyGate, Lines, StreamMask
from masking.terminal import TerminalMask
from masking.terminal_input import TerminalInput, TypedKeyGate
from masking.worker import Worker

_OWNERS = 128
"""Owners of pseudonyms whose workers are kept; that of the owner served longest ago is made anew."""
_PAYLOADS = {Shape.SSE: of_event, Shape.NDJSON: of_line}
"""Where the JSON stands in the records of a stream in which texts may grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A body as it came, and how it is to be masked."""

    body: bytes = field(repr=False)
    content_type: str
    content_encoding: str = ""
    profiles: tuple[str, ...]
    """By name; a body without any stays as it is."""
    pseudonyms: Pseudonyms | None = None
    """Whose tokens it gets; None: those of the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A masked body."""

    body: bytes
    """The same object as the given one where nothing was to be hidden or decoded."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many values were hidden, by entity; never the values."""
    encoding: str = ""
    """The content coding of ``body``: that of the given one if no profile applies, else none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was hidden: characters ``[start, end)`` of the text before."""

    entity: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A masked text together with what was found in it."""

    masked: str
    findings: tuple[Finding, ...]
    """In order of their start. They may overlap: two kinds of value can be seen in the same characters."""


class MaskingEngine:
    """Masks by profiles. Safe to use from several threads."""

    def __init__(
        self, profiles: Mapping[str, Profile], *, key: bytes | None = None, limits: Limits | None = None
    ) -> None:
        """``key``: of pseudonyms; without one they last as long as this engine."""
        self._profiles = profiles
        self._hand = Operators(key or secrets.token_bytes(32))
        self._limits = limits or Limits()
        self._workers: dict[tuple[str, ...], Worker] = {}
        self._owned: OrderedDict[tuple[tuple[str, ...], str], Worker] = OrderedDict()
        self._looks: WeakKeyDictionary[Worker, QuickLook] = WeakKeyDictionary()
        self._screens: dict[tuple[str, ...], Screens] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Everything that takes seconds the first time. May run in a thread beside the rest of a start."""
        from masking import detectors  # noqa: PLC0415  (seconds of imports)

        detectors.warm()
        for name in self._profiles:
            self.prepare((name,))

    @property
    def asks_models(self) -> bool:
        """Whether any profile names a language model, so that even a small body may take long."""
        return any(profile.ner for profile in self._profiles.values())

    def load_models(self) -> None:
        """The language models that profiles name, where they name some. Raises ``ModelUnavailable``."""
        for name, profile in self._profiles.items():
            for spec in profile.ner:
                from masking import ner_models  # noqa: PLC0415  (seconds of imports)

                try:
                    ner_models.reader(spec)
                except ModelUnavailable as error:
                    raise ModelUnavailable(f"mask profile {name}: {error.reason}") from None

    def hides_kind(self, kind: str, profiles: tuple[str, ...]) -> bool:
        """Whether one of these profiles hides fields of Kubernetes objects of this kind."""
        return any(each.kind == kind for name in profiles for each in self._profiles[name].kinds)

    def mask_body(
        self,
        body: bytes,
        *,
        content_type: str,
        content_encoding: str = "",
        profiles: tuple[str, ...],
        pseudonyms: Pseudonyms | None = None,
    ) -> Masked:
        """A whole body with everything hidden that ``profiles`` ask for, decoded if it was encoded.

        ``pseudonyms``: whose tokens it gets; None: those of this engine.
        """
        return self.masked(
            Given(
                body=body,
                content_type=content_type,
                content_encoding=content_encoding,
                profiles=profiles,
                pseudonyms=pseudonyms,
            )
        )

    def masked(self, given: Given) -> Masked:
        """What ``mask_body`` gives."""
        if not given.profiles or not given.body:
            return Masked(body=given.body, encoding=given.content_encoding)
        with refusing():
            declared = read_content_type(given.content_type)
            plain = decode(given.body, given.content_encoding, self._limits)
            quick = self._look(given.profiles, given.pseudonyms).at(plain, declared)
            if quick is not None:
                return Masked(body=quick.body, counts=quick.counts)
            text = _text(plain, declared)
            edits = merge(self._edits(text, declared, given.profiles, given.pseudonyms))
            if edits:
                plain = apply(text, edits).encode(declared.charset)
            return Masked(body=plain, counts=count(edits))

    def mask_at_once(
        self,
        body: bytes,
        *,
        content_type: str,
        content_encoding: str = "",
        profiles: tuple[str, ...],
        pseudonyms: Pseudonyms | None = None,
    ) -> Masked | None:
        """What ``mask_body`` gives, where that takes so little that an event loop may wait for it; None elsewhere.

        None as well for profiles that were not ``prepare``d.
        """
        return self.masked_at_once(
            Given(
                body=body,
                content_type=content_type,
                content_encoding=content_encoding,
                profiles=profiles,
                pseudonyms=pseudonyms,
            )
        )

    def masked_at_once(self, given: Given, *, most: int = AT_ONCE) -> Masked | None:
        """What ``mask_at_once`` gives. ``most``: bytes of a body that are looked through."""
        if not given.profiles or not given.body:
            return Masked(body=given.body, encoding=given.content_encoding)
        if len(given.body) > most or coding(given.content_encoding) or not self._is_prepared(given.profiles):
            return None
        with refusing():
            look = self._look(given.profiles, given.pseudonyms)
            quick = look.at(given.body, read_content_type(given.content_type), judged=JUDGED_AT_ONCE)
            return Masked(body=quick.body, counts=quick.counts) if quick is not None else None

    def prepare(self, profiles: tuple[str, ...]) -> None:
        """Compile what these profiles look for together, which else the first body waits for: tenths of a second."""
        if profiles:
            with refusing():
                self._look(profiles)

    def plan(self, profiles: tuple[str, ...]) -> Plan:
        """What these profiles ask for together, compiled. Raises ``Unmaskable``."""
        return self._worker(profiles).plan

    def mask_text(
        self, text: str, *, profiles: tuple[str, ...], key: str = "", pseudonyms: Pseudonyms | None = None
    ) -> tuple[str, dict[str, int]]:
        """A text (a header's value, a path) with everything hidden; ``key`` is the name of what holds it.

        With a name that tells (``authorization``) all of the text is hidden.
        """
        if not profiles or not text:
            return text, {}
        with refusing():
            edits = merge(self._worker(profiles, pseudonyms).text_edits(text, key))
            return apply(text, edits), count(edits)

    def open_stream(
        self,
        *,
        content_type: str,
        content_encoding: str = "",
        profiles: tuple[str, ...],
        pseudonyms: Pseudonyms | None = None,
        joined: bool = False,
    ) -> StreamMask:
        """A mask for a body that comes bit by bit; what it gives has no content coding.

        ``joined``: lines of a text that belong together are judged together, as those of a whole body would be.
        """
        with refusing():
            declared = read_content_type(content_type)
            worker = self._worker(profiles, pseudonyms)
            shape = worker.stream_shape(declared)
            is_text = shape is Shape.TEXT
            joins = joined and is_text
            payload = _PAYLOADS.get(shape)
            limit = self._limits.record
            edits = worker.reader(shape)
            return StreamMask(
                decoder=Decoder(coding(content_encoding), self._limits),
                framer=JoinedLines() if joins else Events() if shape is Shape.SSE else Lines(),
                edits=(lambda text: worker.edits(text, declared)) if joins else edits,
                declared=declared,
                limit=limit,
                gate=KeyGate(limit) if is_text and worker.plan.hides_pem else None,
                growing=Growing(worker.reader(Shape.TEXT), payload, limit=limit) if payload else None,
                in_windows=is_text,
                look=self._looking(profiles, pseudonyms, edits) if is_text else None,
                longest=self._limits.body if joins else limit,
            )

    def streams_text(self, content_type: str, content_encoding: str, profiles: tuple[str, ...]) -> bool:
        """Can a text be masked in lines as well as whole? Not where values are hidden for their place."""
        try:
            coding(content_encoding)
            declared = read_content_type(content_type)
            shape = declared.shape
        except Unmaskable:
            return False
        is_text = shape is Shape.TEXT and declared.essence.startswith("text/") and not declared.is_yaml
        return is_text and not self._worker(profiles).plan.placed

    def _looking(
        self, names: tuple[str, ...], pseudonyms: Pseudonyms | None, edits: Callable[[str], list[Edit]]
    ) -> Callable[[str], list[Edit]]:
        """Finds nothing in a text where a quick look tells that nothing is there."""
        plain = read_content_type("text/plain")

        def look(text: str) -> list[Edit]:
            with contextlib.suppress(Unmaskable):  # lines in the middle of a text may begin as a picture does
                if self._look(names, pseudonyms).at(text.encode(), plain) is not None:
                    return []
            return edits(text)

        return look

    def open_messages(self, *, profiles: tuple[str, ...], pseudonyms: Pseudonyms | None = None) -> MessageMask:
        """A mask for what one side of a conversation says, message by message."""
        with refusing():
            worker, undeclared = self._worker(profiles, pseudonyms), read_content_type("")
            return MessageMask(
                lambda message: worker.edits(message, undeclared),
                worker.reader(Shape.TEXT),
                limit=self._limits.record,
            )

    def open_terminal(self, *, profiles: tuple[str, ...], pseudonyms: Pseudonyms | None = None) -> TerminalMask:
        """A mask for what a command prints: text without frames, in lines."""
        with refusing():
            worker = self._worker(profiles, pseudonyms)
            gate = KeyGate(self._limits.record) if worker.plan.hides_pem else None
            return TerminalMask(edits=worker.reader(Shape.TEXT), limit=self._limits.record, gate=gate)

    def open_input(self, *, profiles: tuple[str, ...], tty: bool) -> TerminalInput:
        """A mask for the record of what is typed into a command; ``tty``: at a terminal."""
        with refusing():
            worker, limit = self._worker(profiles), self._limits.record

        def open_mask() -> TerminalMask:
            gate = TypedKeyGate(limit) if worker.plan.hides_pem else None
            return TerminalMask(edits=worker.reader(Shape.TEXT), limit=limit, gate=gate, is_text=True)

        return TerminalInput(open_mask, tty=tty)

    def inspect(self, body: bytes | str, *, content_type: str, profiles: tuple[str, ...]) -> Inspection:
        """What a body would become, and where something was found in it. A ``str`` is a body already decoded."""
        with refusing():
            declared = read_content_type(content_type)
            text = body if isinstance(body, str) else _text(body, declared)
            edits = self._edits(text, declared, profiles)
            found = {Finding(entity=each.entity, start=each.start, end=each.end, score=each.score) for each in edits}
            ordered = sorted(found, key=lambda each: (each.start, each.end, each.entity, each.score))
            return Inspection(masked=apply(text, merge(edits)), findings=tuple(ordered))

    def _edits(
        self, text: str, declared: ContentType, profiles: tuple[str, ...], pseudonyms: Pseudonyms | None = None
    ) -> list[Edit]:
        body = without_bom(text)
        edits = self._worker(profiles, pseudonyms).edits(body, declared)
        mark = len(text) - len(body)
        return [shift(edit, mark) for edit in edits] if mark else edits

    def _worker(self, names: tuple[str, ...], pseudonyms: Pseudonyms | None = None) -> Worker:
        worker = self._workers.get(names)
        if worker is None:
            worker = self._made(names, self._hand)
            with self._lock:
                worker = self._workers.setdefault(names, worker)
        return self._owned_worker(names, pseudonyms) if pseudonyms and worker.plan.has_pseudonyms else worker

    def _owned_worker(self, names: tuple[str, ...], pseudonyms: Pseudonyms) -> Worker:
        """A worker of an owner's own: what it remembers holds the owner's tokens."""
        with self._lock:
            worker = self._owned.pop((names, pseudonyms.owner), None)
            worker = worker or self._made(names, Operators(pseudonyms.key, pseudonyms.vault))
            self._owned[names, pseudonyms.owner] = worker
            if len(self._owned) > _OWNERS:
                self._owned.popitem(last=False)
            return worker

    def _is_prepared(self, profiles: tuple[str, ...]) -> bool:
        return profiles in self._screens

    def _look(self, names: tuple[str, ...], pseudonyms: Pseudonyms | None = None) -> QuickLook:
        worker = self._worker(names, pseudonyms)
        look = self._looks.get(worker)
        if look is None:
            # Compiled once: owners of pseudonyms differ in what replaces a value, not in what is looked for.
            screens = self._screens.get(names) or screens_of(worker.plan)
            look = QuickLook(worker.plan, screens=screens)
            with self._lock:
                self._screens.setdefault(names, screens)
                look = self._looks.setdefault(worker, look)
        return look

    def _made(self, names: tuple[str, ...], hand: Operators) -> Worker:
        unknown = [name for name in names if name not in self._profiles]
        if unknown:
            raise Unmaskable(f"mask profile {unknown[0]} is not known")
        return Worker(Plan([self._profiles[name] for name in names], hand))


def _text(body: bytes, declared: ContentType) -> str:
    refuse_binary(body)
    return text_of(body, declared)
