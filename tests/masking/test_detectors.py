"""What is detected is what Presidio detects; and Presidio's known hazards are none here."""

import gc
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tldextract
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, predefined_recognizers
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from masking import detectors
from masking.errors import Unmaskable
from masking.guard import keeps
from masking.plan import Plan
from masking.private_domains import is_private
from masking.profiles.spec import EntitySpec
from masking.screens import COUNTRY_ENTITIES, PRESIDIO_ENTITIES, SCREENS

ENTITIES = ["CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER", "US_ITIN", "US_SSN"]
CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/presidio.yaml").read_text("utf-8"))
BEYOND = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/beyond_presidio.yaml").read_text("utf-8"))
THRESHOLD = 0.5
KEYS = [*CASES["keys"], "ip", "url", "date_of_birth", "bankAccount", "driver license", "passport", "uuid", "mac", "nhs"]
OTHERS = [
    "2024-11-21T04:03:52.1Z", "1/2/24", "31.12.1999", "12-JAN-24", "feb-2023", "3-mar", "12/2024", "::ffff:10.0.0.1",
    "1:2:3:4:5:6:7:8", "fe80::1%eth0", "00-1a-2b-3c-4d-5e", "001A.2B3C.4D5E", "BB1388568", "f91234563", "943 476 5919",
    "401-023-2137", "https://www.example.co.uk/a?b", "'www1.example.com'", "example.community/x", "945456787654",
    "H12234567", "a-z]]12345", "12ABC12345", "A12803456", "550e8400-e29b-41d4-a716-446655440000", "license", "account",
]  # fmt: skip

type Found = set[tuple[str, int, int, float]]
type MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def analyzer() -> AnalyzerEngine:
    """Presidio as it comes, without a language model."""
    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": ""}])
    nlp.load()
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's e-mail recognizer would fetch the public suffix list: it gets the bundled one, as ours has."""
    monkeypatch.setattr(tldextract, "extract", detectors._suffixes())


def vanilla(analyzer: AnalyzerEngine, text: str, words: list[str]) -> Found:
    results = analyzer.analyze(text, "en", entities=ENTITIES, context=words, score_threshold=THRESHOLD)
    return {(each.entity_type, each.start, each.end, round(each.score, 9)) for each in results}


def words_of(text: str, key: str) -> list[str]:
    return re.findall(r"\w+", key) + re.findall(r"\w+", text.lower())


def settled(analyzer: AnalyzerEngine, text: str, words: list[str], offset: int = 0) -> Found:
    """What Presidio finds, and what it finds in what is left between that, as it stands after masking."""
    found = vanilla(analyzer, text, words)
    result = {(entity, start + offset, end + offset, score) for entity, start, end, score in found}
    for start, end in gaps(found, len(text)) if found else ():
        result |= settled(analyzer, text[start:end], words, offset + start)
    return result


def gaps(found: Found, length: int) -> Iterator[tuple[int, int]]:
    position = 0
    for _, start, end, _ in sorted(found, key=lambda each: each[1]):
        if start > position:
            yield position, start
        position = max(position, end)
    if position < length:
        yield position, length


def ours(plan: Plan, text: str, key: str) -> Found:
    return {(hit.entity, hit.start, hit.end, round(hit.score, 9)) for hit in plan.judge.hits(text, key)}


@pytest.fixture(scope="session")
def plain_plan(make_plan: MakePlan) -> Plan:
    """The default entities, without what is found beyond Presidio."""
    return make_plan(spec={"extends": ["pii", "pci"], "embedded": False})


@pytest.fixture(scope="session")
def guarded_plan(make_plan: MakePlan) -> Plan:
    """The same behind the boundary guard."""
    return make_plan(spec={"extends": ["pii", "pci"], "embedded": False, "guard": "boundary"})


@pytest.mark.parametrize("text", CASES["texts"])
def test_results_equal_presidio_on_the_cases(text: str, analyzer: AnalyzerEngine, plain_plan: Plan) -> None:
    """Same entities, spans and scores, with every key."""
    for key in CASES["keys"]:
        assert ours(plain_plan, text, key) == settled(analyzer, text, words_of(text, key)), key


FRAGMENT = st.sampled_from(
    [
        *(value for text in CASES["texts"] for value in text.split(" ")),
        "phone", "call", "ssn", "tax", "wallet", "bank", "number", " ", " ", ", ", "-", "_", ".", "/", ":", "@", "\n", "(", "+1",
        "x", "é", "0", "12", "2024-11-21T04:03:52Z", "10.0.0.1", "web-6b6846b9d6-hp8h2",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENT, max_size=8).map("".join), st.sampled_from(CASES["keys"]))
def test_results_equal_presidio_on_made_texts(analyzer: AnalyzerEngine, plain_plan: Plan, text: str, key: str) -> None:
    """The same for texts put together from values, pieces of values and what stands between them."""
    assert ours(plain_plan, text, key) == settled(analyzer, text, words_of(text, key))


@settings(max_examples=50, deadline=None)
@given(st.lists(FRAGMENT, max_size=6).map("".join), st.sampled_from(CASES["keys"]))
def test_the_guard_only_drops(analyzer: AnalyzerEngine, guarded_plan: Plan, text: str, key: str) -> None:
    """Behind the guard everything is found that Presidio finds and the guard believes."""
    found = vanilla(analyzer, text, words_of(text, key))
    believed = {each for each in found if keeps(each[0], text, each[1], each[2])}
    assert believed <= ours(guarded_plan, text, key)


@pytest.fixture(scope="session")
def full_plan(make_plan: MakePlan) -> Plan:
    """Every entity of Presidio, whatever its score."""
    return make_plan(spec={"entities": {entity: {} for entity in SCREENS}, "threshold": 0.0, "embedded": False})


@settings(max_examples=60, deadline=None)
@given(st.lists(FRAGMENT | st.sampled_from(OTHERS), max_size=6).map("".join), st.sampled_from(KEYS))
def test_every_entity_equals_presidio(analyzer: AnalyzerEngine, full_plan: Plan, text: str, key: str) -> None:
    """Those that are off by default too, with weak hits and strong ones."""
    words = words_of(text, key)
    results = analyzer.analyze(text, "en", entities=sorted(SCREENS), context=words, score_threshold=0.0)
    expected = {(each.entity_type, each.start, each.end, round(each.score, 9)) for each in results}
    lifted = full_plan.judge._lift(text, key)
    found = {
        (hit.entity, hit.start, hit.end, round(hit.score, 9))
        for sense in full_plan.judge.senses
        for hit in sense.hits(text, lifted=lifted(sense))
    }
    assert found == expected


@pytest.mark.parametrize("entity", sorted(COUNTRY_ENTITIES))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_recognizers_of_countries_equal_presidio(entity: str, data: st.DataObject) -> None:
    """Each by itself, on texts made from its patterns."""
    recognizer = detectors.country_recognizers()[entity]
    pattern = data.draw(st.sampled_from(recognizer.patterns)).regex.replace("(?i)", "")
    plain = re.sub(r"\(\?<?[=!](?:[^()]|\([^()]*\))*\)", "", pattern)
    made = (
        st.from_regex(re.compile(plain, re.ASCII), alphabet=st.characters(codec="latin-1"))
        if compiles(plain)
        else FRAGMENT
    )
    text = " ".join(data.draw(st.lists(made | FRAGMENT, min_size=1, max_size=3)))
    expected = {(each.start, each.end, each.score) for each in recognizer.analyze(text, [entity])}
    (detector,) = detectors.builtin(entity)
    assert {(hit.start, hit.end, hit.score) for hit in detector.find(text, lifted=False, threshold=0.0)} == expected


def compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def test_a_country_is_asked_for_by_name(make_plan: MakePlan) -> None:
    """``entities: {ES_NIF: {}}`` is all that it takes; nothing is found of it where no profile asks."""
    text = "dni 12345678Z"
    assert [hit.entity for hit in make_plan(spec={"entities": {"ES_NIF": {}}}).judge.hits(text)] == ["ES_NIF"]
    assert not make_plan("pii", "pci", "secrets").judge.hits(text)


def test_the_list_of_entities_is_that_of_presidio() -> None:
    """A newer Presidio with other recognizers has to be looked at."""
    assert set(detectors.recognizers()) == set(SCREENS)
    assert set(detectors.country_recognizers()) == COUNTRY_ENTITIES
    offered = {
        kind().supported_entities[0]
        for kind in map(predefined_recognizers.__dict__.get, predefined_recognizers.__all__)
        if isinstance(kind, type) and ".country_specific." in kind.__module__ and issubclass(kind, PatternRecognizer)
    }
    assert offered - set(SCREENS) - COUNTRY_ENTITIES == {"US_MBI", "US_NPI"}


def test_recognizers_work_as_they_are_read_here() -> None:
    """None but the two that are known analyzes in a way of its own, and none has thresholds of its own."""
    for entity, recognizer in {**detectors.recognizers(), **detectors.country_recognizers()}.items():
        assert recognizer.supported_entities == [entity]
        own = type(recognizer).analyze is not PatternRecognizer.analyze
        assert own == (entity in {"IBAN_CODE", "PHONE_NUMBER"})
        assert recognizer.score_thresholds == {}


@pytest.mark.parametrize(
    "text",
    [
        "a.a.a." * 2730 + "@",
        "a.a.a." * 2730 + "@x",
        "a@" * 8192,
        "a.@" * 5461,
        "@" + "a.a-" * 4096,
        ("a.a.a." * 100 + "@") * 27,
    ],
)
def test_hostile_addresses_are_read_in_linear_time(text: str) -> None:
    """16 KB on which Presidio's pattern runs for half a minute; the test's own timeout is the bound."""
    (detector,) = detectors.builtin("EMAIL_ADDRESS")
    assert detector.find(text, lifted=False, threshold=0.5) == []


def test_a_long_local_part_is_hidden_whole() -> None:
    """Nothing of it is left, however far from the @ it begins."""
    (detector,) = detectors.builtin("EMAIL_ADDRESS")
    text = "see " + "ab." * 2000 + "z@example.com now"
    (hit,) = detector.find(text, lifted=False, threshold=0.5)
    assert (hit.start, hit.end) == (4, len(text) - 4)


def test_running_out_of_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio drops a pattern that times out and goes on, which would be a leak."""
    monkeypatch.setattr(detectors, "REGEX_SECONDS", 1e-9)
    detector = detectors.custom("OWN", EntitySpec(regex=r"[a-z]{1,200}!"))
    with pytest.raises(Unmaskable, match="out of time"):
        detector.find("a" * 20_000, lifted=False, threshold=0.5)


def test_phones_are_read_as_presidio_is_set() -> None:
    """Its strictness is the one that is built in here."""
    assert detectors.recognizers()["PHONE_NUMBER"].leniency == 1


def test_no_suffix_list_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first e-mail makes no connection, and asks not even for an address."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    detectors._suffixes.cache_clear()
    (detector,) = detectors.builtin("EMAIL_ADDRESS")
    assert len(detector.find("bob@example.com", lifted=False, threshold=0.5)) == 1


def test_presidio_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The IBAN recognizer would log the text that it could not validate."""
    caplog.set_level(logging.DEBUG)
    (detector,) = detectors.builtin("IBAN_CODE")
    detector.find("ÄÖ89370400440532013000 DE8937040044053201300ß", lifted=True, threshold=0.0)
    logging.getLogger("presidio-analyzer").error("Failed to validate text DE89")
    assert "DE89" not in caplog.text


def test_an_own_entity_is_found_and_lifted_by_its_context(make_plan: MakePlan) -> None:
    """A regex or a list of words of a profile behaves like Presidio's own."""
    plan = make_plan(
        spec={
            "entities": {
                "EMPLOYEE_ID": {"regex": r"\bE-[0-9]{6}\b", "score": 0.3, "context": ["badge"]},
                "CODENAME": {"denyList": ["Bluebird", "Red Fox"]},
            }
        }
    )
    assert not plan.judge.hits("E-123456")
    assert [hit.entity for hit in plan.judge.hits("E-123456", "badge_no")] == ["EMPLOYEE_ID"]
    assert [hit.entity for hit in plan.judge.hits("about Red Fox and bluebirds")] == ["CODENAME"]


def test_the_cases_hold_every_entity(plain_plan: Plan) -> None:
    """The comparison is not one of nothing with nothing."""
    found = {hit.entity for text in CASES["texts"] for key in CASES["keys"] for hit in plain_plan.judge.hits(text, key)}
    assert found == set(ENTITIES)


@pytest.mark.parametrize("difference", BEYOND, ids=lambda each: each["what"])
def test_differences_are_those_that_are_listed(
    difference: dict[str, Any], analyzer: AnalyzerEngine, make_plan: MakePlan
) -> None:
    """Each text of the list holds what Presidio passes over, and ours hides it."""
    plan = make_plan("pii", "pci")
    for text, entity in difference["texts"].items():
        found = {each[0] for each in vanilla(analyzer, text, words_of(text, ""))}
        assert (entity in found) == difference["presidio"], text
        assert entity in {edit.entity for edit in plan.judge.edits(text)}, text


DOMAINS = [
    "example.com",
    "example.co.uk",
    "co.uk",
    "com",
    "example.invalid",
    "a.b.c.example.museum",
    "x_y.com",
    "1.2.3.4",
]
HOSTILE = [
    "a.a.a." * 2730 + "@", "a.co" * 4096, "'a.co/" * 2730, "http://a." * 1820, "1/" * 8192, "1 -" * 5461, "1234 " * 3276,
    "0049 30 " * 2048, "DE89" * 4096, "bc1" * 5461, "1:" * 8192, "a::" * 5461, "1." * 8192, "00:1A:2B:3C:4D:" * 1092,
    "A1-" * 5461, "550e8400-e29b-41d4-a716-" * 682, "1" * 16384, "a" * 16384, "\uff11\u200b" * 8192,
]  # fmt: skip


@pytest.mark.parametrize("entity", sorted(PRESIDIO_ENTITIES))
def test_hostile_texts_are_answered(entity: str) -> None:
    """No detector refuses a text that was made to keep it busy: benchmarks/hostile_texts.py tells how long they take."""
    (detector,) = detectors.builtin(entity)
    for text in HOSTILE:
        assert isinstance(detector.find(text, lifted=True, threshold=0.0), list)


def test_no_vocabulary_grows_with_what_is_judged(make_plan: MakePlan) -> None:
    """A language model would remember every word that it was ever shown; the engine in use has none."""
    plan = make_plan("pii", "pci", "secrets", "health")
    plan.judge.edits("phone 212-555-5555 of bob@example.com")
    before = vocabulary()
    for number in range(300):
        plan.judge.edits(f"word{number}x phone 212-555-5555 of someone{number}@example.com")
    assert vocabulary() == before


def vocabulary() -> int:
    """How many strings the vocabularies of spaCy in this process hold."""
    return sum(len(each.strings) for each in gc.get_objects() if type(each).__qualname__ == "Vocab")


@given(st.from_regex(r"[a-z!#$%&'*+/=?^_`{|}~.:-]{1,12}", fullmatch=True), st.sampled_from(DOMAINS))
def test_a_domain_is_judged_once_for_all_its_addresses(local: str, domain: str) -> None:
    """And as the validator judges each of them: signs of a URL in the local part make it give up, on private ones too."""
    (email,) = detectors.builtin("EMAIL_ADDRESS")
    assert isinstance(email, detectors.EmailDetector)
    value = f"{local}@{domain}"
    private = is_private(domain) and not re.search("[/?#]", local)
    assert email._score(value, 0.5) == float(bool(detectors._suffixes()(value).fqdn) or private)


@pytest.mark.parametrize("entity", ["CREDIT_CARD", "UK_NHS", "US_SSN"])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_check_that_is_made_at_once_is_that_of_the_recognizer(entity: str, data: st.DataObject) -> None:
    """For everything that its patterns find, in any script."""
    (detector,) = detectors.builtin(entity)
    assert isinstance(detector, detectors.CheckedDetector)
    pattern = data.draw(st.sampled_from(detectors.recognizers()[entity].patterns))
    value = data.draw(st.from_regex(re.compile(pattern.regex), fullmatch=True))
    assert detector._score(value, 0.5) == detectors.PatternDetector._score(detector, value, 0.5)


@settings(max_examples=200, deadline=None)
@given(
    st.text("ab1.-+/?#:!'=", min_size=1, max_size=8),
    st.lists(st.text("abc-1\u00e9", min_size=1, max_size=4), min_size=1, max_size=3).map(".".join),
    st.sampled_from([".com", ".co.uk", ".zz", ".github.io", ""]),
)
def test_an_address_counts_where_its_host_has_a_public_suffix(local: str, name: str, suffix: str) -> None:
    """Hosts are remembered: what stands before the sign makes no difference, or is asked about with it."""
    value = f"{local}@{name}{suffix}"
    (detector,) = detectors.builtin("EMAIL_ADDRESS")
    assert isinstance(detector, detectors.EmailDetector)
    assert detector._score(value, 0.5) == float(bool(detectors._suffixes()(value).fqdn))
