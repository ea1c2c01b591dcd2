"""Whether digits, dialled somewhere, are a valid telephone number: libphonenumber's rules over its own metadata.

``phonenumbers.parse`` and ``is_valid_number`` build objects, read every pattern anew and cost some 30 microseconds for
each region; a text made of digits has thousands of candidates. The rules are few (E.164, and for each region its
international prefix, its national prefix and the patterns of its numbers) and stand here once more, compiled. Tests
hold them against the original. Digits are ASCII throughout.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumberutil import _formatting_rule_has_first_group_only as _prefix_is_free

from masking.number_starts import first_digits

_SHORTEST, _LONGEST = 2, 17
"""Digits of a national number."""
_LONGEST_CODE = 3
_REMEMBERED = 4096
_FEW_REGIONS = 3
"""Up to so many regions with one calling code are worth to be told apart before their numbers are looked at."""
_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip

_MOST_PREFIXES = 2
"""How often the national prefix is taken off: before the code of the country is looked for, and after it."""
_KEPT_AFTER_PREFIX = re.compile(r"\(\\d\{[0-9,]+\}\)(?=\)\?\Z)")
"""The number itself at the end of a prefix with the code of a carrier."""

type _Matches = Callable[[str], object]


def _never(_digits: str, /) -> object:
    return None


class Plan:
    """The numbering plan of one region, or of a calling code that belongs to none."""

    def __init__(self, metadata: Any) -> None:
        self.code: int = metadata.country_code
        self._prefix = _compiled(metadata.national_prefix_for_parsing)
        self._transform: str = metadata.national_prefix_transform_rule or ""
        self._international = _compiled(metadata.international_prefix)
        self._general = _fullmatch(metadata.general_desc.national_number_pattern)
        self.lengths = frozenset(metadata.general_desc.possible_length)
        self._local = frozenset(metadata.general_desc.possible_length_local_only)
        self._leading = _compiled(metadata.leading_digits)
        self.general = _described(metadata.general_desc)
        self.typed = _typed(metadata)
        self._typed = _fullmatch(self.typed)
        self.prefixed = _prefixed(metadata.number_format)
        self._prefixed = re.compile(self.prefixed).match
        self.telling = first_digits(metadata.national_prefix_for_parsing).union(
            first_digits(metadata.international_prefix), str(self.code)[0]
        )
        """With other first digits a number stands there as it is, without any prefix."""

    def international(self, digits: str) -> str | None:
        """What follows the prefix for calls abroad; None: it does not stand there."""
        match = self._international.match(digits) if self._international else None
        if match is None or digits.startswith("0", match.end()):
            return None
        return digits[match.end() :]

    def own(self, digits: str) -> str | None:
        """The national number in ``digits`` that begin with the code of this very plan; None: it does not."""
        code = str(self.code)
        if not digits.startswith(code):
            return None
        national, _ = self.without_prefix(digits[len(code) :])
        if not self._general(digits) and self._general(national):
            return national
        return national if self._is_too_long(digits) else None

    def without_prefix(self, digits: str) -> tuple[str, bool]:
        """``digits`` without the national prefix, and whether there was one to take off."""
        match = self._prefix.match(digits) if self._prefix and digits else None
        if match is None:
            return digits, False
        if self._transform and match.groups()[-1] is not None:
            rest = match.re.sub(self._transform, digits, count=1)
        else:
            rest = digits[match.end() :]
        if self._general(digits) and not self._general(rest):
            return digits, False
        return rest, True

    def national(self, digits: str) -> str:
        """The national number that is meant: without the prefix, where that leaves enough of it."""
        rest, _ = self.without_prefix(digits)
        possible = len(rest) not in self._local and (len(rest) in self.lengths or self._is_too_long(rest))
        return rest if possible else digits

    def leads(self, national: str) -> bool | None:
        """Whether ``national`` begins as numbers of this region do; None where that is not said."""
        return self._leading.match(national) is not None if self._leading else None

    def holds(self, national: str) -> bool:
        """Whether it is a valid number of some type."""
        return self._typed(national) is not None

    def wants_prefix(self, national: str) -> bool:
        """Whether it is always written with the national prefix."""
        return self._prefixed(national) is not None

    def _is_too_long(self, digits: str) -> bool:
        """Longer than any; the few lengths that count only within a town are not."""
        return len(digits) > max(self.lengths) and len(digits) not in self._local


@cache
def _plan(region: str, code: int) -> Plan:
    return Plan(PhoneMetadata.metadata_for_region_or_calling_code(code, region))


@cache
def home(region: str) -> Plan:
    """The plan of a region."""
    return _plan(region, phonenumbers.country_code_for_region(region))


@cache
def _plans(code: int) -> tuple[Plan, ...]:
    """The plans of the regions with this calling code, the main one first."""
    return tuple(_plan(region, code) for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code])


@cache
def _anywhere(code: int) -> str:
    """A superset of the national numbers under this calling code."""
    plans = _plans(code)
    forms = (each.typed if len(plans) <= _FEW_REGIONS else each.general for each in plans)
    lengths = _lengths({length for each in plans for length in each.lengths})
    return rf"(?={lengths}\Z)(?:{'|'.join(dict.fromkeys(filter(None, forms))) or '(?!)'})"


@cache
def _exists(code: int) -> _Matches:
    """Whether any region with this calling code has a number: a superset of ``is_valid`` where there are several."""
    return re.compile("|".join(dict.fromkeys(each.typed for each in _plans(code) if each.typed)) or "(?!)").fullmatch


def prefix(region: str) -> str:
    """What looks like the national prefix of ``region``."""
    metadata: Any = PhoneMetadata.metadata_for_region(region)
    return f"(?:{_uncaptured(metadata.national_prefix_for_parsing or '(?!)')})"


def form(region: str) -> str:
    """The digits that may be valid when dialled in ``region``: in most there is none, and no need to take them apart.

    They are those of a number without an extension; with one, digits that begin with what looks like the national
    prefix have to be asked about as well.
    """
    metadata: Any = PhoneMetadata.metadata_for_region(region)
    abroad = rf"(?:{_uncaptured(metadata.international_prefix or '(?!)')})(?!0)"
    dropped = _dropped(metadata)
    prefix = _uncaptured(dropped or metadata.national_prefix_for_parsing)
    there = _uncaptured(_anywhere(metadata.country_code))
    prefixed = rf"(?:{prefix}){{1,{_MOST_PREFIXES}}}(?:{there}{'' if dropped else r'|\d*'})"
    bare = rf"(?:(?={prefix})|(?!{_plans(metadata.country_code)[0].prefixed})){there}"
    return rf"(?:{abroad}|(?:{metadata.country_code}(?:{prefixed}|{there})|{prefixed}|{bare})\Z)"


def _dropped(metadata: Any) -> str | None:
    """What goes from the begin of a number with the national prefix; None: something else takes its place."""
    prefix: str = metadata.national_prefix_for_parsing or "(?!)"
    if not metadata.national_prefix_transform_rule:
        return prefix
    kept = _KEPT_AFTER_PREFIX.search(prefix)
    # What is kept begins there, and goes on with what follows.
    if kept is None or metadata.national_prefix_transform_rule != rf"\{re.compile(prefix).groups}":
        return None
    return prefix[: kept.start()] + prefix[kept.end() :]


@lru_cache(_REMEMBERED)
def is_valid(code: int, national: str) -> bool:
    """Whether the national number exists under this calling code."""
    plans = _plans(code)
    main = plans[0]
    if len(plans) == 1:
        return main.holds(national)
    if main.leads(national) is None and main.holds(national):
        return True
    if not _exists(code)(national):
        return False
    for here in plans:
        leads = here.leads(national)
        if leads:
            return here.holds(national)
        if leads is None and here.holds(national):
            return True
    return False


def calling_code(digits: str) -> tuple[int, str]:
    """The calling code that ``digits`` begin with (0: none), and the rest."""
    if not digits.startswith("0"):
        for length in range(1, min(len(digits), _LONGEST_CODE) + 1):
            code = int(digits[:length])
            if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
                return code, digits[length:]
    return 0, digits


@lru_cache(_REMEMBERED)
def valid_abroad(digits: str) -> bool | None:
    """Whether ``digits`` after a plus sign are a valid number; None: they begin with no calling code."""
    if len(digits) <= _SHORTEST:
        return False
    code, rest = calling_code(digits)
    return _is_number(code, rest) is not None if code else None


def valid_in(region: str, digits: str, written: str, *, plus: bool) -> bool:
    """Whether ``digits``, dialled in ``region``, are a valid number.

    ``written``: all digits of the text, those of an extension too. ``plus``: a plus sign stands before them, and what
    follows it is no calling code.
    """
    here = home(region)
    usual = _plans(here.code)[0]
    if digits[0] not in here.telling:
        bare = not plus and valid_bare(here.code, digits)
        return usual.without_prefix(written)[1] if bare is None else bare
    abroad = here.international(digits)
    if abroad is not None:
        return bool(valid_abroad(abroad))
    own = here.own(digits)
    if own is not None:
        return _is_number(here.code, own) is not None
    if plus:
        return False
    national = _is_number(here.code, digits, here)
    if national is None:
        return False
    return not usual.wants_prefix(national) or usual.without_prefix(written)[1]


@lru_cache(_REMEMBERED)
def valid_bare(code: int, digits: str) -> bool | None:
    """Whether ``digits`` without a prefix are valid where this calling code is; None: only if one is written."""
    if not (_SHORTEST <= len(digits) <= _LONGEST and is_valid(code, digits)):
        return False
    return None if _plans(code)[0].wants_prefix(digits) else True


def _is_number(code: int, digits: str, here: Plan | None = None) -> str | None:
    """The national number in what follows the calling code; None: there is none that is valid."""
    if len(digits) < _SHORTEST:
        return None
    if here is None:
        here = _plans(code)[0]
    national = here.national(digits)
    return national if _SHORTEST <= len(national) <= _LONGEST and is_valid(code, national) else None


def load() -> None:
    """Every plan of the world: some tenths of a second that no text has to wait for."""
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        if len(_plans(code)) > 1:
            _exists(code)


def _compiled(pattern: str | None) -> "re.Pattern[str] | None":
    return re.compile(pattern) if pattern else None


def _fullmatch(pattern: str | None) -> _Matches:
    return re.compile(pattern).fullmatch if pattern else _never


def _uncaptured(pattern: str) -> str:
    """The pattern without groups that remember: those of the metadata escape no bracket."""
    return re.sub(r"\((?!\?)", "(?:", pattern)


def _prefixed(formats: Sequence[Any]) -> str:
    """The national numbers whose format, the first that fits, wants the national prefix."""
    wanted: list[str] = []
    earlier = ""
    for each in formats:
        leading = f"(?={_uncaptured(each.leading_digits_pattern[-1])})" if each.leading_digits_pattern else ""
        fits = rf"{leading}(?:{_uncaptured(each.pattern)})\Z"
        rule = each.national_prefix_formatting_rule
        if rule and not each.national_prefix_optional_when_formatting and not _prefix_is_free(rule):
            wanted.append(earlier + fits)
        else:
            earlier += f"(?!{fits})"
    return f"(?:{'|'.join(wanted) or '(?!)'})"


def _typed(metadata: Any) -> str | None:
    """The numbers of all types, which have to be of the general form as well."""
    general = _described(metadata.general_desc)
    types = [*filter(None, (_described(getattr(metadata, name)) for name in _TYPES if _counts(metadata, name)))]
    return rf"(?={general}\Z)(?:{'|'.join(types)})" if general and types else None


def _counts(metadata: Any, name: str) -> bool:
    return name != "mobile" or not metadata.same_mobile_and_fixed_line_pattern


def _described(description: Any) -> str | None:
    if description is None or not description.national_number_pattern:
        return None
    if not description.possible_length:
        return f"(?:{description.national_number_pattern})"
    lengths = _lengths(length for length in description.possible_length if length > 0)
    return rf"(?:(?={lengths}\Z)(?:{description.national_number_pattern}))"


def _lengths(lengths: Iterable[int]) -> str:
    """So many digits."""
    wanted = sorted(set(lengths))
    ranges = [f"{one}" for one in wanted]
    if wanted and wanted == [*range(wanted[0], wanted[-1] + 1)]:
        ranges = [f"{wanted[0]},{wanted[-1]}"]
    return f"(?:{'|'.join(f'[0-9]{{{each}}}' for each in ranges) or '(?!)'})"
