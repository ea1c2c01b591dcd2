"""Language models by Presidio's own NLP engines, from the disk and from nowhere else. Importing it takes seconds.

Presidio's engines download what they miss. Here each is asked only for directories that exist, and those of its
methods that would download refuse instead.
"""

import importlib.util
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml
from presidio_analyzer.nlp_engine import (
    NerModelConfiguration,
    NlpEngineProvider,
    SpacyNlpEngine,
    StanzaNlpEngine,
    TransformersNlpEngine,
)
from presidio_analyzer.predefined_recognizers import GLiNERRecognizer, SpacyRecognizer

from masking.detection import Hit
from masking.errors import ModelUnavailable
from masking.ner import Reader
from masking.profiles.ner_spec import NerSpec

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
"""What keeps libraries of Hugging Face from the network, whatever they are asked for."""
_LIBRARIES = {"spacy": "spacy", "transformers": "transformers", "stanza": "stanza", "gliner": "gliner"}


def _refuse(model_name: str) -> NoReturn:
    raise ModelUnavailable(f"language model {model_name} is not on the disk; nothing is downloaded")


class _Spacy(SpacyNlpEngine):
    @staticmethod
    def _download_spacy_model_if_needed(model_name: str) -> None:
        if not Path(model_name).is_dir():
            _refuse(model_name)


class _Transformers(TransformersNlpEngine):
    @staticmethod
    def _download_spacy_model_if_needed(model_name: str) -> None:
        if not Path(model_name).is_dir():
            _refuse(model_name)


class _Stanza(StanzaNlpEngine):
    def __init__(self, models: Any = None, ner_model_configuration: Any = None) -> None:
        super().__init__(models, ner_model_configuration, download_if_missing=False)


class NlpModel:
    """An NLP engine of Presidio with its recognizer."""

    def __init__(self, engine: Any, language: str) -> None:
        self._engine = engine
        self._language = language
        self._lock = threading.Lock()
        mapping = engine.ner_model_configuration.model_to_presidio_entity_mapping
        labels = {label for found in engine.nlp[language].pipe_labels.values() for label in found}
        self.entities = {mapping.get(label, label) for label in labels} | _span_entities(engine, mapping)
        self._recognizer = SpacyRecognizer(supported_language=language, supported_entities=sorted(self.entities))

    def read(self, text: str) -> tuple[Hit, ...]:
        """Everything that it sees in a text."""
        # A zone gives back what the vocabulary learned from the text; it belongs to the model, hence the lock.
        with self._lock, self._zone():
            seen = self._engine.process_text(text, self._language)
            found = self._recognizer.analyze(text, sorted(self.entities), seen)
            return tuple(Hit(each.entity_type, each.start, each.end, float(each.score)) for each in found)

    def _zone(self) -> AbstractContextManager[Any]:
        zone: Callable[[], AbstractContextManager[Any]] = getattr(
            self._engine.nlp[self._language], "memory_zone", nullcontext
        )
        return zone()


def _span_entities(engine: Any, mapping: Mapping[str, str]) -> set[str]:
    """Engines other than spaCy do not tell their labels: they are believed to know what Presidio maps."""
    return set() if isinstance(engine, _Spacy) else set(mapping.values())


class GlinerModel:
    """Presidio's GLiNER recognizer, asked for entities by their names in lower case."""

    def __init__(self, model: Path, entities: tuple[str, ...]) -> None:
        self.entities = set(entities)
        labels = {entity.lower().replace("_", " "): entity for entity in entities}
        self._lock = threading.Lock()
        # It loads as it is made.
        self._recognizer = GLiNERRecognizer(model_name=str(model), entity_mapping=labels, local_files_only=True)

    def read(self, text: str) -> tuple[Hit, ...]:
        """Everything that it sees in a text."""
        with self._lock:
            found = self._recognizer.analyze(text, sorted(self.entities))
        return tuple(Hit(each.entity_type, each.start, each.end, float(each.score)) for each in found)


def reader(spec: NerSpec) -> Reader:
    """The model of a profile, loaded once for all. Raises ``ModelUnavailable`` with what to do."""
    gliner = spec.entities if spec.engine == "gliner" else ()
    loaded, entities = _loaded(spec.engine, spec.place, spec.language, gliner)
    strange = [entity for entity in spec.entities if entity not in entities]
    if strange:
        known = ", ".join(sorted(entities)) or "nothing"
        raise ModelUnavailable(f"{spec.place}: finds no {strange[0]}; it finds {known}")
    return loaded


@cache
def _loaded(engine: str, place: Path, language: str, entities: tuple[str, ...]) -> tuple[Reader, frozenset[str]]:
    try:
        model = _load(engine, place, language, entities)
    except ModelUnavailable:
        raise
    except Exception as error:
        # Libraries of models raise whatever they like where a file of a model is not what they expect.
        raise ModelUnavailable(f"{place}: cannot be loaded ({type(error).__name__}: {error})") from error
    return Reader(model), frozenset(model.entities)


def _load(engine: str, place: Path, language: str, entities: tuple[str, ...]) -> "NlpModel | GlinerModel":
    if engine == "presidio":
        return _configured(place, language)
    _need(engine)
    if not place.is_dir():
        raise ModelUnavailable(f"{place}: no such directory; put a model there, nothing is downloaded")
    if engine == "gliner":
        os.environ.update(_OFFLINE)
        return GlinerModel(place, entities)
    spacy = _Spacy([{"lang_code": language, "model_name": str(place)}], NerModelConfiguration())
    spacy.load()
    return NlpModel(spacy, language)


def _need(engine: str) -> None:
    if importlib.util.find_spec(_LIBRARIES[engine]) is None:
        raise ModelUnavailable(f"ner: the library {_LIBRARIES[engine]} is not installed")


def _configured(file: Path, language: str) -> NlpModel:
    """By a file as Presidio's ``NlpEngineProvider`` reads it."""
    if not file.is_file():
        raise ModelUnavailable(f"{file}: no such file")
    stated = yaml.safe_load(file.read_text("utf-8"))
    if not isinstance(stated, dict) or stated.get("nlp_engine_name") not in {"spacy", "transformers", "stanza"}:
        raise ModelUnavailable(f"{file}: nlp_engine_name should be spacy, transformers or stanza")
    name = str(stated["nlp_engine_name"])
    _need(name)
    os.environ.update(_OFFLINE)
    models = [_placed(model, file, name) for model in stated.get("models") or ()]
    if language not in {model.get("lang_code") for model in models}:
        raise ModelUnavailable(f"{file}: there is no model with lang_code {language}")
    provider = NlpEngineProvider((_Spacy, _Transformers, _Stanza), nlp_configuration={**stated, "models": models})
    return NlpModel(provider.create_engine(), language)


def _placed(model: dict[str, Any], file: Path, engine: str) -> dict[str, Any]:
    """A model of a configuration, with the directories that it names as absolute paths; they exist."""
    named = model.get("model_name")
    if engine == "stanza":
        _directory(str(named), Path(os.environ.get("STANZA_RESOURCES_DIR") or Path.home() / "stanza_resources"))
        return model
    if isinstance(named, dict):
        return {**model, "model_name": {part: _directory(str(name), file.parent) for part, name in named.items()}}
    return {**model, "model_name": _directory(str(named), file.parent)}


def _directory(name: str, base: Path) -> str:
    place = base.absolute() / name
    if not place.is_dir():
        raise ModelUnavailable(f"{place}: no such directory; put a model there, nothing is downloaded")
    return str(place)
