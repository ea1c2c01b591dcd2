"""What tells a secret from what stands in its place: placeholders, names, code and sentences."""

import base64
import json
import math
import re
from collections import Counter

_TELLING = r"(?:pass(?:wo?r?d|wd|phrase)?|pwd|secret|token|key|cred(?:ential)?s?|auth)"
_LONGEST_PLACEHOLDER = 200
_FILLED_IN = re.compile(
    r"(?is)"
    # By a template, a shell or a vault.
    r"\$\{.*|\$\(.*|\$\[.*|\$\$?[a-z_]\w*|%[^%]*%|%[a-z]|%\(.*|\{.*|#\{.*|<.*|\[.*|\(.*|@[\w.]+\(.*"
    r"|!(?:vault|secret|ref|sub|env|include\w*|unsafe|getatt)\b.*"
    r"|(?:arn|vault|op|ref\+\w+|secret|secretref|env|file|ssm|keyvault)[:/].*|[0-9]+ bytes"
    # By people.
    r"|(?:[\s*.#+,:;()\[\]|=_$-]|\u2022|\u2026)+|x{2,}|xxx.*"
    r"|.*(?:change[_-]?(?:me|it)|redacted|placeholder|replace[_-]?me|_here|-here).*"
    r"|.*(?<![a-z])(?:your|insert|example)[_ -].*|.*[_ -]example|.*\.\.\.|null|none|nil|undefined|nan|n/a|tbd|todo"
    r"|dummy|hidden|masked|sensitive|unset|empty|default|example|true|false|yes|no|on|off|-?10*(?:\.0*)?(?:e[+-]?\d+)?"
    # A type.
    r"|(?:\*|&|\[\])?(?:string|str|bytes?|char|text|bool(?:ean)?|int(?:eger)?|any|object|unknown|never|void|unicode|buffer|var|val"
    r"|let|const)"
    r"(?:[|?\[!=)].*)?|(?:optional|secretstr|option|n?varchar)[\[(<].*"
)
_CODE = re.compile(
    r"(?is)"
    r"(?:self|this|import|process|os|config|settings|env|secrets?|vars?|local|module|data|each|args?|opts?|options|req|request"
    r"|res|response|ctx|context|params?|input|user|creds?|conf|cfg|props|form|state|event|values|inputs|steps|github)"
    r"(?:\.|->|\?\.|\[|::).*|[a-z_][\w.]*\(.*|[a-z_]\w*\[.*|[a-z_][\w.]*\." + _TELLING + r"\w*(?:\W.*)?"
    r"|[a-z_][\w.]*(?:\[.*\])? (?:=|\|) .*|&\w+\{.*"
    r"|await|async|new|func(?:tion)?|lambda|return|type|class|def"
)
_SENTENCE = re.compile(
    r"(?i)(?:required|optional|is|was|are|has|have|had|not|must|should|shall|will|would|can|cannot|may|might|for|and|the"
    r"|with|from|in|into|to|of|or|a|an|as|at|by|be|been|if|it|its|that|this|when|where|which|who|you|your|we|do|does|did"
    r"|invalid|incorrect|missing|expired|revoked|wrong|accepted|rejected|denied|failed|failure|ok|success|valid|verified"
    r"|authentication|authorization|reset|set|sent|found|stored|used|using|via|provided|given|generated|rotated|removed"
    r"|added|updated|changed|created|deleted|encrypted|hashed|protected|fields?|file|hash|policy|prompt|length"
    r"|confirmation|enter|see|use|please|error|expected|unexpected|got|" + _TELLING + r"\d?)[.:!?]?"
)
_TYPE = re.compile(
    r"[\w.]*[a-z0-9](?:Key|Token|Secret|Password|Credential)s?(?:Types?|Str|Bytes)?|_?[A-Z][A-Za-z]*(?:Type|Str|Bytes|Buffer|Mgr)"
    r"|V[0-9]\w*(?:Secret|Token)[A-Za-z]*|(?i:[\w.-]*[._]" + _TELLING + r")"
)
_IDENTIFIER = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)+|[a-z]+(?:[A-Z][a-z]+)+")
_MESSAGE = re.compile(
    r"(?is)(?=\S+ ).*\b(?:is|are|must|should|has|have|cannot|can't|required|expired|invalid|incorrect|please|enter"
    r"|expected)\b.*"
)
_SAYS = re.compile(_TELLING, re.IGNORECASE)
_LOGIN = re.compile(r"(?:passwo?r?d|passwd|passphrase|pwd)\W*\Z", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)+")
_CONSTANT = re.compile(r"[A-Z]{3,}(?:_[A-Z]+)*_[A-Z0-9]{1,8}")
_WORD = re.compile(r"[a-z]*[g-z][a-z]*")
_PATH = re.compile(r"(?:~|\.{1,2})?(?:/[A-Za-z0-9_.-]+)+/?|[a-z][a-z0-9_.-]*(?:/[a-z0-9_.-]+){2,}")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^?@]*", re.IGNORECASE)


def stated(value: str) -> bool:
    """A value that somebody wrote after ``password=``: no placeholder, no code, no next word of a sentence."""
    if len(value) > _LONGEST_PLACEHOLDER:
        return not value.startswith(("${", "$(", "{{", "<"))
    named = _IDENTIFIER.fullmatch(value) and _SAYS.search(value)
    return not (named or any(pattern.fullmatch(value) for pattern in (_FILLED_IN, _CODE, _TYPE, _SENTENCE, _MESSAGE)))


def random(value: str) -> bool:
    """A value that looks generated: letters and digits mixed, hardly any repetition, no name and no path."""
    if len(value) < 8 or not stated(value) or not (re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value)):
        return False
    if _refers(value):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= min(3.0, math.log2(len(value)) * 0.8)


def _is_name(value: str) -> bool:
    """The name of an object or a host: words, with at most short suffixes (RFC 1123)."""
    parts = re.split(r"[-.]", value)
    short = len(value) <= 253 and all(len(part) <= 12 for part in parts)
    return short and _NAME.fullmatch(value) is not None and any(len(p) > 2 and _WORD.fullmatch(p) for p in parts)


def named(name: str, value: str) -> bool:
    """Whether what a text writes beside a telling name is a secret, and not the name or place of one.

    Beside ``password`` it is anything that somebody stated. ``secret``, ``token`` and ``key`` refer to objects, files
    and addresses as often as they hold a value.
    """
    return stated(value) and (_LOGIN.search(name) is not None or not _refers(value))


def _refers(value: str) -> bool:
    forms = (_PATH, _ADDRESS, _CONSTANT)
    return any(form.fullmatch(value) for form in forms) or _is_name(value)


def credential(value: str) -> bool:
    """What follows ``Bearer``: generated, or base64 of mixed letters."""
    mixed = value != value.lower() and value != value.upper() and len(value) % 4 == 0 and not value.isalpha()
    return random(value) or mixed


def mixed(value: str) -> bool:
    """Small and capital letters and digits: no word, no hex digest."""
    return random(value) and value != value.lower() and value != value.upper()


def mixed_base64(value: str) -> bool:
    """Forty characters of base64 that are no hex digest and no path."""
    return mixed(value) and value.count("/") < 4


def login(value: str) -> bool:
    """Base64 of ``user:password`` (RFC 7617)."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode()
    except ValueError:
        return False
    user, colon, password = text.partition(":")
    return bool(colon and password) and text.isprintable() and " " not in user and stated(password)


def jwt(value: str) -> bool:
    """The first part is the header of a signed or encrypted token (RFC 7515, 7516)."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and ("alg" in header or "enc" in header)


def snowflake(value: str) -> bool:
    """The first part is base64 of a Discord id, a decimal number."""
    head = value.partition(".")[0]
    try:
        return base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).isdigit()
    except ValueError:
        return False


_PEM_END = re.compile(r"(?:-----END [A-Z0-9 ]+-----|---- END [A-Z0-9 ]+ ----)\Z")


def private_key(value: str) -> bool:
    """A block with something in it; one without an end is torn, and counts."""
    closing = _PEM_END.search(value)
    if closing is None:
        return True
    inside = value[value.index("KEY") + 3 : closing.start()]
    return len(re.findall(r"[A-Za-z0-9+/]", inside)) >= 4


def various(value: str) -> bool:
    """Not the filler of an example: ``ghp_xxxxxxxx``, ``key-00000000``."""
    return len(set(value[-20:])) > 3


def cookies(value: str) -> bool:
    """A cookie header with a value that could open something."""
    return any(random(part.partition("=")[2].strip()) for part in value.split(";"))
