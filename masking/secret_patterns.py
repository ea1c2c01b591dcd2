r"""Keys and tokens, by their form. Presidio knows none of them.

Precision comes first: a form is listed when its prefix, alphabet and length leave no doubt, or when the text itself
says what the value is (``password=``, ``Bearer``, ``user:...@host``), in which case only the value is the match
(``\K``). ``screen`` is a cheap superset by which most texts are passed over. ``accepts`` refuses placeholders.
"""

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

type Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPattern:
    """One form of one kind of secret; several may share an entity."""

    entity: str
    regex: str
    screen: str
    score: float = 0.9
    accepts: Check | None = None


_PLACEHOLDER = re.compile(
    r"(?i)\$.*|%.*%|\{\{.*|<.*>?|\[.*\]?|\(.*\)?|(?:x|\*|\.|-|_|#)+|-?10*(?:\.0*)?(?:e[+-]?\d+)?|.*(?:change[_-]?me|redacted|placeholder|your[_-]).*"
    r"|true|false|null|none|nil|undefined|string|str|bytes|required|optional|empty|yes|no|secret|password|token|example"
    r"|(?:is|was|has|not|must|should|will|for|and|the|with|from|in|to|of|or|a|an|invalid|incorrect|missing|expired"
    r"|accepted|rejected|failed|ok|authentication|reset)"
)


def _stated(value: str) -> bool:
    """A value that somebody wrote after ``password=``: anything but a placeholder or the next word of a sentence."""
    return not _PLACEHOLDER.fullmatch(value)


def _random(value: str) -> bool:
    """A value that looks generated: letters and digits mixed, hardly any repetition."""
    if len(value) < 8 or not _stated(value) or not (re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value)):
        return False
    counts = Counter(value).values()
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return entropy >= min(3.0, math.log2(len(value)) * 0.8)


def _credential(value: str) -> bool:
    """What follows ``Bearer`` or ``Basic``: generated, or base64 of mixed letters."""
    mixed = value != value.lower() and value != value.upper() and len(value) % 4 == 0
    return _random(value) or mixed


def _mixed_base64(value: str) -> bool:
    """Forty characters of base64 that are no hex digest and no path."""
    return _random(value) and value != value.lower() and value != value.upper() and value.count("/") < 4


def _is_jwt(value: str) -> bool:
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(header, dict) and ("alg" in header or "enc" in header)


_END = r"(?![A-Za-z0-9_-])"
_START = r"(?<![A-Za-z0-9])"
_TELLING = (
    r"(?:secret|token|(?:api|access|private|secret|account|auth|signing|encryption)[ _.-]?key|apikey|credentials?)"
)
_LOGIN_WORDS = r"(?:passwo?r?d|passwd|passphrase|pwd)"
_ASSIGNS = r"""["']?\s{0,3}(?:=>|:=|[:=])\s{0,3}"""
_QUOTED = r"""["']\K[^"'\n]{1,512}(?=["'])"""
_USERINFO = r"://[^\s/?#@:\"'<>]{0,128}:\K[^\s/?#\"'<>]{1,256}(?=@[A-Za-z0-9\[_-])"
PEM_BEGIN = r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
PEM_END = r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"

SECRET_PATTERNS: tuple[SecretPattern, ...] = (
    SecretPattern(
        entity="ANTHROPIC_KEY", regex=_START + r"sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{20,}+", screen="sk-ant-"
    ),
    SecretPattern(
        entity="OPENAI_KEY",
        regex=_START + r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}+",
        screen="sk-(?:proj|svcacct|admin|None)-",
    ),
    SecretPattern(
        entity="OPENAI_KEY", regex=_START + r"sk-[A-Za-z0-9]{48}" + _END, screen="sk-[A-Za-z0-9]{20}", accepts=_random
    ),
    SecretPattern(
        entity="AWS_KEY", regex=_START + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}" + _END, screen="A[KSBC][IC]A"
    ),
    SecretPattern(
        entity="AWS_KEY",
        regex=r"(?i:aws|secret_?access_?key)[\w .-]{0,24}" + _ASSIGNS + r"[\"']?\K[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        screen="[aA][wW][sS]|[aA][cC][cC][eE][sS][sS]",
        accepts=_mixed_base64,
    ),
    SecretPattern(entity="GCP_KEY", regex=_START + r"AIza[0-9A-Za-z_-]{35}" + _END, screen="AIza"),
    SecretPattern(entity="GCP_KEY", regex=_START + r"ya29\.[0-9A-Za-z_-]{20,}+", screen="ya29"),
    SecretPattern(entity="GCP_KEY", regex=_START + r"GOCSPX-[A-Za-z0-9_-]{28}" + _END, screen="GOCSPX-"),
    SecretPattern(
        entity="AZURE_KEY",
        regex=r"(?i:AccountKey|SharedAccessKey)=\K[A-Za-z0-9+/]{43,86}={1,2}",
        screen="[aA]ccount[kK]ey|[sS]hared[aA]ccess[kK]ey",
    ),
    SecretPattern(entity="AZURE_KEY", regex=r"[?&;]sig=\K[A-Za-z0-9%+/]{43,64}(?:=|%3[dD])", screen="sig="),
    SecretPattern(
        entity="AZURE_KEY", regex=r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}(?![\w~-])", screen="Q~"
    ),
    SecretPattern(entity="GITHUB_TOKEN", regex=_START + r"gh[pousr]_[A-Za-z0-9]{36,}+", screen="gh[pousr]_"),
    SecretPattern(
        entity="GITHUB_TOKEN",
        regex=_START + r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}" + _END,
        screen="github_pat_",
    ),
    SecretPattern(
        entity="GITLAB_TOKEN",
        regex=_START + r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,}+",
        screen="gl[a-z]{2,5}-",
    ),
    SecretPattern(entity="SLACK_TOKEN", regex=_START + r"xox[a-z]-[0-9A-Za-z-]{10,}+", screen="xox[a-z]-"),
    SecretPattern(entity="SLACK_TOKEN", regex=_START + r"xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{16,}+", screen="xapp-"),
    SecretPattern(
        entity="SLACK_TOKEN",
        regex=r"hooks\.slack\.com/(?:services|workflows|triggers)/\K[A-Za-z0-9/]{20,}+",
        screen="hooks[.]slack",
    ),
    SecretPattern(entity="STRIPE_KEY", regex=_START + r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}+", screen="[sr]k_"),
    SecretPattern(entity="STRIPE_KEY", regex=_START + r"whsec_[A-Za-z0-9+/]{24,}+={0,2}", screen="whsec_"),
    SecretPattern(entity="API_KEY", regex=_START + r"npm_[A-Za-z0-9]{36}" + _END, screen="npm_"),
    SecretPattern(entity="API_KEY", regex=_START + r"pypi-AgE[A-Za-z0-9_-]{50,}+", screen="pypi-AgE"),
    SecretPattern(entity="API_KEY", regex=_START + r"hf_[A-Za-z]{34}" + _END, screen="hf_"),
    SecretPattern(entity="API_KEY", regex=_START + r"do[opr]_v1_[a-f0-9]{64}" + _END, screen="do[opr]_v1_"),
    SecretPattern(entity="API_KEY", regex=_START + r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}" + _END, screen="SG[.]"),
    SecretPattern(entity="API_KEY", regex=_START + r"hv[sbr]\.[A-Za-z0-9_-]{24,}+", screen="hv[sbr][.]"),
    SecretPattern(entity="API_KEY", regex=r"AGE-SECRET-KEY-1[A-Z0-9]{58}", screen="AGE-SECRET"),
    SecretPattern(entity="API_KEY", regex=_START + r"dckr_pat_[A-Za-z0-9_-]{27}" + _END, screen="dckr_pat_"),
    SecretPattern(
        entity="JWT",
        regex=_START + r"eyJ[A-Za-z0-9_-]{8,2048}\.[A-Za-z0-9_-]{4,16384}\.[A-Za-z0-9_-]{0,2048}"
        r"(?:\.[A-Za-z0-9_-]{1,16384}\.[A-Za-z0-9_-]{1,128})?",
        screen="eyJ",
        accepts=_is_jwt,
    ),
    SecretPattern(
        entity="PRIVATE_KEY", regex=PEM_BEGIN + r"(?s:.*?)(?:" + PEM_END + r"|\Z)", screen="PRIVATE KEY", score=1.0
    ),
    SecretPattern(
        entity="BASIC_AUTH_URL", regex=_START + r"(?i:https?|wss?|ftps?|git)" + _USERINFO, screen="://", accepts=_stated
    ),
    SecretPattern(
        entity="CONNECTION_STRING",
        regex=_START + r"(?!(?i:https?|wss?|ftps?|git):)[A-Za-z][A-Za-z0-9+.-]{1,24}" + _USERINFO,
        screen="://",
        accepts=_stated,
    ),
    SecretPattern(
        entity="BEARER_TOKEN",
        regex=_START + r"(?i:bearer|basic)[ \t]{1,3}\K[A-Za-z0-9._~+/-]{12,8192}={0,2}",
        screen="[bB][eE][aA][rR][eE][rR]|[bB][aA][sS][iI][cC]",
        accepts=_credential,
        score=0.8,
    ),
    SecretPattern(
        entity="SECRET",
        regex=rf"(?i:{_LOGIN_WORDS}){_ASSIGNS}(?:{_QUOTED}|[\"']?\K[^\s\"'`,;&<>]{{2,511}}[^\s\"'`,;&<>)}}\]])",
        screen="[pP](?:[aA][sS][sS]|[wW][dD])",
        accepts=_stated,
        score=0.7,
    ),
    SecretPattern(
        entity="SECRET",
        regex=rf"(?i:{_TELLING}){_ASSIGNS}(?:{_QUOTED}|[\"']?\K[^\s\"'`,;&<>(){{}}\[\]]{{8,512}})",
        screen="[kK][eE][yY]|[sS][eE][cC][rR][eE][tT]|[tT][oO][kK][eE][nN]|[cC][rR][eE][dD]",
        accepts=_random,
        score=0.6,
    ),
)
SECRET_ENTITIES = frozenset(pattern.entity for pattern in SECRET_PATTERNS)
