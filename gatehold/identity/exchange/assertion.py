"""What a signed assertion says (SAML 2.0 Core; RFC 7522, section 3): who it is about, for whom it is, and for how long.

Pure. Times are Unix seconds; ends have no leeway, beginnings up to ``LEEWAY``, for clocks that differ. Everything that
restricts an assertion is understood or refuses it: conditions of other kinds, confirmation other than by bearer, a name
that only another party can read. What stands twice where one is expected refuses it, too: readers differ on which one
counts.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from gatehold.identity.claims import LEEWAY
from gatehold.identity.exchange.signature import SAML
from gatehold.identity.exchange.wrong import Wrong, wrong

LONGEST_TEXT: Final = 1024
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

_FORMATS: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_ENTITY: Final = f"{_FORMATS}entity"
_PASSING: Final = frozenset({f"{_FORMATS}transient", f"{_FORMATS}encrypted"})
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_STATEMENTS: Final = frozenset({"AuthnStatement", "AttributeStatement"})
_CONFIRMED: Final = frozenset({"Recipient", "NotOnOrAfter", "NotBefore"})

type Attributes = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an assertion has to say to be for this gateway."""

    issuer: str
    audience: str
    recipient: str
    max_age: float
    """Seconds since it was issued."""
    names_subject: bool
    """Whether an attribute names the agent, so that its NameID may be one for a single session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What it says."""

    id: str
    name: str
    """The NameID."""
    attributes: Attributes = field(repr=False)
    """Each with its value, or its values where it has several."""
    session: str | None
    """``SessionIndex``."""
    issued: float
    ends: float
    """When nothing of it counts any more."""
    shown_until: float
    """When it may not be shown any more."""


def read(root: etree._Element, expected: Expected, *, now: float) -> Assertion:
    """``root`` is what was signed. Raises Refusal."""
    if root.get("Version") != "2.0" or not {str(name) for name in root.attrib} <= {"ID", "Version", "IssueInstant"}:
        raise wrong(Wrong.SHAPE)
    parts = [_name(child) for child in root]
    if parts[:3] != ["Issuer", "Subject", "Conditions"] or not set(parts[3:]) <= _STATEMENTS:
        raise wrong(Wrong.SHAPE)
    if any(parts.count(each) > 1 for each in _STATEMENTS):
        raise wrong(Wrong.SHAPE)
    _check_issuer(root[0], expected)
    issued = _moment(root, "IssueInstant")
    if issued > now + LEEWAY:
        raise wrong(Wrong.NOT_YET_VALID)
    if now >= issued + expected.max_age:
        raise wrong(Wrong.TOO_OLD)
    ends = _conditions(root[2], expected, now)
    confirmed = _confirmed(root[1], expected, now)
    session, session_ends = _session(root.find(f"{SAML}AuthnStatement"), now)
    return Assertion(
        id=str(root.get("ID")),
        name=_subject(root[1], expected),
        attributes=_attributes(root.find(f"{SAML}AttributeStatement")),
        session=session,
        issued=issued,
        ends=min(ends, session_ends),
        shown_until=min(ends, session_ends, confirmed, issued + expected.max_age),
    )


def _check_issuer(issuer: etree._Element, expected: Expected) -> None:
    if issuer.get("Format") not in (None, _ENTITY) or _text(issuer, Wrong.SHAPE) != expected.issuer:
        raise wrong(Wrong.UNKNOWN_ISSUER)


def _conditions(conditions: etree._Element, expected: Expected, now: float) -> float:
    """When they end."""
    kinds = [_name(child) for child in conditions]
    if not set(kinds) <= {"AudienceRestriction", "OneTimeUse"} or "AudienceRestriction" not in kinds:
        raise wrong(Wrong.WRONG_AUDIENCE if "AudienceRestriction" not in kinds else Wrong.SHAPE)
    for restriction in conditions.iterchildren(f"{SAML}AudienceRestriction"):
        if {_name(child) for child in restriction} != {"Audience"}:
            raise wrong(Wrong.SHAPE)
        if expected.audience not in [_text(audience, Wrong.SHAPE) for audience in restriction]:
            raise wrong(Wrong.WRONG_AUDIENCE)
    ends = _moment(conditions, "NotOnOrAfter")
    _check_window(conditions, ends, now)
    return ends


def _confirmed(subject: etree._Element, expected: Expected, now: float) -> float:
    """Until when the one who shows it is believed to be the one whom it is about."""
    if [_name(child) for child in subject] != ["NameID", "SubjectConfirmation"]:
        raise wrong(Wrong.SUBJECT)
    confirmation = subject[1]
    if confirmation.get("Method") != BEARER or [_name(each) for each in confirmation] != ["SubjectConfirmationData"]:
        raise wrong(Wrong.SUBJECT)
    data = confirmation[0]
    # `InResponseTo` answers a request, and this gateway makes none; `Address` and keys are for others to compare.
    if len(data) or not {str(name) for name in data.attrib} <= _CONFIRMED:
        raise wrong(Wrong.SUBJECT)
    if data.get("Recipient") != expected.recipient:
        raise wrong(Wrong.WRONG_RECIPIENT)
    ends = _moment(data, "NotOnOrAfter")
    _check_window(data, ends, now)
    return ends


def _subject(subject: etree._Element, expected: Expected) -> str:
    name_id = subject[0]
    if name_id.get("Format") in _PASSING and not expected.names_subject:
        raise wrong(Wrong.SUBJECT)
    if name_id.get("NameQualifier") not in (None, expected.issuer):
        raise wrong(Wrong.SUBJECT)
    if name_id.get("SPNameQualifier") not in (None, expected.audience):
        raise wrong(Wrong.SUBJECT)
    return _text(name_id, Wrong.SUBJECT)


def _session(statement: etree._Element | None, now: float) -> tuple[str | None, float]:
    """The index of the session and its end."""
    if statement is None:
        return None, float("inf")
    ends = float("inf")
    if "SessionNotOnOrAfter" in statement.attrib:
        ends = _moment(statement, "SessionNotOnOrAfter")
        if now >= ends:
            raise wrong(Wrong.EXPIRED)
    index = statement.get("SessionIndex")
    if index is not None and not (0 < len(index) <= LONGEST_TEXT and index.isprintable()):
        raise wrong(Wrong.SHAPE)
    return index, ends


def _attributes(statement: etree._Element | None) -> Attributes:
    found: Attributes = {}
    for attribute in statement if statement is not None else ():
        name = attribute.get("Name")
        values = [_value(value) for value in attribute]
        if _name(attribute) != "Attribute" or not name or name in found or len(name) > LONGEST_TEXT:
            raise wrong(Wrong.ATTRIBUTES)
        found[name] = values[0] if len(values) == 1 else values
    return found


def _value(value: etree._Element) -> str:
    if _name(value) != "AttributeValue" or len(value):
        raise wrong(Wrong.ATTRIBUTES)
    return value.text or ""


def _check_window(element: etree._Element, ends: float, now: float) -> None:
    if "NotBefore" in element.attrib and _moment(element, "NotBefore") > now + LEEWAY:
        raise wrong(Wrong.NOT_YET_VALID)
    if now >= ends:
        raise wrong(Wrong.EXPIRED)


def _moment(element: etree._Element, name: str) -> float:
    """A time of SAML, which is always UTC (Core, 1.3.3)."""
    text = element.get(name)
    if text is None or not text.isascii() or not _MOMENT.fullmatch(text):
        raise wrong(Wrong.SHAPE)
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise wrong(Wrong.SHAPE) from None


def _text(element: etree._Element, otherwise: Wrong) -> str:
    text = element.text
    if len(element) or not text or len(text) > LONGEST_TEXT or not text.isprintable() or text != text.strip():
        raise wrong(otherwise)
    return text


def _name(element: etree._Element) -> str:
    """Local name of an element of SAML; anything else as it is."""
    return str(element.tag).removeprefix(SAML)
