"""What stands in the place of a secret is told from one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.secrets import checks

STATED = [
    "hunter2",
    "S3cr3t!",
    "correct horse battery",
    "tr0ub4dor&3",
    "x",
    "abc",
    "Yukon900",
    "p@ss w0rd",
    "changed1",
    "toor",
    "admin",
]
PLACEHOLDERS = [
    "${DB_PASSWORD}", "$PASSWORD", "$(cat token)", "{{ .Values.password }}", "%PASSWORD%", "<your password>", "[redacted]",
    "****", "xxxx", "...", "sk-...", "changeme", "CHANGE_ME", "your-token", "my-example", "null", "None", "true", "10 bytes",
    "string", "str", "Optional[str]", "*string", "SecretStr", "string | null", "str = field()", "ed25519.Ed25519PrivateKey",
    "settings.PASSWORD", "os.environ[", "process.env.X", "getpass.getpass()", "await", "self.token", "n.password||r", "&Token{",
    "required", "expired", "must be long", "Password is required", "password", "token1", "db_password", "newPassword", "is",
    "op://vault/item", "arn:aws:secretsmanager:x", "!vault |", "@Microsoft.KeyVault(x)", "vault:secret/data/x#y", "{password!r",
]  # fmt: skip
GENERATED = [
    "a1b2c3d4e5f6g7h8",
    "0123456789abcdef0123456789abcdef",
    "Zx81Kq93Lm27Pt55",
    "11d1a2b3-c4d5-4e6f-8a9b-0c1d2e3f4a5b",
]
REFERENCES = [
    "db-credentials",
    "web-tls-7f9c2",
    "/etc/secrets/db-1.json",
    "https://x.example/token2",
    "projects/a/secrets/b2",
    "TEST_DATA_64",
]


@pytest.mark.parametrize("value", STATED)
def test_what_somebody_chose_is_stated(value: str) -> None:
    """However weak it is."""
    assert checks.stated(value)


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_placeholders_code_and_sentences_are_not(value: str) -> None:
    """Nor are they generated, or secret beside any name."""
    assert not checks.stated(value)
    assert not checks.random(value)
    assert not checks.named("password", value)


@pytest.mark.parametrize("value", GENERATED)
def test_generated_values(value: str) -> None:
    """Letters and digits without an order."""
    assert checks.random(value)
    assert checks.named("token", value)


@pytest.mark.parametrize("value", REFERENCES)
def test_names_and_places_of_secrets_are_none(value: str) -> None:
    """Beside ``secret``; beside ``password`` they may be the value."""
    assert not checks.random(value)
    assert not checks.named("secret", value)
    assert not checks.named("passwordSecret", value)
    if checks.stated(value):
        assert checks.named("db.password", value)


def test_logins_in_base64() -> None:
    """A user, a colon, a password; no sentence and no bytes."""
    for text, is_login in (
        ("robot:hunter2", True),
        (":x1", True),
        ("no colon", False),
        ("user:", False),
        ("a b:c", False),
        ("u:<pw>", False),
    ):
        assert checks.login(base64.b64encode(text.encode()).decode()) is is_login
    assert not checks.login(base64.b64encode(b"\xff:\xfe").decode())
    assert not checks.login("====")


@given(st.text(max_size=300))
def test_every_text_has_an_answer(value: str) -> None:
    """No check raises, whatever a pattern may hand to it."""
    for check in (
        checks.stated,
        checks.random,
        checks.credential,
        checks.mixed,
        checks.mixed_base64,
        checks.login,
        checks.cookies,
    ):
        assert check(value) in {True, False}
    assert checks.various(value) in {True, False}


@given(st.text(alphabet="ABCDEFabcdef0123456789_-.=", max_size=200))
def test_torn_tokens_have_an_answer(value: str) -> None:
    """A header that is no base64 or no JSON is no header."""
    assert checks.jwt(value) in {True, False}
    assert not checks.jwt(base64.b64encode(b"[" * 5_000).decode() + ".a.b")
    assert checks.snowflake(value) in {True, False}


@pytest.mark.parametrize(
    "unit", ["a", "aB", "a_", "a.", "a-", "/a", "x ", "is ", "{", "[a", "a=", "$", "aKey", "_token", "A_"]
)
def test_no_check_takes_long(unit: str) -> None:
    """Values may be 8 KB long; a check that looked at each of their parts again would not end here."""
    value = unit * (8_192 // len(unit))
    for length in (200, 8_192):
        assert checks.stated(value[:length]) in {True, False}
        assert checks.random(value[:length]) in {True, False}
        assert checks.named("token", value[:length]) in {True, False}
