"""The quick look gives what the full path gives, or nothing; whatever is written, and however."""

import base64
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.content import read_content_type
from masking.edits import apply, count, merge
from masking.errors import Unmaskable, refusing
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import MaskProfileSpec, resolve
from masking.screening.backends import Backend
from masking.screening.look import QuickLook
from masking.worker import Worker

OWN: dict[str, dict[str, Any]] = {
    "own-keys": {"extends": ["pii", "secrets"], "pairs": True, "keys": [{"match": "(?i)owner", "entity": "PERSON"},
                 {"match": "^a$", "operator": "mask", "keepLast": 2, "deep": False}]},
    "own-low": {"extends": ["pii", "pci"], "threshold": 0.4},
    "own-guard": {"extends": ["pii", "pci"], "guard": "boundary", "embedded": False},
    "own-operators": {"extends": ["pii", "pci"], "entities": {"CREDIT_CARD": {"operator": "format"},
                      "EMAIL_ADDRESS": {"operator": "redact"}, "US_SSN": {"operator": "pseudonym"}}},
    "own-paths": {"extends": ["pii"], "paths": [{"path": "$.a"}]},
    "own-entity": {"extends": ["pii"], "entities": {"EMPLOYEE_ID": {"regex": r"\bE-[0-9]{6}\b", "context": ["badge"]}}},
}  # fmt: skip
PLANS = [
    ("pii",),
    ("pci",),
    ("secrets",),
    ("kubernetes",),
    ("pii", "pci", "kubernetes"),
    ("pii", "pci"),
    *((name,) for name in OWN),
]
BACKENDS: tuple[Backend, ...] = ("hyperscan", "re2", "re")
JSON = "application/json"


@cache
def plan_of(names: tuple[str, ...]) -> Plan:
    profiles = resolve({name: MaskProfileSpec.model_validate(spec) for name, spec in OWN.items()})
    return Plan([profiles[name] for name in names], Operators(b"k"))


@cache
def look_of(names: tuple[str, ...], backend: Backend) -> QuickLook:
    return QuickLook(plan_of(names), backend)


@cache
def worker_of(names: tuple[str, ...]) -> Worker:
    return Worker(plan_of(names))


def full(names: tuple[str, ...], body: bytes, content_type: str) -> tuple[bytes, dict[str, int]] | None:
    """What the full path makes of a body; None where it refuses it."""
    try:
        with refusing():
            text = body.decode()
            edits = merge(worker_of(names).edits(text, read_content_type(content_type)))
            return apply(text, edits).encode(), count(edits)
    except Unmaskable:
        return None


def check(names: tuple[str, ...], body: bytes, content_type: str = JSON, backend: Backend = "hyperscan") -> bool:
    """Compares both; whether the quick look told."""
    want = full(names, body, content_type)
    try:
        with refusing():
            quick = look_of(names, backend).at(body, read_content_type(content_type))
    except Unmaskable:
        assert want is None
        return True
    if quick is not None:
        assert (quick.body, dict(quick.counts)) == want
        if quick.body == body:
            assert quick.body is body
    return quick is not None


VALUES = [
    "bob@example.com", "ada@mail.internal", "ada%40corp.example", "ada@2x.local", "@1.2.3-x.local", "4111111111111111", "4111 1111 1111 1111", "X5500005555555559X", "378282246310005", "078-05-1123", "078 05 1123",
    "911-70-1234", "DE89370400440532013000", "de89 3704", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "+1-202-555-0173", "212-555-5555",
    "password: hunter22x", "\npassword: ", "\n  - ", "ssn: 5", "token=", "\nname: DB_PASSWORD\nvalue: ", "'a': ", 'denied: {"kind":"Secret","data":{"a":"cHc="}} by', 'x {"password": "y"} z', "export ",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLQ", "password=hunter22x", "postgres://u:p4ssw0rd@db/x", "https://a:b@c.de/",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "-----BEGIN PRIVATE KEY-----", "Bearer abcDEF123456ghiJKL", "sk-ant-api03-abcdefghijklmnopqrstu",
    "<EMAIL_ADDRESS>", "<SECRET>", "****1111", "phone ", "my number is ", "call", "tax ", "tin", "card", "kind: Secret", "kind", "Secret", "data:", "value",
    "\n", "\t", '"', "\\", "{", "}", "[", "]", ":", ",", " ", "-", "_", "/", "<", "&", "%", "é", "\u0663", "\u017f", "\u212a", "\uff14\uff11\uff11\uff11", "\u2028", "\x01", "\x7f", "x", "0", "12", "",
    "bob%40example.com", "%34111111111111111", "bob&#64;example.com", "bob&commat;example.com", "&amp;", "100%",
    "2024-11-21T04:03:52Z", "07095310-6c51-4f70-b5e7-ffeb7ab45c41", "00000000-0000-4000-8000-000000000000", "web-6b6846b9d6-hp8h2",
    base64.b64encode(b"mail bob@example.com now").decode(), base64.urlsafe_b64encode("é: 078-05-1123 ok".encode()).decode().rstrip("="),
    "{'ssn': '536904399',} ", '{"ssn": "536904399",}', "{'password': 5}", "map[x:y ssn:536904399]", '{\\"ssn\\":\\"536904399\\"}', "'ssn'=>'5'",
    '{"\\u0073sn": "536904399",}', "\\u0073sn", "'", "\\'", "ssn", "=>", "/*x*/", "u'", "'password'", "'a'", "map[a:5]", 'JSON.parse("{\\"password\\":\\"hunter2x\\"}")',
    "bob%2540example.com", "bob&amp;#64;example.com", "bob\\x40example.com", "bob\\u0040example.com", "bob\\\\u0040example.com", "bob@example\u3002com",
    "4111\u03011111\U000e00201111\u3164\u115f1111", "phone 202-555-0173%", "phone 202-555-0173\u00e9", "phone +12025550173x", "AKIAIOSFODNN7EXAMPLQ_",
    base64.b64encode(b"\x1b[0mmail bob@example.com").decode(), base64.b64encode(b"\x0cmail bob@example.com").decode(), base64.b64encode(b'{"ssn":"536904399"}').decode(),
    "078-05-1123" + base64.b64encode(b"mail bob@example.com now").decode(),
    base64.b64encode(b"nothing to see here").decode(), base64.b64encode("日本 4111111111111111".encode()).decode(),
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(VALUES), max_size=5).map("".join) | st.sampled_from(VALUES) | st.text(max_size=6)
NAMES = st.sampled_from(
    ["a", "b", "phone", "phoneNumber", "cell", "email", "password", "api_key", "nextPageToken", "tokens", "data", "stringData", "kind", "name", "value", "key",
     "items", "ssn", "cvv", "tax", "card", "metadata", "owner", "owners", "Ωphone", "pass\nword", "k:{\"name\":\"x\"}", "bob@example.com", "secret\n", "", "uid"]
) | TEXTS  # fmt: skip
NUMBERS = st.integers() | st.sampled_from(
    [4111111111111111, 5500005555555559, 1700000000000, 1.5, 4111111111111111.0, -1, 10**20]
)
SCALARS = TEXTS | TEXTS | NUMBERS | st.sampled_from([True, False, None, "Secret", "SecretList", "List"])
PAIRS = st.fixed_dictionaries(
    {"name": st.sampled_from(["DB_PASSWORD", "token", "x", "owner"])},
    optional={"value": SCALARS, "valueFrom": st.dictionaries(NAMES, SCALARS, max_size=2)},
)
DOCUMENTS = st.recursive(
    SCALARS | PAIRS,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(NAMES, inner, max_size=4)
    | st.fixed_dictionaries({"kind": st.sampled_from(["Secret", "SecretList", "Pod"])}, optional={"data": inner, "items": inner})
    | inner.map(json.dumps)
    | inner.map(lambda value: base64.b64encode(json.dumps(value).encode()).decode()),
    max_leaves=12,
).map(lambda value: value if isinstance(value, dict | list) else [value])  # fmt: skip


@st.composite
def bodies(draw: Callable[..., Any]) -> bytes:
    """A JSON text in one of many ways to write it."""
    document = draw(DOCUMENTS)
    indent, spaced = draw(st.sampled_from([None, None, 1])), draw(st.booleans())
    text = json.dumps(
        document, ensure_ascii=draw(st.booleans()), indent=indent, separators=None if spaced else (",", ":")
    )
    for old, new in draw(st.lists(st.sampled_from(
        [("@", "\\u0040"), ("/", "\\/"), ("4111111111111111", "4.111111111111111e15"), ('"b"', '"a"'), ("kind", "\\u006bind"),
         ('":', '" :\n'), ("value", "v\\u0061lue"), ("name", "\\u006eame"), ("Secret", "Secre\\u0074"), ("1700", "4111")]
    ), max_size=2)):  # fmt: skip
        text = text.replace(old, new)
    return text.encode("utf-8", "replace")


def of_quotes(body: bytes) -> bytes:
    """The text with other characters for what is escaped, but for quotes."""
    return re.sub(rb"\\(.)", lambda match: match[0] if match[1] == b'"' else b"'", body)


@settings(max_examples=500, deadline=None)
@given(bodies().map(of_quotes), st.sampled_from(PLANS), st.sampled_from(BACKENDS))
def test_quick_equals_full_where_quotes_are_all_that_is_escaped(
    body: bytes, names: tuple[str, ...], backend: Backend
) -> None:
    """Such a text is looked at as it stands."""
    check(names, body, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "value",
    [
        'password: "hunter22x"',
        '"password":"hunter22x"',
        '"ssn":"536904399"',
        'say "phone" 202-555-0173',
        '202-555-0173 is my "phone"',
        'my "number", 202-555-0173',
        '"4111111111111111"',
        'x"bob@example.com"',
        '{"kind":"Secret","data":{"a":"cHc="}}',
        '"' + base64.b64encode(b"mail bob@example.com now").decode() + '"',
    ],
)
def test_what_stands_at_a_quote_is_seen(value: str, backend: Backend) -> None:
    """Before it, behind it and across it; in a value, under a name, in an array."""
    names = ("pii", "pci", "kubernetes")
    for document in (
        {"a": value},
        {'the "phone"': value},
        [["x", {"b": 'c"'}, value]],
        [{"name": value, "value": "y"}],
    ):
        body = json.dumps(document).encode()
        check(names, body, backend=backend)
        masked = full(names, body, JSON)
        assert masked is None or masked[1]


@settings(max_examples=600, deadline=None)
@given(bodies(), st.sampled_from(PLANS))
def test_quick_equals_full_on_json(body: bytes, names: tuple[str, ...]) -> None:
    """Same bytes and counts, and the same object where nothing changes."""
    check(names, body)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=150, deadline=None)
@given(body=bodies(), names=st.sampled_from(PLANS))
def test_every_backend_tells_the_truth(backend: Backend, body: bytes, names: tuple[str, ...]) -> None:
    """The same without hyperscan, and without RE2."""
    check(names, body, backend=backend)


@settings(max_examples=300, deadline=None)
@given(st.lists(bodies(), max_size=4), st.sampled_from(PLANS))
def test_quick_equals_full_on_lines(lines: list[bytes], names: tuple[str, ...]) -> None:
    """JSON lines as well."""
    check(names, b"\r\n".join(line.replace(b"\n", b" ") for line in lines) + b"\n", "application/x-ndjson")


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS | bodies().map(lambda body: body.decode()), max_size=4).map("\n".join), st.sampled_from(PLANS))
def test_quick_equals_full_on_texts(text: str, names: tuple[str, ...]) -> None:
    """And logs, with JSON in them."""
    check(names, text.encode("utf-8", "replace"), "text/plain")


@settings(max_examples=300, deadline=None)
@given(
    bodies(),
    st.sampled_from(PLANS),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_nothing_that_is_refused_passes(body: bytes, names: tuple[str, ...], changes: list[tuple[int, int]]) -> None:
    """Also with bytes changed anywhere: whatever is no JSON any more, or other JSON."""
    damaged = bytearray(body)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    try:
        damaged.decode()
    except UnicodeDecodeError:
        assert look_of(names, "hyperscan").at(bytes(damaged), read_content_type(JSON)) is None
        return
    check(names, bytes(damaged))


@pytest.mark.parametrize("names", [("pii",), ("pii", "pci", "kubernetes")])
def test_ordinary_answers_are_told_at_once(names: tuple[str, ...]) -> None:
    """The property would hold as well if nothing were ever told."""
    pod = {"kind": "Pod", "metadata": {"name": "web-1", "managedFields": [{"f:a": {'k:{"name":"main"}': {}}}]}, "spec": {"env": [
        {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}, {"name": "A", "value": "bob@example.com"}]}}  # fmt: skip
    assert check(names, json.dumps({"kind": "PodList", "items": [pod, pod]}).encode())
    assert check(
        names, json.dumps([{"email": "bob@example.com", "phone": "+1 212-555-0173", "ssn": "078-05-1123"}]).encode()
    )
    assert check(names, b'{"args": ["x", "bob@example.com", "y", "al@example.com"]}')
    assert check(names, b"2024-11-21T04:03:52Z ok\n" * 50, "text/plain")
    assert check(names, b'{"message": "\\u003cb\\u003e it\\u0027s fine", "n": 1}\n{"n": 2}\n', "application/x-ndjson")


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"Secret","data":{"a":"djE="}}',
        b'{"a":"{\\"kind\\":\\"Secret\\",\\"data\\":{\\"a\\":\\"djE=\\"}}"}',
        b'{"kind":"Secre\\u0074","data":{"a":"djE="}}',
        b'{"\\u006bind":"Secret","data":{"a":"djE="}}',
        b'{"name":"DB_PASSWORD","value":"hunter2"}',
        b'{"value":"hunter2","x":{"y":[]},"name":"DB_PASSWORD"}',
        b'{"password":["a","b"]}',
        b'{"phones":["212-555-5555",["212-555-5556"]]}',
        b'{"phone":[{"x":"212-555-5555"}],"phone":"212-555-5555"}',
        b'{"card": 4111111111111111, "c": [4.111111111111111e15]}',
        b'{"a":"\\n078-05-1123"}',
        b'{"' + b"x" * 5000 + b'":1}',
        b'{"e":"a@example.com","d":' + b"[" * 130 + b"]" * 130 + b"}",
        b"[" * 20_000 + b"]" * 20_000,
        b'["a@example.com","' + b"[" * 300 + b'","b@example.com"]',
    ],
)  # fmt: skip
def test_places_are_left_to_the_full_path_or_told_like_it(body: bytes) -> None:
    """Secrets, pairs, arrays under names that tell or speak, numbers, long names, deep nesting."""
    for names in PLANS:
        check(names, body)


def test_many_hits_in_one_array_take_linear_time() -> None:
    """The name above an array is found once and not for every element; the test's own timeout is the bound."""
    body = json.dumps({"list": [f"user{number}@example.com" for number in range(20_000)]}).encode()
    quick = look_of(("pii",), "hyperscan").at(body, read_content_type(JSON))
    assert quick is not None
    assert quick.counts == {"EMAIL_ADDRESS": 20_000}


def test_rows_of_a_table_take_linear_time() -> None:
    """The same for arrays in an array."""
    body = json.dumps({"rows": [[number, f"user{number}@example.com"] for number in range(10_000)]}).encode()
    quick = look_of(("pii",), "hyperscan").at(body, read_content_type(JSON))
    assert quick is not None
    assert quick.counts == {"EMAIL_ADDRESS": 10_000}


def test_names_told_at_once_are_told_like_the_full_path() -> None:
    """A name settles its value with itself: whatever else is marked in both of them, however they are spaced."""
    for between in (b":", b" : ", b":\n\t"):
        for name in (b"ssn", b"phone", b"tel", b"cvv", b"a", b"ssn 078-05-1123"):
            for value in (
                b'"078-05-1123"',
                b'"+1 212-555-5555"',
                b'"bob@example.com"',
                b'"x\\ny"',
                b'""',
                b"4111",
                b"[]",
            ):
                member = b'"' + name + b'"' + between + value
                for names in PLANS:
                    check(names, b'{"b":"bob@example.com",' + member + b',"c":[{' + member + b"}]}")


class Noted:
    """A vault."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def keep(self, token: str, entity: str, value: str) -> None:
        self.kept.append(value)


def test_what_is_hidden_for_its_name_is_kept_in_the_vault_each_time() -> None:
    """A vault gives up what was used longest ago: so it is told of every use."""
    vault = Noted()
    key = {"match": "^badge$", "entity": "EMPLOYEE_ID", "operator": "pseudonym", "reversible": True}
    profiles = resolve({"own": MaskProfileSpec.model_validate({"extends": ["pii"], "keys": [key]})})
    look = QuickLook(Plan([profiles["own"]], Operators(b"k", vault)))
    for _ in range(2):
        quick = look.at(b'{"badge": "E-123456"}', read_content_type(JSON))
        assert quick is not None
        assert quick.counts == {"EMPLOYEE_ID": 1}
    assert vault.kept == ["E-123456"] * 2
