"""Secrets are found by their form, exactly; what only speaks of secrets is not."""

import re
from collections.abc import Callable
from pathlib import Path

import hyperscan
import pytest
import re2
import regex
import yaml

from masking import detectors
from masking.edits import apply, merge
from masking.engine import MaskingEngine
from masking.plan import Plan
from masking.profiles import builtin, resolve
from masking.secret_patterns import PEM_BEGIN, PEM_END, SECRET_ENTITIES, SECRET_PATTERNS, SecretPattern
from tests.masking.made_secrets import made

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/secrets.yaml").read_text("utf-8"))
FOUND = [(case["entity"], case["text"], made(case["value"])) for case in CASES["found"]]
IDS = [f"{number}-{entity}" for number, (entity, _, _) in enumerate(FOUND)]
_FLAGS = regex.DOTALL | regex.MULTILINE

type Row = tuple[str, str, str]


def text_of(row: Row) -> str:
    return row[1].replace("...", row[2], 1)


def matches(pattern: SecretPattern, text: str) -> list[str]:
    found = [match[0] for match in regex.finditer(pattern.regex, text, flags=_FLAGS)]
    return [each for each in found if pattern.accepts is None or pattern.accepts(each)]


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("secrets")


@pytest.mark.parametrize("row", FOUND, ids=IDS)
def test_the_value_and_nothing_else_is_found(plan: Plan, row: Row) -> None:
    """The words around a value stay, so that an agent still understands the text."""
    text = text_of(row)
    hits = {(hit.entity, text[hit.start : hit.end]) for hit in plan.judge.hits(text)}
    assert (row[0], row[2]) in hits


@pytest.mark.parametrize("row", FOUND, ids=IDS)
def test_nothing_of_the_value_is_left_and_twice_is_once(plan: Plan, row: Row) -> None:
    """Whatever detectors see in it together; and no detector sees anything in what they leave."""
    text = text_of(row)
    masked = apply(text, merge(plan.judge.edits(text)))
    assert row[2] not in masked
    assert plan.judge.edits(masked) == []


@pytest.mark.parametrize("touching", ["_", "-", "_x", "-x", "__"])
def test_signs_after_a_key_hide_nothing(plan: Plan, touching: str) -> None:
    """A key of letters and digits that its beginning tells ends where these end."""
    for value in ("AKIAZ5GQ7W3K2J6Q4XYB", "npm_" + "a1B2c3D4e5F6" * 3, "hf_" + "aBcDeFgHiJkLmNoPq" * 2):
        found = merge(plan.judge.edits(f"x {value}{touching}"))
        assert apply(f"x {value}{touching}", found).endswith(f">{touching}"), value


@pytest.mark.parametrize("text", CASES["nothing"])
def test_what_is_no_secret_is_left(plan: Plan, text: str) -> None:
    """Placeholders, names, digests, code and sentences are not hidden."""
    assert apply(text, merge(plan.judge.edits(text))) == text


@pytest.mark.parametrize("pattern", SECRET_PATTERNS, ids=lambda pattern: f"{pattern.entity} {pattern.form}"[:60])
def test_every_form_has_a_case_and_its_screen_matches_there(pattern: SecretPattern) -> None:
    """No form is forgotten, and no screen hides a secret, whichever library reads it."""
    texts = [text for text in map(text_of, FOUND) if matches(pattern, text)]
    assert texts
    for text in texts:
        assert re.search(pattern.screen, text)
        assert re2.search(pattern.screen, text)
        assert _hyperscan_sees(pattern.screen, text)


def _hyperscan_sees(screen: str, text: str) -> bool:
    database = hyperscan.Database()
    database.compile(expressions=[screen.encode()], ids=[0], elements=1, flags=hyperscan.HS_FLAG_PREFILTER)
    seen: list[int] = []
    database.scan(text.encode(), match_event_handler=lambda *_: seen.append(1))
    return bool(seen)


@pytest.mark.parametrize("pattern", SECRET_PATTERNS, ids=lambda pattern: f"{pattern.entity} {pattern.form}"[:60])
def test_a_screen_is_plain_and_rare(pattern: SecretPattern) -> None:
    """No look-around or back-reference, and no match in a word, a number, a name or an address."""
    assert not re.search(r"\(\?[=!<]|\\[1-9]|[+*?}]\+", pattern.screen)
    for text in (
        "the key of a secret token",
        "2026-11-21T04:03:52Z",
        "web-6b6846b9d6-hp8h2",
        "https://api.example.com:8443/a?b=c",
    ):
        assert not re.search(pattern.screen, text)


def test_scores_are_believed_by_the_profile() -> None:
    """Each form alone reaches the threshold under which the profiles would drop it."""
    profiles = resolve({})
    for pattern in SECRET_PATTERNS:
        for name in ("secrets", "kubernetes"):
            assert profiles[name].entities[pattern.entity].threshold <= pattern.score <= 1.0


def test_every_kind_of_secret_is_in_the_profile() -> None:
    """None is forgotten in the profile ``secrets``."""
    assert {entity for entity, _, _ in FOUND} == SECRET_ENTITIES
    assert set(builtin()["secrets"].entities) == SECRET_ENTITIES


HOSTILE = [
    "sk-ant-abc-", "eyJ", "eyJaaaaaaaaa.", "-eyJ", "a://b:c", "a://", "password=", 'password="', "key: ", "bearer ", "AWS = ", "aws",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n", "-----BEGIN ", "----", "gh", "ghp_a", "xoxb-", "AccountKey=", "sig=",
    "token", "secret=>", "PuTTY-User-Key-File-3:", "curl ", "curl -u ", "mysql -p ", "docker login ", "machine a login b ", "default ",
    "$6$", "$6$a$", "$$", "a.b", "s.", "a:5432:b:c:", ":*:*:*", "cookie:", "--a-", "--password ", "authorization: a ", "1//0", "A+/",
    "0a", "/", "auth=", "{SSHA}", "jdbc:oracle:thin:", "\\", "token: \\\"", "a:", "a=", "aB3", "x_Key", "passwordPassword=",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_pattern_takes_long_on_repetitions(plan: Plan, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 KB of anything is judged within a part of the time that a pattern may take: past it, this would raise."""
    monkeypatch.setattr(detectors, "REGEX_SECONDS", 0.5)
    plan.judge.edits(unit * (16_384 // len(unit)))


@pytest.mark.parametrize("unit", HOSTILE)
def test_no_screen_takes_long_on_repetitions(unit: str) -> None:
    """Screens are read without a bound: none may need one. A quadratic one takes seconds here, and raises."""
    for screen in {pattern.screen for pattern in SECRET_PATTERNS}:
        regex.search(screen, unit * (16_384 // len(unit)), timeout=0.5)


def test_patterns_compile_once_each() -> None:
    """Two patterns of one entity are two forms, not the same one twice."""
    assert len({pattern.regex for pattern in SECRET_PATTERNS}) == len(SECRET_PATTERNS)
    assert len({(pattern.entity, pattern.form) for pattern in SECRET_PATTERNS}) == len(SECRET_PATTERNS)


def test_markers_of_private_keys_open_and_close_what_the_pattern_hides() -> None:
    """A stream holds back from the one to the other: they have to agree with what is hidden in whole texts."""
    for entity, text, value in FOUND:
        if entity == "PRIVATE_KEY" and "AGE-" not in value:
            assert re.match(PEM_BEGIN, value), text
            closing = re.search(PEM_END, value)
            assert closing is None or closing.end() == len(value)


def test_detectors_are_made_of_the_patterns() -> None:
    """One per form, under the same entity and with the same screen."""
    for entity in SECRET_ENTITIES:
        stated = {pattern.screen for pattern in SECRET_PATTERNS if pattern.entity == entity}
        assert {detector.screen for detector in detectors.builtin(entity)} == stated


def test_the_engine_hides_them_in_streams_as_in_whole_texts(engine: MaskingEngine) -> None:
    """Line by line nothing of any value is given on."""
    for row in FOUND:
        text = text_of(row)
        mask = engine.open_stream(content_type="text/plain", profiles=("secrets",))
        body = f"before\n{text}\nafter\n".encode()
        given = b"".join(mask.feed(body[at : at + 7]) for at in range(0, len(body), 7)) + mask.end()
        assert row[2].encode() not in given, text
