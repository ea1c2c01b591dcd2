r"""Secrets whose structure gives them away: signed tokens, key blocks, password hashes, logins in URLs."""

from masking.secrets import checks
from masking.secrets.forms import START, SecretPattern

_WORDS = r"(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?"
PEM_BEGIN = (
    rf"(?:-----BEGIN {_WORDS}-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----|PuTTY-User-Key-File-[0-9]{{1,2}}:)"
)
"""What a private key in text begins with (RFC 7468, RFC 4880, PuTTY)."""
PEM_END = (
    rf"(?:-----END {_WORDS}-----|---- END SSH2 ENCRYPTED PRIVATE KEY ----|Private-(?:MAC|Hash): [0-9a-f]{{40,64}})"
)
"""And what it ends with."""
_BODY = r"[^-]*+(?:-(?!---[- ](?:BEGIN|END) |MAC: |Hash: )[^-]*+)*+"
_CLOSED = (
    rf"(?:-----END {_WORDS}-----|---- END SSH2 ENCRYPTED PRIVATE KEY ----|(?<=Private)-(?:MAC|Hash): [0-9a-f]{{40,64}})"
)
_TORN = (
    r"(?=[ \t]*(?:[\r\n]|\\+[rn]|\Z)|[ \t](?:ssh|ecdsa)-"
    rf"|[ \t\"'+,]{{0,8}}(?:(?:M[A-I]|b3Bl|l[QI]|x[cY])[A-Za-z0-9+/]{{2}}|[A-Za-z0-9+/]{{16}}|{PEM_BEGIN}))"
)
"""Without an end it is taken for a key if a line ends behind the marker, or base64, or another marker, follows."""

_B64 = r"[./A-Za-z0-9]"
_DOLLAR = r"\${1,2}"
_USERINFO = r"://[^\s/?#@:\"'<>]{0,128}:\K[^\s/?#\"'<>]{1,256}(?=@[A-Za-z0-9\[_-])"
_USERINFO_SCREEN = r"://[^\s/?#@:\"'<>]*:[^\s/?#\"'<>]+@"

STRUCTURES: tuple[SecretPattern, ...] = (
    SecretPattern(
        entity="JWT",
        form="three or five parts in base64url, the first a header with alg or enc",
        regex=r"(?:(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=\[[0-9;]{0,12}m))eyJ[A-Za-z0-9_-]{8,8192}+"
        r"|(?<=[_-])eyJ[A-Za-z0-9_-]{8,512}+)\.[A-Za-z0-9_-]{4,16384}+\.[A-Za-z0-9_-]{0,2048}"
        r"(?:\.[A-Za-z0-9_-]{1,16384}+\.[A-Za-z0-9_-]{1,128})?",
        screen="eyJ[A-Za-z0-9_-]{8}",
        accepts=checks.jwt,
    ),
    SecretPattern(
        entity="PRIVATE_KEY",
        form="PEM, OpenSSH, PGP, SSH2 and PuTTY blocks, to their end; one without an end, to the end of the text",
        regex=rf"{PEM_BEGIN}(?:{_BODY}{_CLOSED}|{_TORN}{_BODY})",
        screen="PRIVATE KEY|PuTTY-User-Key",
        score=1.0,
        accepts=checks.private_key,
    ),
    SecretPattern(
        entity="PRIVATE_KEY",
        form="age: AGE-SECRET-KEY-1 and 58",
        regex=r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
        screen="AGE-SECRET-KEY-1",
    ),
    SecretPattern(
        entity="PASSWORD_HASH",
        form="bcrypt: $2y$10$...",
        regex=rf"{_DOLLAR}2[abxy]{_DOLLAR}[0-9]{{2}}{_DOLLAR}{_B64}{{53}}",
        screen="2[abxy][$]+[0-9]{2}[$]",
    ),
    SecretPattern(
        entity="PASSWORD_HASH",
        form="crypt: $1$, $apr1$, $5$, $6$, $y$, $7$, $gy$",
        regex=rf"{_DOLLAR}(?:1|apr1|5|6|y|gy|7){_DOLLAR}(?:rounds=[0-9]{{1,9}}{_DOLLAR}|[./A-Za-z0-9]{{1,12}}{_DOLLAR})?"
        rf"{_B64}{{1,86}}{_DOLLAR}{_B64}{{22,86}}",
        screen="[$](?:1|apr1|5|6|y|gy|7)[$]",
    ),
    SecretPattern(
        entity="PASSWORD_HASH",
        form="argon2, scrypt: $argon2id$v=19$...",
        regex=rf"{_DOLLAR}(?:argon2(?:id|i|d)|scrypt){_DOLLAR}(?:v=[0-9]{{1,3}}{_DOLLAR})?[a-z]{{1,2}}=[a-z0-9=,]{{1,40}}{_DOLLAR}"
        rf"[A-Za-z0-9+/]{{8,128}}{_DOLLAR}[A-Za-z0-9+/]{{16,256}}",
        screen="argon2|scrypt",
    ),
    SecretPattern(
        entity="PASSWORD_HASH",
        form="pbkdf2_sha256$..., {SSHA}..., $P$...",
        regex=START + r"(?:pbkdf2_sha(?:1|256|512)\$[0-9]{1,8}\$[A-Za-z0-9+/=]{1,64}\$[A-Za-z0-9+/]{20,128}={0,2}"
        r"|\{S?SHA(?:256|384|512)?\}[A-Za-z0-9+/]{27,150}={0,2}|\$[PH]\$[./A-Za-z0-9]{31}(?![./A-Za-z0-9]))",
        screen=r"pbkdf2_sha|\{S?SHA|[$][PH][$]",
    ),
    SecretPattern(
        entity="BASIC_AUTH_URL",
        form="the password of https://user:password@host",
        regex=START + r"(?i:https?|wss?|ftps?|git)" + _USERINFO,
        screen=_USERINFO_SCREEN,
        accepts=checks.stated,
    ),
    SecretPattern(
        entity="CONNECTION_STRING",
        form="the password of any other scheme://user:password@host: databases, queues, caches, mail",
        regex=START + r"(?!(?i:https?|wss?|ftps?|git):)[A-Za-z][A-Za-z0-9+.-]{1,24}" + _USERINFO,
        screen=_USERINFO_SCREEN,
        accepts=checks.stated,
    ),
    SecretPattern(
        entity="CONNECTION_STRING",
        form="the password of jdbc:oracle:thin:user/password@host",
        regex=r"jdbc:oracle:(?:thin|oci):[^\s/@\"']{1,64}/\K[^\s@/\"'<>]{1,128}(?=@)",
        screen="jdbc:oracle:",
        accepts=checks.stated,
    ),
    SecretPattern(
        entity="CONNECTION_STRING",
        form="the password of a line of .pgpass, host:port:database:user:password",
        regex=r"(?m)^[^\s:#]{1,253}:(?:54[0-9]{2}|6432|\*):[^\s:]{1,63}:[^\s:]{1,63}:\K[^\s]{1,256}$",
        screen=r":(?:54[0-9]{2}|6432|\*):[^\s:]+:[^\s:]+:",
        accepts=checks.stated,
    ),
)
