"""The quick look at whole bodies, for one plan."""

import json
from collections.abc import Callable
from functools import lru_cache

import msgspec

from masking.content import ContentType, Shape
from masking.edits import Edit, apply, merge
from masking.formats.json_document import JsonMasker
from masking.plan import Plan
from masking.screening.backends import Backend
from masking.screening.documents import is_json, quick_json
from masking.screening.escapes import redone
from masking.screening.screens import Screens, screens_of
from masking.screening.texts import is_quiet_text
from masking.screening.verdicts import Judging, NameTraits, Quick, Spliced

_PIECES, _PLACED, _NAMES = 1 << 15, 1 << 13, 1 << 13
_LONGEST_PIECE = 1024
"""Longer pieces are judged anew in every body."""
_SPACE = b" \t\r\n"

type _Asked[T] = Callable[[bytes], T]
type _Judge = Callable[[bytes, bytes], Spliced | None]


class QuickLook:
    """What a plan makes of a body without parsing it, where that can be told. Safe to use from several threads."""

    def __init__(self, plan: Plan, using: Backend | None = None, *, screens: Screens | None = None) -> None:
        """``screens``: those of a plan of the same profiles. Without them they are compiled: tenths of a second."""
        self._plan = plan
        self._objects = JsonMasker(plan)
        self.screens = screens or screens_of(plan, using)
        self._judging = Judging(
            text=_remembered(self._text, _PIECES),
            # What can be put back is kept in a vault each time that it is hidden.
            placed=self._placed if plan.has_pseudonyms else _remembered(self._placed, _PLACED),
            number=self._number,
            name=_short(lru_cache(_NAMES)(self._name), self._name),
            tells=_short(lru_cache(_NAMES)(self._tells), self._tells),
        )

    def at(self, body: bytes, declared: ContentType, *, judged: int | None = None) -> Quick | None:
        """The masked form of a body without content coding; None where the full path has to be taken.

        Whatever it gives is what the full path would. Raises what judging raises. ``judged``: how many bytes of names
        and values may be judged, at most; None: any number.
        """
        if self.screens.documents is None or declared.charset != "utf-8" or declared.is_yaml:
            return None
        shape = declared.shape
        if shape is Shape.JSON or (shape is None and is_json(body)):
            return self._json(body, judged) if shape is None or is_json(body) else None
        if shape is Shape.NDJSON:
            return self._json(body, judged) if _is_lines(body) else None
        texts, lines = self.screens.texts, self.screens.lines
        if shape is Shape.TEXT and texts and lines:
            return Quick(body, {}) if is_quiet_text(body, texts, lines) else None
        return None

    def _json(self, body: bytes, judged: int | None) -> Quick | None:
        return quick_json(body, self._plan, self.screens, self._judging, judged=judged)

    def _text(self, key: bytes, value: bytes) -> Spliced | None:
        raw = redone(value).decode()
        return _spliced(raw, merge(self._objects.string_edits(_decoded(key), raw)))

    def _placed(self, key: bytes, value: bytes) -> Spliced | None:
        raw = redone(value).decode()
        edit = self._objects.named_edit(_decoded(key), raw)
        return _spliced(raw, [edit]) if edit else None

    def _number(self, raw: bytes) -> Spliced | None:
        text = raw.decode()
        edit = self._plan.judge.number(text)
        return _spliced(text, [edit]) if edit else None

    def _tells(self, raw: bytes) -> bool:
        return self._plan.keys.find(_decoded(raw)) is not None

    def _name(self, raw: bytes) -> NameTraits:
        name = _decoded(raw)
        rule = self._plan.keys.find(name)
        return NameTraits(
            refused=self._plan.judge.tells(name),
            telling=rule is not None,
            deep=rule is not None and rule.deep,
            speaking=self._plan.judge.speaks_for_weak(name),
        )


def _remembered(judge: _Judge, entries: int) -> _Judge:
    """``judge``, asked once about every short piece."""
    known = lru_cache(entries)(judge)
    return lambda key, value: known(key, value) if len(key) + len(value) <= _LONGEST_PIECE else judge(key, value)


def _short[T](known: "_Asked[T]", anew: "_Asked[T]") -> "_Asked[T]":
    return lambda raw: known(raw) if len(raw) <= _LONGEST_PIECE else anew(raw)


def _decoded(piece: bytes) -> str:
    """What the inside of a string says, given with simple escapes undone."""
    raw = redone(piece)
    return str(json.loads(b'"' + raw + b'"')) if b"\\" in raw else raw.decode()


def _spliced(raw: str, edits: list[Edit]) -> Spliced | None:
    if not edits:
        return None
    return Spliced(apply(raw, edits).encode(), tuple(edit.entity for edit in edits))


def _is_lines(body: bytes) -> bool:
    """Whether every line that is not empty holds one JSON object or array."""
    if not body.isascii() and not _is_utf8(body):
        return False
    check = msgspec.json.Decoder(msgspec.Raw).decode
    try:
        for line in body.split(b"\n"):
            start = line.strip(_SPACE)[:1]
            if start and (start not in (b"{", b"[") or not check(line)):
                return False
    except (ValueError, RecursionError):
        return False
    return True


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
