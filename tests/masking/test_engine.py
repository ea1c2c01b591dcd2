"""Whole bodies: what an agent sees, and that nothing else ever comes out."""

import gzip
import json
import subprocess
import sys
import traceback
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.encodings import Limits
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.formats import json_spans
from masking.profiles import MaskProfileSpec, resolve
from masking.pseudonyms import Pseudonyms

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/golden.yaml").read_text("utf-8"))
ALL = ("kubernetes", "pci", "pii", "secrets")
JSON = "application/json"
SECRET = b"s3cr3t-value"

type MakeEngine = Callable[[Mapping[str, Any]], MaskingEngine]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(engine: MaskingEngine, case: dict[str, Any]) -> None:
    """Each body becomes what stands beside it; masked again it stays as it is."""
    given_body, profiles = case["body"].encode(), tuple(case["profiles"])
    masked = engine.mask_body(given_body, content_type=case["contentType"], profiles=profiles)
    assert masked.body.decode() == case.get("want", case["body"])
    assert masked.counts == case["counts"]
    again = engine.mask_body(masked.body, content_type=case["contentType"], profiles=profiles)
    assert again.body == masked.body


def test_an_untouched_body_is_the_same_object(engine: MaskingEngine) -> None:
    """Nothing is copied where nothing is hidden."""
    body = b'{"a": 1}'
    assert engine.mask_body(body, content_type=JSON, profiles=ALL).body is body


def test_without_profiles_nothing_is_even_looked_at(engine: MaskingEngine) -> None:
    """The body goes on with its coding."""
    masked = engine.mask_body(b"\x00\x01", content_type="image/png", content_encoding="br", profiles=())
    assert (masked.body, masked.encoding) == (b"\x00\x01", "br")


def test_empty_bodies_are_fine(engine: MaskingEngine) -> None:
    """HEAD, 204 and 304 have none, whatever their content type says."""
    assert engine.mask_body(b"", content_type="image/png", content_encoding="gzip", profiles=ALL).body == b""


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "GZIP", "identity, gzip"])
def test_coded_bodies_come_out_plain(engine: MaskingEngine, coding: str) -> None:
    """gzip and deflate are decoded, masked and given on without coding, also where nothing was hidden."""
    for plain, want in ((b'{"e": "a@example.com"}', b'{"e": "<EMAIL_ADDRESS>"}'), (b'{"e": 1}', b'{"e": 1}')):
        coded = zlib.compress(plain) if "deflate" in coding else gzip.compress(plain)
        masked = engine.mask_body(coded, content_type=JSON, content_encoding=coding, profiles=("pii",))
        assert (masked.body, masked.encoding) == (want, "")


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", ""),
        (b"%PDF-1.7", "application/pdf", ""),
        (b"k8s\x00\n", "application/vnd.kubernetes.protobuf", ""),
        (b"\xd9\xd9\xf7", "application/cbor", ""),
        (b"--b\r\n\r\nx\r\n--b", "multipart/form-data; boundary=b", ""),
        (b"{}", "application/octet-stream", ""),
        (b"{}", "nonsense", ""),
        (b"{}", "application/json; charset=utf-16", ""),
        (b"{}", "application/json; charset=latin-1", ""),
        (b"x", "text/plain; charset=utf-7", ""),
        (b"x", "text/plain; charset=shift_jis", ""),
        (b"x", "text/plain; charset=utf-8; charset=latin-1", ""),
        (b"{", JSON, ""),
        (b"bob@example.com", JSON, ""),
        (b"\xff\xfe{\x00}\x00", JSON, ""),
        (b'{"a": "\xff"}', JSON, ""),
        (b'{"a": NaN}', JSON, ""),
        (b'{"a": 1} {"b": 2}', JSON, ""),
        (b"[" * 100_000 + b"]" * 100_000, JSON, ""),
        (b"caf\xe9", "text/plain", ""),
        (b"a\x00b", "text/plain", ""),
        (b"\x1f\x8b\x08", "text/plain", ""),
        (b"%PDF-1.7 bob", "text/plain", ""),
        (b"\x01\x02", "text/plain; charset=latin-1", ""),
        (b"a: 1", "application/yaml", ""),
        (b'{"bob@example.com": 1}', JSON, ""),
        (b'{"bob\\u0040example.com": 1}', JSON, ""),
        (b"bob%40example.com=1", "application/x-www-form-urlencoded", ""),
        (b'{"a": 1}\n{"b": ', "application/x-ndjson", ""),
        (b"{}", JSON, "br"),
        (b"{}", JSON, "zstd"),
        (b"{}", JSON, "unheard-of"),
        (b"{}", JSON, "gzip"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), JSON, "gzip, gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], JSON, "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"tail", JSON, "gzip"),
        (gzip.compress(b" " * 40_000_000, mtime=0), JSON, "gzip"),
    ],
)
def test_what_cannot_be_masked_is_refused(engine: MaskingEngine, body: bytes, content_type: str, encoding: str) -> None:
    """Unknown formats, charsets, codings, contradictions and bombs do not come out."""
    with pytest.raises(Unmaskable):
        engine.mask_body(body, content_type=content_type, content_encoding=encoding, profiles=ALL)


def test_a_refusal_holds_nothing_of_the_body(engine: MaskingEngine) -> None:
    """Its reason goes to logs; so would the exceptions that it could carry along."""
    body = b'{"a": "%s\xff"}' % SECRET
    with pytest.raises(Unmaskable) as refusal:
        engine.mask_body(body, content_type=JSON, profiles=ALL)
    assert SECRET.decode() not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("masking.formats.json_document.scan", b'{"phone": ["212-555-5555"]}'),
        ("masking.screening.look.is_json", b'{"a": "bob@example.com"}'),
        ("masking.screening.documents.undone", b'{"a": "bob@example.com"}'),
        ("masking.screening.look.merge", b'{"a": "bob.fault@example.com"}'),
        ("masking.screening.documents.places", b'{"a": "bob@example.com"}'),
    ],
)
def test_any_fault_is_a_refusal(engine: MaskingEngine, monkeypatch: pytest.MonkeyPatch, step: str, body: bytes) -> None:
    """An exception in a step withholds the body, and its text is not passed on."""

    def broken(*_: object) -> None:
        raise RuntimeError(SECRET.decode())

    monkeypatch.setattr(step, broken)
    with pytest.raises(Unmaskable, match=r"masking failed: RuntimeError$") as refusal:
        engine.mask_body(body, content_type=JSON, profiles=("pii",))
    assert SECRET.decode() not in "".join(traceback.format_exception(refusal.value))


def test_the_detectors_are_imported_only_when_needed() -> None:
    """The engine can be built, and profiles be checked, without the seconds that Presidio takes."""
    heavy = "{'presidio_analyzer', 'spacy', 'phonenumbers'}"
    program = f"import sys, gatehold.cli.mask, masking.engine; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_unknown_profile_is_refused(engine: MaskingEngine) -> None:
    """A name that nobody knows masks nothing, so nothing may pass."""
    with pytest.raises(Unmaskable, match="nosuch"):
        engine.mask_body(b"{}", content_type=JSON, profiles=("nosuch",))


def test_the_largest_body_is_a_setting() -> None:
    """The limit counts decoded bytes."""
    small = MaskingEngine(resolve({}), limits=Limits(body=100))
    with pytest.raises(Unmaskable, match="too large"):
        small.mask_body(gzip.compress(b" " * 101), content_type=JSON, content_encoding="gzip", profiles=("pii",))


def test_a_byte_order_mark_stays(engine: MaskingEngine) -> None:
    """Parsers accept it before JSON; so does the mask."""
    masked = engine.mask_body(b'\xef\xbb\xbf{"e": "a@example.com"}', content_type=JSON, profiles=("pii",))
    assert masked.body == b'\xef\xbb\xbf{"e": "<EMAIL_ADDRESS>"}'


@pytest.mark.parametrize("charset", ["latin-1", "iso-8859-15", "windows-1252", "utf-8"])
def test_listed_charsets_keep_their_bytes(engine: MaskingEngine, charset: str) -> None:
    """What is not hidden is encoded as it was."""
    body = "café ü bob@example.com ß".encode(charset)
    masked = engine.mask_body(body, content_type=f"text/plain; charset={charset}", profiles=("pii",))
    assert masked.body == "café ü <EMAIL_ADDRESS> ß".encode(charset)


def test_profiles_join(engine: MaskingEngine) -> None:
    """What one of several profiles hides is hidden."""
    body = b'{"card": "4111111111111111", "e": "a@example.com", "password": "x"}'
    masked = engine.mask_body(body, content_type=JSON, profiles=("pci", "pii", "secrets"))
    assert json.loads(masked.body) == {"card": "<CREDIT_CARD>", "e": "<EMAIL_ADDRESS>", "password": "<SECRET>"}


def test_texts_are_masked_with_the_name_of_what_holds_them(engine: MaskingEngine) -> None:
    """Headers, paths and words for the journal."""
    assert engine.mask_text("/users/bob%40example.com", profiles=("pii",)) == (
        "/users/<EMAIL_ADDRESS>",
        {"EMAIL_ADDRESS": 1},
    )
    assert engine.mask_text("abc", profiles=("secrets",), key="x-api-key")[0] == "<SECRET>"
    assert engine.mask_text("<SECRET>", profiles=("secrets",), key="x-api-key")[0] == "<SECRET>"
    assert engine.mask_text("212-555-5555", profiles=("pii",))[0] == "212-555-5555"
    assert engine.mask_text("212-555-5555", profiles=("pii",), key="x-phone")[0] == "<PHONE_NUMBER>"


def test_an_inspection_says_where(engine: MaskingEngine) -> None:
    """Offsets count characters of the decoded text before masking, also past escapes and a byte order mark."""
    text = '\ufeff{"é": "\\n a@example.com"}'
    found = engine.inspect(text.encode(), content_type=JSON, profiles=("pii",))
    (finding,) = found.findings
    assert text[finding.start : finding.end] == "a@example.com"
    assert (finding.entity, finding.score) == ("EMAIL_ADDRESS", 1.0)
    assert engine.inspect(text, content_type=JSON, profiles=("pii",)) == found


CARD = "4111111111111111"


@pytest.mark.parametrize(
    ("operator", "want"),
    [
        ({"operator": "replace"}, "<CREDIT_CARD>"),
        ({"operator": "redact"}, ""),
        ({"operator": "mask", "keepLast": 4}, "************1111"),
        ({"operator": "format"}, "0003998235141111"),
    ],
)
def test_operators_of_a_profile(make_engine: MakeEngine, operator: dict[str, Any], want: str) -> None:
    """Each operator does in a body what it says, and once is enough."""
    own = make_engine({"entities": {"CREDIT_CARD": operator}})
    masked = own.mask_body(json.dumps({"c": CARD}).encode(), content_type=JSON, profiles=("own",))
    assert json.loads(masked.body) == {"c": want}
    assert own.mask_body(masked.body, content_type=JSON, profiles=("own",)).body == masked.body


def test_a_profile_with_keys_paths_and_own_entities(make_engine: MakeEngine) -> None:
    """The profile of the configuration's documentation."""
    own = make_engine(
        {
            "extends": ["pii"],
            "threshold": 0.5,
            "entities": {
                "EMAIL_ADDRESS": {"operator": "replace"},
                "CREDIT_CARD": {"operator": "mask", "keepLast": 4},
                "EMPLOYEE_ID": {"regex": r"\bE-[0-9]{6}\b", "score": 0.8, "operator": "pseudonym"},
            },
            "keys": [{"match": "(?i)passwo?r?d|secret|token", "operator": "redact"}],
            "paths": [{"path": "$.items[*].full_name", "entity": "PERSON", "operator": "pseudonym"}],
        }
    )
    body = {
        "items": [
            {"full_name": "Jane Doe", "badge": "E-123456", "dbPassword": "x", "pin_token": 7, "card": CARD},
            {"full_name": "Jane Doe", "badge": "E-123457", "secrets": {"a": ["b"], "n": True}, "full_name2": "Max"},
        ],
        "full_name": "Nobody",
    }
    masked = own.mask_body(json.dumps(body).encode(), content_type=JSON, profiles=("own",))
    first, second = json.loads(masked.body)["items"]
    assert first["full_name"] == second["full_name"] != "Jane Doe"
    assert first["full_name"].startswith("<PERSON:")
    assert first["badge"].startswith("<EMPLOYEE_ID:")
    assert first["badge"] != second["badge"]
    assert (first["dbPassword"], first["pin_token"], first["card"]) == ("", None, "************1111")
    assert second["secrets"] == {"a": [""], "n": True}
    assert (second["full_name2"], json.loads(masked.body)["full_name"]) == ("Max", "Nobody")
    assert own.mask_body(masked.body, content_type=JSON, profiles=("own",)).body == masked.body


def test_a_profile_with_paths_refuses_yaml(make_engine: MakeEngine) -> None:
    """Places in YAML are not known; other profiles read it as text."""
    yaml_type = "application/yaml"
    with pytest.raises(Unmaskable, match="YAML"):
        make_engine({"paths": [{"path": "$.a"}]}).mask_body(b"a: 1", content_type=yaml_type, profiles=("own",))
    own = make_engine({"extends": ["pii"]})
    assert own.mask_body(b"a: b@example.com", content_type=yaml_type, profiles=("own",)).body == b"a: <EMAIL_ADDRESS>"


def test_without_a_content_type_torn_json_is_refused_where_places_matter(make_engine: MakeEngine) -> None:
    """A Secret that was cut off must not pass as a text."""
    torn = b'{"kind":"Secret","data":{"a":"djE="'
    with pytest.raises(Unmaskable):
        make_engine({"extends": ["kubernetes"]}).mask_body(torn, content_type="", profiles=("own",))


VALUES = st.sampled_from(
    ["bob@example.com", CARD, "078-05-1123", "+1-202-555-0173", "hunter2", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "<SECRET>",
     "<EMAIL_ADDRESS>", "x", "", "é", "\n", '"', "\\", "{", "a=b", "%40", "&amp;", "Zm9v", " ", "-", "****1111", "9999", "phone ",
     "-----BEGIN PRIVATE KEY-----"]
)  # fmt: skip
TEXTS = st.lists(VALUES, max_size=5).map("".join) | st.text(max_size=8)
NAMES = st.sampled_from(
    ["a", "phone", "email", "password", "data", "kind", "name", "value", "items", "ssn", "metadata"]
)
JSON_VALUES = st.recursive(
    TEXTS | st.integers() | st.sampled_from([int(CARD), 1.5, True, None, "Secret", "SecretList"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4) | inner.map(json.dumps),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_masking_json_twice_changes_nothing(
    engine: MaskingEngine, value: Any, ascii_only: bool, indent: int | None
) -> None:
    """JSON stays JSON of the same shape, and what was masked is not masked again."""
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    once = engine.mask_body(body, content_type=JSON, profiles=ALL)
    assert _shape(json.loads(once.body)) == _shape(json.loads(body))
    assert engine.mask_body(once.body, content_type=JSON, profiles=ALL).body == once.body


def _shape(value: Any) -> Any:
    """Types and names, without the scalars."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return type(value).__name__


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, max_size=8).map("".join))
def test_masking_a_text_twice_changes_nothing(engine: MaskingEngine, text: str) -> None:
    """The same for texts."""
    once, _ = engine.mask_text(text, profiles=ALL)
    assert engine.mask_text(once, profiles=ALL)[0] == once


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, max_size=8).map("".join), st.sampled_from(["redact", "mask", "format", "pseudonym", "hash"]))
def test_every_operator_is_final(text: str, operator: str) -> None:
    """Whatever takes the place of a value, masking again changes nothing."""
    own = _operator_engine(operator)
    once, _ = own.mask_text(text, profiles=("own",))
    assert own.mask_text(once, profiles=("own",))[0] == once


_ENGINES: dict[str, MaskingEngine] = {}


def _operator_engine(operator: str) -> MaskingEngine:
    if operator not in _ENGINES:
        names = ("CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER", "US_SSN", "SECRET", "GITHUB_TOKEN")
        entities = {name: {"operator": operator, "keepLast": 4} for name in names}
        spec = MaskProfileSpec.model_validate({"entities": entities, "embedded": True})
        _ENGINES[operator] = MaskingEngine(resolve({"own": spec}), key=b"k")
    return _ENGINES[operator]


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES)
def test_bytes_outside_of_what_was_found_stay(engine: MaskingEngine, value: Any) -> None:
    """The pieces between the findings appear in the masked text, byte for byte and in order."""
    text = json.dumps(value)
    found = engine.inspect(text, content_type=JSON, profiles=ALL)
    position = end = 0
    for finding in found.findings:
        piece = text[end : max(finding.start, end)]
        position = found.masked.index(piece, position) + len(piece)
        end = max(end, finding.end)
    assert found.masked[position:].endswith(text[end:])


def test_deep_nesting_is_refused_before_it_is_walked(engine: MaskingEngine) -> None:
    """The cap is far above what real documents need."""
    depth = json_spans.MAX_DEPTH + 1
    body = b'{"e": "a@example.com", "d": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(Unmaskable, match="deeply"):
        engine.mask_body(body, content_type=JSON, profiles=("pii",))


def test_what_is_masked_at_once_is_what_would_be_masked(engine: MaskingEngine) -> None:
    """Little is; what would take long, is coded, or was not prepared for, is left."""
    engine.prepare(("pii", "pci"))
    short, long = b'{"e": "a@example.com"}', json.dumps([f"user{n}@example.com" for n in range(50)]).encode()
    for body in (short, b'{"a": [1]}', b"", b"[" + b"1," * 20_000 + b"1]"):
        want = engine.mask_body(body, content_type=JSON, profiles=("pii", "pci"))
        assert engine.mask_at_once(body, content_type=JSON, profiles=("pii", "pci")) == want
    for body, coding in ((long, ""), (gzip.compress(short), "gzip"), (b'{"e": "' + b"x" * 200_000 + b'"}', "")):
        options = {"content_type": JSON, "content_encoding": coding}
        assert engine.mask_at_once(body, profiles=("pii", "pci"), **options) is None
    assert engine.mask_at_once(short, content_type=JSON, profiles=("pci", "pii")) is None


def test_owners_share_what_is_looked_for(make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new session compiles nothing, and still gets its own tokens."""
    own = make_engine({"extends": ["pii"], "entities": {"EMAIL_ADDRESS": {"operator": "pseudonym"}}})
    own.prepare(("own",))
    monkeypatch.setattr("masking.engine.screens_of", None)
    bodies = {
        own.mask_body(
            b'{"e": "a@example.com"}',
            content_type=JSON,
            profiles=("own",),
            pseudonyms=Pseudonyms(owner=owner, key=owner.encode() * 32, vault=None),
        ).body
        for owner in "ab"
    }
    assert len(bodies) == 2


def test_threads_share_an_engine(make_engine: MakeEngine) -> None:
    """The first use, which loads everything, may happen in several threads at once."""
    own = make_engine({"extends": ["pii", "kubernetes"]})
    body = json.dumps([{"e": f"user{number}@example.com", "password": "x"} for number in range(50)]).encode()

    def mask(_: int) -> bytes:
        return own.mask_body(body, content_type=JSON, profiles=("own",)).body

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(mask, range(8)))) == 1
