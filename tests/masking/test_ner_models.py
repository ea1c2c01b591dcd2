"""Language models from the disk: the whole way from a profile to masked answers, with a model that is trained here."""

import json
import logging
import random
import socket
import sys
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from masking import ner_models
from masking.detection import Hit
from masking.engine import MaskingEngine
from masking.errors import ModelUnavailable, Unmaskable
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import MaskProfileSpec, resolve
from masking.profiles.ner_spec import NerSpec
from tests.masking.tiny_model import sentence, train

JSON = "application/json"
PROFILE = """
extends: [pii]
ner:
  model: tiny
  keys: ["(?i)(customer|full)_?name|comment"]
  paths: ["$.items[*].notes"]
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model is, and where a profile that names it would be."""
    return train(tmp_path_factory.mktemp("models")).parent


@pytest.fixture(scope="module")
def offline() -> Any:
    """Whoever opens a socket fails."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        patch.setattr(socket, "create_connection", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


def engine_of(text: str, directory: Path) -> MaskingEngine:
    """An engine with the profile ``own``."""
    spec = MaskProfileSpec.model_validate(yaml.safe_load(text), context={"base": directory})
    engine = MaskingEngine(resolve({"own": spec}), key=b"k" * 32)
    engine.load_models()
    return engine


@pytest.fixture(scope="module")
def engine(directory: Path, offline: None) -> MaskingEngine:
    """An engine that asks the model, loaded without a socket."""
    return engine_of(PROFILE, directory)


def masked(engine: MaskingEngine, value: object, content_type: str = JSON) -> Any:
    """A value of JSON as an agent sees it."""
    body = engine.mask_body(json.dumps(value).encode(), content_type=content_type, profiles=("own",)).body
    assert engine.mask_body(body, content_type=content_type, profiles=("own",)).body == body
    return json.loads(body)


def test_named_values_and_no_others(engine: MaskingEngine) -> None:
    """By key, by path; elsewhere names stay, and the other detectors work everywhere."""
    said = "Grace Hopper of Globex asked for a refund."
    given = {
        "customer_name": "Ada Lovelace",
        "name": "Ada Lovelace",
        "comment": ["Karl Braun called from Berlin.", "mail ada@example.com, says Alan Turing"],
        "items": [{"notes": said, "title": said}, {"notes": {"inner": said}}, {"notes": 12}],
        "notes": said,
        "e": "ada@example.com",
    }
    hidden = "<PERSON> of <ORGANIZATION> asked for a refund."
    assert masked(engine, given) == {
        "customer_name": "<PERSON>",
        "name": "Ada Lovelace",
        "comment": ["<PERSON> called from <LOCATION>.", "mail <EMAIL_ADDRESS>, says <PERSON>"],
        "items": [{"notes": hidden, "title": said}, {"notes": {"inner": hidden}}, {"notes": 12}],
        "notes": said,
        "e": "<EMAIL_ADDRESS>",
    }


def test_an_answer_with_names_only_is_not_taken_for_clean(engine: MaskingEngine) -> None:
    """No other detector has a reason to look at it."""
    for given, want in (
        ({"full_name": "Omar Khan"}, {"full_name": "<PERSON>"}),
        ({"items": [{"notes": "Omar Khan"}]}, {"items": [{"notes": "<PERSON>"}]}),
        ({"body": json.dumps({"comment": "Omar Khan"})}, {"body": '{"comment": "<PERSON>"}'}),
    ):
        assert masked(engine, given) == want


def test_escapes_do_not_hide_names(engine: MaskingEngine) -> None:
    """In a member's name neither; untouched bytes stay as they are."""
    body = rb'{ "comm\u0065nt":"\u004fmar Khan", "big": 12345678901234567890 }'
    out = engine.mask_body(body, content_type=JSON, profiles=("own",)).body
    assert out == rb'{ "comm\u0065nt":"<PERSON>", "big": 12345678901234567890 }'


def test_forms_headers_and_lines(engine: MaskingEngine) -> None:
    """Wherever a value has a name."""
    form = engine.mask_body(
        b"comment=Omar+Khan+called+from+Oslo.&x=Omar+Khan",
        content_type="application/x-www-form-urlencoded",
        profiles=("own",),
    )
    assert form.body == b"comment=%3CPERSON%3E+called+from+%3CLOCATION%3E.&x=Omar+Khan"
    assert engine.mask_text("Omar Khan", profiles=("own",), key="x-customer-name") == ("Omar Khan", {})
    assert engine.mask_text("Omar Khan", profiles=("own",), key="customer_name")[0] == "<PERSON>"
    lines = b'{"comment": "Omar Khan"}\n{"title": "Omar Khan"}\n'
    out = engine.mask_body(lines, content_type="application/x-ndjson", profiles=("own",))
    assert out.body == b'{"comment": "<PERSON>"}\n{"title": "Omar Khan"}\n'


@pytest.mark.parametrize(
    ("content_type", "body", "want"),
    [
        (
            "text/csv",
            'id,comment,title\n1,"Met Ada Lovelace, in Paris",Ada Lovelace\n',
            'id,comment,title\n1,"Met <PERSON>, in <LOCATION>",Ada Lovelace\n',
        ),
        (
            "application/xml",
            '<r><comment>Omar Khan</comment><x customer_name="Omar Khan">Omar Khan</x></r>',
            '<r><comment>&lt;PERSON&gt;</comment><x customer_name="&lt;PERSON&gt;">Omar Khan</x></r>',
        ),
        (
            "multipart/form-data; boundary=b",
            '--b\r\nContent-Disposition: form-data; name="comment"\r\n\r\nOmar Khan of Globex\r\n--b--\r\n',
            '--b\r\nContent-Disposition: form-data; name="comment"\r\n\r\n<PERSON> of <ORGANIZATION>\r\n--b--\r\n',
        ),
        ("text/event-stream", 'data: {"comment": "Omar Khan"}\n\n', 'data: {"comment": "<PERSON>"}\n\n'),
        ("text/plain", 'at 10:00 {"comment": "Omar Khan"}', 'at 10:00 {"comment": "<PERSON>"}'),
        ("text/plain", "Omar Khan", "Omar Khan"),
    ],
)
def test_other_formats(engine: MaskingEngine, content_type: str, body: str, want: str) -> None:
    """A column, an element, an attribute, a field: whatever has a name."""
    once = engine.mask_body(body.encode(), content_type=content_type, profiles=("own",)).body
    assert once.decode() == want
    assert engine.mask_body(once, content_type=content_type, profiles=("own",)).body == once


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream(engine: MaskingEngine, size: int) -> None:
    """However it is cut."""
    body = b'{"comment": "Met Ada Lovelace and Omar Khan."}\n{"x": "Omar Khan"}\n{"items": [{"notes": "Omar Khan"}]}\n'
    stream = engine.open_stream(content_type="application/x-ndjson", profiles=("own",))
    out = b"".join(stream.feed(body[at : at + size]) for at in range(0, len(body), size)) + stream.end()
    assert out == (
        b'{"comment": "Met <PERSON> and <PERSON>."}\n{"x": "Omar Khan"}\n{"items": [{"notes": "<PERSON>"}]}\n'
    )


def vanilla(model: Path) -> Callable[[str], set[Hit]]:
    """What Presidio's own analyzer says with the same model."""
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    stated = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": str(model)}]}
    nlp_engine = NlpEngineProvider(nlp_configuration=stated).create_engine()
    registry = RecognizerRegistry(recognizers=[SpacyRecognizer()], supported_languages=["en"])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=nlp_engine, supported_languages=["en"])

    def ask(text: str) -> set[Hit]:
        found = analyzer.analyze(text, "en", entities=["PERSON", "LOCATION", "ORGANIZATION"], score_threshold=0.5)
        return {Hit(each.entity_type, each.start, each.end, each.score) for each in found}

    return ask


def test_what_is_found_is_what_presidio_finds(directory: Path) -> None:
    """The same spans, entities and scores on made-up texts; after masking only what is left may be more."""
    ask = vanilla(directory / "tiny")
    spec = NerSpec(model=directory / "tiny", keys=("comment",))
    reader = ner_models.reader(spec)
    profile = resolve({"own": MaskProfileSpec(ner=spec)})["own"]
    judge = Plan([profile], Operators(b"k" * 32)).judge
    chance = random.Random(3)
    texts = [" ".join(sentence(chance)[0] for _ in range(chance.randint(1, 5))) for _ in range(150)]
    found = 0
    for text in [*texts, "", " ", "Ünïcode Ada Lovelace 🙂 in Paris", "12 34", "ADA LOVELACE", "a\nb Berlin\n"]:
        want = ask(text)
        assert set(reader.read(text)) == want
        assert want <= set(judge.hits(text, asked=frozenset({0})))
        found += len(want)
    assert found > 300


def test_from_several_threads(engine: MaskingEngine) -> None:
    """As from one; the vocabulary of a model belongs to one at a time."""
    chance = random.Random(5)
    bodies = [json.dumps({"comment": sentence(chance)[0] + f" no {n}"}).encode() for n in range(60)]

    def mask(body: bytes) -> bytes:
        return engine.mask_body(body, content_type=JSON, profiles=("own",)).body

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(mask, bodies)) == [mask(body) for body in bodies]


def test_the_vocabulary_does_not_grow(directory: Path) -> None:
    """Words of texts are forgotten, however many come."""
    spec = NerSpec(model=directory / "tiny", keys=("a",))
    ner_models._loaded.cache_clear()
    reader = ner_models.reader(spec)
    vocabulary = reader._model._engine.nlp["en"].vocab  # type: ignore[attr-defined]
    reader.read("warm Ada")

    def known() -> tuple[int, int]:
        # Not its length: that counts what was ever added.
        return sum(1 for _ in vocabulary), len(vocabulary.strings)

    before = known()
    for number in range(300):
        reader.read(f"word{number} Ada{number} called from Berlin{number}")
    assert known() == before


@pytest.mark.usefixtures("offline")
class TestRefusals:
    """What cannot be had is refused at once, in words that say what to do; no socket is opened."""

    def refused(self, directory: Path, **stated: Any) -> str:
        """Why a model is refused."""
        spec = NerSpec.model_validate({"keys": ["a"], **stated}, context={"base": directory})
        with pytest.raises(ModelUnavailable) as refusal:
            ner_models.reader(spec)
        return refusal.value.reason

    def test_missing(self, tmp_path: Path) -> None:
        """The name of a package that spaCy could download is a path as well."""
        assert "no such directory" in self.refused(tmp_path, model="en_core_web_sm")

    def test_not_a_model(self, tmp_path: Path) -> None:
        """An empty directory, a torn configuration."""
        (tmp_path / "empty").mkdir()
        assert "cannot be loaded" in self.refused(tmp_path, model="empty")

    def test_an_entity_that_the_model_never_finds(self, directory: Path) -> None:
        """Somebody would rely on it."""
        assert "finds no NRP; it finds LOCATION, ORGANIZATION, PERSON" in self.refused(
            directory, model="tiny", entities=["PERSON", "NRP"]
        )

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("nlp_engine_name: no_op", "should be spacy, transformers or stanza"),
            ("nlp_engine_name: spacy\nmodels: [{lang_code: en, model_name: en_core_web_lg}]", "no such directory"),
            ("nlp_engine_name: spacy\nmodels: [{lang_code: de, model_name: .}]", "no model with lang_code en"),
            ("nlp_engine_name: stanza\nmodels: [{lang_code: en, model_name: en}]", "stanza is not installed"),
            ("[", "cannot be loaded"),
        ],
    )
    def test_configurations(self, tmp_path: Path, text: str, said: str) -> None:
        """Of Presidio's engines."""
        (tmp_path / "nlp.yaml").write_text(text)
        assert said in self.refused(tmp_path, engine="presidio", configuration="nlp.yaml")

    def test_no_configuration(self, tmp_path: Path) -> None:
        """A file that is not there."""
        assert "no such file" in self.refused(tmp_path, engine="presidio", configuration="nlp.yaml")

    def test_no_gliner(self, tmp_path: Path) -> None:
        """Its library is not part of the installation."""
        assert "gliner is not installed" in self.refused(tmp_path, engine="gliner", model=".")

    def test_every_way_of_downloading_is_closed(self, tmp_path: Path) -> None:
        """Also where an engine is asked for a model past all checks."""
        for engine in (ner_models._Spacy, ner_models._Transformers):
            with pytest.raises(ModelUnavailable, match="nothing is downloaded"):
                engine._download_spacy_model_if_needed("en_core_web_lg")
        assert not ner_models._Stanza([{"lang_code": "en", "model_name": "en"}]).download_if_missing

    def test_masking_without_the_model_is_refused(self, tmp_path: Path) -> None:
        """Where nobody asked at the start, the body is blocked."""
        spec = MaskProfileSpec(ner=NerSpec(model=tmp_path / "nowhere", keys=("a",)))
        engine = MaskingEngine(resolve({"own": spec}))
        with pytest.raises(ModelUnavailable, match=r"mask profile own: .*nowhere: no such directory"):
            engine.load_models()
        with pytest.raises(Unmaskable):
            engine.mask_body(b'{"b": 1}', content_type=JSON, profiles=("own",))


def test_presidios_own_configuration(directory: Path) -> None:
    """Its mapping of labels counts, and its models lie beside it."""
    (directory / "nlp.yaml").write_text(
        "nlp_engine_name: spacy\n"
        "models: [{lang_code: en, model_name: tiny}]\n"
        "ner_model_configuration:\n"
        "  model_to_presidio_entity_mapping: {PERSON: PERSON, GPE: CITY, ORG: ORGANIZATION}\n"
        "  labels_to_ignore: [ORG]\n"
        "  default_score: 0.7\n"
    )
    text = "ner: {engine: presidio, configuration: nlp.yaml, keys: [c], entities: [PERSON, CITY], operator: redact}"
    assert masked(engine_of(text, directory), {"c": "Ada Lovelace of Globex called from Oslo."}) == {
        "c": " of Globex called from ."
    }


def test_gliner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through Presidio's recognizer: from the directory only, with the entities' names as labels."""
    from presidio_analyzer.predefined_recognizers.ner import gliner_recognizer

    asked: list[Any] = []

    class Gliner:
        """As the library's class."""

        @classmethod
        def from_pretrained(cls, place: str, **options: Any) -> "Gliner":
            """Notes what it is asked for."""
            asked.extend((place, options["local_files_only"]))
            return cls()

        def predict_entities(self, *, text: str, labels: list[str], **_: Any) -> list[dict[str, Any]]:
            """Finds Ada."""
            asked.append(sorted(labels))
            at = text.find("Ada")
            return [{"label": "person", "start": at, "end": at + 3, "score": 0.9}] if at >= 0 else []

    module = types.ModuleType("gliner")
    module.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "gliner", module)
    monkeypatch.setattr(gliner_recognizer, "GLiNER", Gliner)
    for name in ner_models._OFFLINE:
        monkeypatch.setenv(name, "0")
    engine = engine_of("ner: {engine: gliner, model: ., keys: [c], entities: [PERSON, JOB_TITLE]}", tmp_path)
    assert masked(engine, {"c": "by Ada"}) == {"c": "by <PERSON>"}
    assert asked[:3] == [str(tmp_path), True, ["job title", "person"]]


def test_texts_are_not_logged(engine: MaskingEngine, caplog: pytest.LogCaptureFixture) -> None:
    """Not by Presidio, spaCy or us."""
    with caplog.at_level(logging.DEBUG):
        masked(engine, {"comment": "Mary Shelley called from Kyoto."})
    assert "Shelley" not in caplog.text
