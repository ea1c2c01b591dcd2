"""Language models in a configuration: where they are looked for, and that a gateway without them does not start."""

import json
from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.config.resolving import missing
from gatehold.wiring import Gateway
from policy.errors import ConfigurationError

GATEWAY = {"apiVersion": "gatehold.dev/v1", "kind": "Gateway", "metadata": {"name": "default"}, "spec": {}}
PROFILE = {"apiVersion": "gatehold.dev/v1", "kind": "MaskProfile", "metadata": {"name": "names"}}


def configuration(directory: Path, **ner: object) -> Path:
    """A directory with one profile that asks a model."""
    documents = [GATEWAY, {**PROFILE, "spec": {"ner": {"keys": ["name"], **ner}}}]
    (directory / "gatehold.yaml").write_text("\n---\n".join(map(json.dumps, documents)))
    return directory


def test_paths_start_from_the_configuration(tmp_path: Path) -> None:
    """Wherever the process was started; loading looks for nothing, `check --resolve` does."""
    loaded = load(configuration(tmp_path, model="models/en"))
    spec = loaded.profiles["names"].ner
    assert spec is not None
    assert spec.place == tmp_path / "models" / "en"
    [problem] = missing(loaded)
    assert "mask profile names" in problem.message
    assert str(spec.place) in problem.message
    spec.place.mkdir(parents=True)
    assert missing(loaded) == ()


def test_a_configuration_of_presidio_is_no_document_of_ours(tmp_path: Path) -> None:
    """It may lie beside the others, and ends in .yaml as they do."""
    (tmp_path / "nlp.yaml").write_text("nlp_engine_name: spacy\nmodels: [{lang_code: en, model_name: en}]\n")
    loaded = load(configuration(tmp_path, engine="presidio", configuration="nlp.yaml"))
    assert missing(loaded) == ()


async def test_a_gateway_without_its_model_does_not_start(tmp_path: Path) -> None:
    """With the profile's name and the place, before anything listens."""
    gateway = Gateway.build(load(configuration(tmp_path, model="models/en")))
    try:
        with pytest.raises(ConfigurationError, match=r"mask profile names: .*models/en: no such directory"):
            await gateway.start()
    finally:
        gateway.store.close()
