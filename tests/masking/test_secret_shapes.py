"""Secrets are found wherever a text may hold them, in whole bodies and line by line."""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import regex
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.engine import MaskingEngine
from masking.secret_patterns import SECRET_ENTITIES, SECRET_PATTERNS, SecretPattern
from tests.masking.made_secrets import made

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/secrets.yaml").read_text("utf-8"))["found"]
VALUES = [
    made(case["value"])
    for case in CASES
    if not any(word in case["text"] for word in ("://", "sig=", "aws_", "AccountKey"))
]
ALONE = [form for form in SECRET_PATTERNS if r"\K" not in form.regex and form.entity != "PRIVATE_KEY"]


def _is_whole(form: SecretPattern, value: str) -> bool:
    return bool(regex.fullmatch(form.regex, value, flags=regex.DOTALL)) and (not form.accepts or form.accepts(value))


BARE = [value for value in (made(case["value"]) for case in CASES) if any(_is_whole(form, value) for form in ALONE)]
"""Values that need no word beside them."""


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


type Shape = tuple[str, Callable[[str], str]]
SHAPES: dict[str, Shape] = {
    "json": ("application/json", lambda value: json.dumps({"items": [{"note": value}]})),
    "json text": ("application/json", lambda value: json.dumps({"message": f"it is {value}, they say"})),
    "json in a string": ("application/json", lambda value: json.dumps({"raw": json.dumps({"note": value})})),
    "json in a string in a string": ("application/json", lambda v: json.dumps({"a": json.dumps({"b": json.dumps([v])})})),
    "json escapes": ("application/json", lambda value: '{"note":"' + "".join(f"\\u{ord(each):04x}" for each in value) + '"}'),
    "yaml": ("text/plain", lambda value: f"spec:\n  note: '{value}'\n  other: x\n"),
    "yaml list": ("text/plain", lambda value: f"args:\n- {value}\n- x\n"),
    "env": ("text/plain", lambda value: f"A=b\nexport NOTE={value}\nC=d\n"),
    "env quoted": ("text/plain", lambda value: f'NOTE="{value}"\n'),
    "log": ("text/plain", lambda value: f"2026-11-21T04:03:52Z INFO [web] value {value} seen level=info\n"),
    "log of json": ("text/plain", lambda value: "INFO " + json.dumps({"msg": value, "n": 1}) + "\n"),
    "escaped json in a log": ("text/plain", lambda value: "INFO body=" + json.dumps(json.dumps({"msg": value})) + "\n"),
    "url": ("text/plain", lambda value: f"GET https://api.example.com/x?v={quote(value, safe='')}&b=c HTTP/1.1\n"),
    "header": ("text/plain", lambda value: f"> GET / HTTP/1.1\r\n> X-Note: {value}\r\n> Accept: */*\r\n"),
    "markdown": ("text/markdown", lambda value: f"Set it to `{value}`.\n\n| a | {value} |\n|---|---|\n"),
    "base64": ("application/json", lambda value: json.dumps({"payload": b64(f"note {value} end")})),
    "ndjson": ("application/x-ndjson", lambda value: json.dumps({"a": value}) + "\n" + json.dumps({"b": [value]}) + "\n"),
    "events": ("text/event-stream", lambda value: f"event: x\ndata: {json.dumps({'a': value})}\n\n"),
    "form": ("application/x-www-form-urlencoded", lambda value: f"a=b&note={quote(value, safe='')}"),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_value_that_tells_by_itself_is_hidden_in_every_shape(engine: MaskingEngine, shape: str) -> None:
    """Plain, quoted, escaped, percent-encoded, in base64, in JSON in a string: nothing of it is left, twice is once."""
    content_type, around = SHAPES[shape]
    for value in BARE:
        body = around(value).encode()
        masked = engine.mask_body(body, content_type=content_type, profiles=("secrets",))
        for form in (value, quote(value, safe=""), b64(value)[:20], json.dumps(value)[1:-1]):
            assert form.encode() not in masked.body, value
        assert masked.counts, value
        again = engine.mask_body(masked.body, content_type=content_type, profiles=("secrets",))
        assert again.body == masked.body


def test_most_forms_are_tried() -> None:
    """The list above is not empty by mistake."""
    assert len(BARE) > 60
    assert len(SECRET_PATTERNS) > 100


NAMES = ["password", "DB_PASSWORD", "db.password", "client_secret", "api_key", "X-Api-Key", "apiKey", "access_token", "Authorization",
         "AWS_SECRET_ACCESS_KEY", "encryption-key", "pwd", "passphrase", "auth", "private_key", "signing key"]  # fmt: skip
NAMED: dict[str, Shape] = {
    "json": ("application/json", lambda pair: json.dumps(dict([pair.split("\0")]))),
    "json in a string": ("application/json", lambda pair: json.dumps({"raw": json.dumps(dict([pair.split("\0")]))})),
    "yaml": ("text/plain", lambda pair: "a: b\n{}: {}\nc: d\n".format(*pair.split("\0"))),
    "yaml quoted": ("text/plain", lambda pair: '  "{}": "{}"\n'.format(*pair.split("\0"))),
    "ini": ("text/plain", lambda pair: "[a]\n{} = {}\n".format(*pair.split("\0"))),
    "flag": ("text/plain", lambda pair: "run --{}={} --x\n".format(*pair.split("\0"))),
    "query": ("text/plain", lambda pair: "GET /x?a=b&{}={}&c=d\n".format(*pair.split("\0"))),
    "header": ("text/plain", lambda pair: "{}: {}\r\nHost: x\r\n".format(*pair.split("\0"))),
    "log": ("text/plain", lambda pair: 'level=info {}="{}" n=1\n'.format(*pair.split("\0"))),
    "escaped json": ("text/plain", lambda pair: "body=" + json.dumps(json.dumps(dict([pair.split("\0")]))) + "\n"),
    "form": ("application/x-www-form-urlencoded", lambda pair: "a=b&{}={}".format(*pair.split("\0"))),
}  # fmt: skip
GENERATED = made([{"alnum": 40}])


@pytest.mark.parametrize("shape", NAMED)
@pytest.mark.parametrize("name", NAMES)
def test_a_generated_value_beside_a_telling_name_is_hidden(engine: MaskingEngine, name: str, shape: str) -> None:
    """In each way in which names and values are written."""
    content_type, around = NAMED[shape]
    value = b64("robot:hunter2") if name == "auth" else GENERATED
    body = around(f"{name}\0{value}").encode()
    masked = engine.mask_body(body, content_type=content_type, profiles=("secrets",))
    assert value.encode() not in masked.body
    assert engine.mask_body(masked.body, content_type=content_type, profiles=("secrets",)).body == masked.body


@pytest.mark.parametrize("lead", ["", "2026-11-21T04:03:52Z web-1 ", "    "])
def test_no_line_of_a_private_key_passes_a_stream(engine: MaskingEngine, lead: str) -> None:
    """PEM, OpenSSH, PGP, SSH2 and PuTTY: from the first line to the last, whatever stands before each line."""
    for case in CASES:
        value = made(case["value"])
        if case["entity"] != "PRIVATE_KEY" or "\n" not in value or "torn" in case["text"]:
            continue
        body = "".join(f"{lead}{line}\n" for line in ["before", *value.split("\n"), "after"]).encode()
        mask = engine.open_stream(content_type="text/plain", profiles=("secrets",))
        given_on = (mask.feed(body[:40]) + mask.feed(body[40:]) + mask.end()).decode()
        whole = engine.mask_body(body, content_type="text/plain", profiles=("secrets",)).body.decode()
        for line in value.split("\n"):
            assert len(line) < 5 or line not in given_on
            assert len(line) < 5 or line not in whole
        for text in (given_on, whole):
            assert "before" in text
            assert "after" in text


@pytest.mark.parametrize("operator", ["replace", "redact", "mask", "pseudonym", "hash", "format"])
def test_twice_is_once_under_every_operator(
    make_engine: Callable[[Mapping[str, Any]], MaskingEngine], operator: str
) -> None:
    """Whatever an operator leaves is no secret, also next to a word that speaks of one."""
    entities = {entity: {"operator": operator} for entity in sorted(SECRET_ENTITIES)}
    engine = make_engine({"extends": ["secrets"], "entities": entities})
    for case in CASES:
        text = str(case["text"]).replace("...", made(case["value"]), 1)
        once = engine.mask_text(text, profiles=("own",))[0]
        assert engine.mask_text(once, profiles=("own",))[0] == once


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(CASES),
    st.integers(1, 40),
    st.sampled_from(["", "2026-11-21 web-1 ", "\x1b[32m", "a\\n", "\\u001b[1;31m"]),
)
def test_streams_hide_as_much_as_whole_bodies(
    engine: MaskingEngine, case: dict[str, object], size: int, lead: str
) -> None:
    """Line by line, however the bytes are cut."""
    value = made(case["value"])  # type: ignore[arg-type]
    text = str(case["text"]).replace("...", value, 1)
    if "machine" not in text and not str(case["text"]).startswith("db.internal") and "Cookie" not in text:
        text = lead + text
    body = f"before\n{text}\nafter\n".encode()
    mask = engine.open_stream(content_type="text/plain", profiles=("secrets",))
    given_on = b"".join(mask.feed(body[at : at + size]) for at in range(0, len(body), size)) + mask.end()
    assert value.encode() not in given_on
    assert given_on.startswith(b"before\n")
