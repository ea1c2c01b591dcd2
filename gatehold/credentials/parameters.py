"""Credentials in the query of a request: put in without touching the rest. Pure.

Servers disagree on what one name is: they decode once or twice, fold case, read ``;`` as ``&``, ``name[]``,
``name[0]``, ``[name]`` and ``name]`` as ``name``, a dot, a space or a ``[`` that nothing closes as ``_``. What any of
them could take for the credential's parameter is taken out, so that the gateway's own is the only one.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

from gatehold.config.values import Secret
from policy.codes import Code
from policy.errors import Refusal

_SEPARATOR = re.compile(r"([&;])")
_IIS = re.compile(r"%u([0-9a-fA-F]{4})")
_ROUNDS = 4
"""More encodings than that on top of each other are decoded by nobody."""
_NOTHING = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\ufeff]+")
_JOINS = re.compile(r"[-. +]")
_ENDS = re.compile(r"[\[\]\x00]")


def with_parameters(path: str, parameters: Iterable[tuple[str, Secret]]) -> str:
    """The path with these parameters at its end, and no other ones of their names.

    All other bytes stay as they are. Raises ``Refusal`` for a path with a fragment, behind which no server looks.
    """
    given = tuple(parameters)
    if not given:
        return path
    if "#" in path:
        raise Refusal(Code.MALFORMED, "malformed request: the path holds a fragment")
    names = {folded(quote(name, safe="")) for name, _ in given}
    place, _, query = path.partition("?")
    kept = "".join(_without(query, names))
    own = "&".join(f"{quote(name, safe='')}={quote(value.reveal(), safe='')}" for name, value in given)
    return f"{place}?{kept}&{own}" if kept else f"{place}?{own}"


def folded_names(path: str) -> frozenset[str]:
    """The names of all parameters of a path, folded."""
    return frozenset(
        reading for piece in _SEPARATOR.split(path.partition("?")[2])[::2] for reading in _readings(_name(piece))
    )


def folded(name: str) -> str:
    """What two spellings of one name have in common, whoever reads them."""
    bare = _decoded(name).strip(" +\t?").lstrip("[]")  # Rack and qs: ``[name]`` is ``name``
    return _NOTHING.sub("", _ENDS.split(_JOINS.sub("_", bare), maxsplit=1)[0]).casefold()


def _readings(name: str) -> set[str]:
    """All that a name is folded to: to PHP ``api[key`` is ``api_key``, to others it is ``api``."""
    before, bracket, after = _decoded(name).partition("[")
    opened = {folded(f"{before}_{after}")} if bracket and "]" not in after else set()
    return {folded(name), *opened}


def _decoded(name: str) -> str:
    for _ in range(_ROUNDS):
        decoded = unquote(_IIS.sub(lambda code: chr(int(code[1], 16)), name), errors="replace")
        if decoded == name:
            break
        name = decoded
    return name


def _without(query: str, names: set[str]) -> Iterator[str]:
    pieces = _SEPARATOR.split(query)
    separators = ["", *pieces[1::2]]
    first = True
    for separator, piece in zip(separators, pieces[::2], strict=True):
        if not names.isdisjoint(_readings(_name(piece))):
            continue
        yield piece if first else separator + piece
        first = False


def _name(piece: str) -> str:
    return piece.partition("=")[0]
