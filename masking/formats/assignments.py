"""Values that a text gives a name: ``password: x`` in YAML, ``password=x`` in a log, an INI or environment file.

Precision comes first, since texts are also prose: at the start of a line a name owns the rest of it, elsewhere only
``name=value`` without spaces counts; placeholders, references to variables and the words of a sentence stay.
"""

import re
from collections.abc import Iterator

from masking.edits import Edit, shift
from masking.formats.segments import hidden
from masking.judging import whole
from masking.numbers import hide_number
from masking.plan import Plan
from masking.profiles.spec import KeySpec
from masking.secrets import checks

_LINE = re.compile(
    r"""(?P<indent>[ \t]*+(?:-[ \t]++)*+)
        (?:(?:export|set|declare|local|ENV|ARG)[ \t]++)?+
        (?P<quote>["']?+)(?P<name>[A-Za-z_][\w.-]{0,127}+)(?P=quote)
        [ \t]*+(?P<mark>:(?=[ \t\r]|\Z)|=(?![=~]))[ \t]*+
        (?P<value>[^\r]*+)""",
    re.VERBOSE,
)
_INLINE = re.compile(
    r"""(?<![\w.$-])(?P<name>[A-Za-z_][\w.-]{0,127}+)=(?:"(?P<double>[^"\n]++)"|'(?P<single>[^'\n]++)'|(?P<bare>[^\s&;,"'<>()\[\]{}=]++))"""
)
_ITEM = re.compile(r"(?P<indent>[ \t]*+)-[ \t]++(?P<value>[^\r]*+)")
_BLOCK = re.compile(r"[|>][-+0-9]*(?:\s+#.*)?")
_COMMENT = re.compile(r"\s+#.*\Z")
_QUOTED = re.compile(r"""(?:"((?:[^"\\]|\\.)*+)"|'((?:[^']|'')*+)')\s*(?:[,;}\])#]|\Z)""")
_NUMBER = re.compile(r"(-?[0-9][0-9.eE+-]*+)\s*[,}\]]*")
_PLAIN = re.compile(
    r"(?i)(?:true|false|null|none|nil|~|yes|no|undefined|\*+|x{3,}|<[^<>]*>|\$\w+|\$?\{.*\}|\$\(.*\)|%\w+%|\[\]|[&*!]\w+)"
)
_PROSE = re.compile(
    r"(?i)(?:is|are|was|has|have|not|must|should|will|can|cannot|may|for|and|the|with|from|in|to|of|or|an?|on|by|at|no"
    r"|invalid|incorrect|missing|expired|required|failed|accepted|rejected|see|please|enter|your|this|that|it)\s.*"
)
_COMMAND = re.compile(r"[A-Z][A-Z0-9_]*=[^\s\"']+\s+\S.*")
"""A command of a shell behind the variables that it gets."""
_CALLED = re.compile(r"[A-Za-z_.]+")
_CODE = re.compile(r"[\w.]+[(\[].*|.*[;{]\s*\Z|(?:self|this|await|new|lambda)\b.*")


class AssignmentMasker:
    """Masks named values in texts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def edits(self, text: str, *, commands: bool = False) -> Iterator[Edit]:
        """What is to be replaced in ``text`` for its name, possibly overlapping.

        ``commands``: a text of one line may be a command, of which ``NAME=value`` at the start is only the start.
        """
        if not self._plan.keys or ("=" not in text and ":" not in text):
            return
        for match in _INLINE.finditer(text):
            rule = self._plan.keys.find(match["name"])
            group = match.lastgroup or ""
            if rule and counts(match["name"], match[group], rule) and not _is_called(match, text):
                yield from self._hidden(match[group], match.start(group), rule)
        if not (commands and _COMMAND.fullmatch(text)):
            yield from self._lines(text)

    def _lines(self, text: str) -> Iterator[Edit]:
        """The lines that begin with a name; what is indented below it belongs to it."""
        position, below, inner = 0, -1, None
        pair = ""
        for line in text.split("\n"):
            at, position = position, position + len(line) + 1
            if inner is not None and line.strip():
                depth = _depth(line)
                if depth > below or (depth == below and _ITEM.match(line)):
                    yield from self._below(line, at, inner)
                    continue
                inner = None
            match = _LINE.fullmatch(line.rstrip("\r"))
            if match is None:
                continue
            name, value = match["name"], match["value"]
            rule = self._plan.keys.find(name)
            if rule is None and pair and name == "value":
                rule = self._plan.keys.find(pair)
            pair = _unquoted(value)[1] if self._plan.pairs and name in {"name", "key"} else ""
            if rule is None:
                continue
            if match["mark"] == ":" and (not value.strip() or _BLOCK.fullmatch(value.strip())):
                below, inner = len(match["indent"]), (rule, bool(value.strip()))
            elif match["quote"] == '"' and value[:1] != '"':
                yield from _in_json(value, at + match.start("value"), rule)
            elif counts(name, _unquoted(value)[1], rule):
                start, known = _unquoted(value)
                yield from self._hidden(known, at + match.start("value") + start, rule)

    def _below(self, line: str, at: int, inner: tuple[KeySpec, bool]) -> Iterator[Edit]:
        """What is to be hidden of a line that stands below a name: all of a block, items, members if it is deep."""
        rule, block = inner
        if block:
            yield from self._hidden(line, at, rule)
            return
        for pattern in (_LINE, _ITEM) if rule.deep else (_ITEM,):
            match = pattern.fullmatch(line.rstrip("\r"))
            if match and (pattern is _LINE or not _LINE.fullmatch(line.rstrip("\r"))):
                start, known = _unquoted(match["value"])
                yield from self._hidden(known, at + match.start("value") + start, rule)
                return

    def _hidden(self, value: str, at: int, rule: KeySpec) -> Iterator[Edit]:
        if not _PLAIN.fullmatch(value.strip()):
            yield from (shift(edit, at) for edit in hidden(value, rule, self._plan))


def _in_json(value: str, at: int, rule: KeySpec) -> Iterator[Edit]:
    """A line of JSON that is torn out of it: numbers stay numbers, all else is strings on lines of their own."""
    number = _NUMBER.fullmatch(value)
    if number and hide_number(number[1]) != number[1]:
        yield shift(whole(rule.entity, number[1], hide_number(number[1]), rule.treatment), at)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _unquoted(value: str) -> tuple[int, str]:
    """Where a value begins, and the value: without its quotes, else without the comment after it."""
    match = _QUOTED.match(value)
    return (1, match[match.lastindex or 1]) if match else (0, _COMMENT.sub("", value))


def counts(name: str, value: str, rule: KeySpec) -> bool:
    """Whether what follows a name is a value, and no prose, code or placeholder."""
    known = value.strip()
    if rule.entity == "SECRET" and not checks.named(name, known):
        return False
    return not (_PLAIN.fullmatch(known) or _PROSE.match(known) or _CODE.fullmatch(known) or _is_path(name, known))


def _is_called(match: re.Match[str], text: str) -> bool:
    """Whether the value is the result of a function: ``password=getpass.getpass()``."""
    bare: str | None = match["bare"]
    return bare is not None and text[match.end() : match.end() + 1] == "(" and _CALLED.fullmatch(bare) is not None


def _is_path(name: str, value: str) -> bool:
    """The working directory of a shell, whose name reads like a password's."""
    return name in {"PWD", "OLDPWD"} and value.startswith("/")
