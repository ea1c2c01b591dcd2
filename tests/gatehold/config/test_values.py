"""Secrets show themselves to nobody; what stands for them is resolved when it is used."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from gatehold.config.values import (
    HIDDEN,
    MAX_SECRET,
    ConfigPath,
    CredentialUnavailable,
    Duration,
    Secret,
    SecretRef,
    Size,
)


class Holder(BaseModel):
    secret: Secret = Secret("")
    reference: SecretRef | None = None
    path: ConfigPath | None = None
    duration: Duration = 1.0
    size: Size = 1


def ref(template: str, base: Path = Path()) -> SecretRef:
    return SecretRef.parse(template, base)


@given(st.text(min_size=4))
def test_a_secret_shows_itself_to_nobody(text: str) -> None:
    secret = Secret(text)
    holder = Holder(secret=secret, reference=ref("x"))
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>9}", "%s" % secret, repr([secret]), repr(holder)]  # noqa: UP031
    shown += [holder.model_dump_json(), repr(holder.model_dump())]
    other = Holder(secret=Secret("something else"), reference=ref("x"))
    around = (repr(other), other.model_dump_json(), repr(other.model_dump()))
    assume(not any(text in part for part in around))  # `null` stands there whatever the secret is
    assert all(text not in part.replace(HIDDEN, "") for part in shown if text != HIDDEN)
    assert secret.reveal() == text


def test_a_secret_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
    with pytest.raises(TypeError):
        copy.copy(Secret("x"))
    with pytest.raises(TypeError):
        json.dumps(Secret("x"))


def test_secrets_are_compared_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_references_are_resolved_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from file\n")
    reference = ref("pre-${env:NAME}-${file:token}-post", tmp_path)
    assert [str(each) for each in reference.references] == ["${env:NAME}", f"${{file:{tmp_path / 'token'}}}"]
    assert reference.resolve({"NAME": "value"}).reveal() == "pre-value-from file-post"
    (tmp_path / "token").write_text("rotated\r\n")
    assert reference.resolve({"NAME": "value"}).reveal() == "pre-value-rotated-post"
    assert ref("literal $5 {x}").resolve({}).reveal() == "literal $5 {x}"


@pytest.mark.parametrize(
    ("template", "environ", "said"),
    [
        ("${env:NAME}", {}, "${env:NAME} is not set"),
        ("${env:NAME}", {"NAME": ""}, "${env:NAME} is empty"),
        ("${env:NAME}", {"NAME": "hunter2\nX: y"}, "${env:NAME} holds a line break"),
        ("${env:NAME}", {"NAME": "hunter2\udc80"}, "${env:NAME} holds"),
        ("${file:absent}", {}, "absent}: No such file"),
        ("${file:empty}", {}, "empty} is empty"),
        ("${file:lines}", {}, "lines} holds a line break"),
        ("${file:binary}", {}, "binary} is not UTF-8"),
        ("${file:large}", {}, "large} is larger than"),
        ("${file:.}", {}, "Is a directory"),
    ],
)
def test_what_cannot_be_resolved_is_named_without_its_value(
    tmp_path: Path, template: str, environ: dict[str, str], said: str
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "lines").write_text("hunter2\nhunter2\n")
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    (tmp_path / "large").write_text("x" * (MAX_SECRET + 1))
    with pytest.raises(CredentialUnavailable) as caught:
        ref(template, tmp_path).resolve(environ)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "template", ["", "${NAME}", "${env:}", "${env:A-B}", "x${", "${vault:x}", "a\nb", "${env:${env:A}}", 5, None, ["x"]]
)
def test_what_is_no_template_is_refused_without_repeating_it(template: Any) -> None:
    with pytest.raises(ValueError, match=r"credential|variable|nothing else") as caught:
        SecretRef.parse(template, Path())
    assert not template or str(template) not in str(caught.value).replace("${env:NAME}", "").replace("${env:...}", "")


@given(st.text())
def test_any_text_is_a_template_or_refused(template: str) -> None:
    """A template without references stands for itself."""
    try:
        reference = ref(template)
    except ValueError:
        return
    if not reference.references:
        assert reference.resolve({}).reveal() == template
    assert repr(reference) == HIDDEN


def test_durations_sizes_and_paths(tmp_path: Path) -> None:
    value = {"duration": "15m", "size": "64KiB", "path": "a/../b.pem"}
    holder = Holder.model_validate(value, context={"base": tmp_path})
    assert (holder.duration, holder.size, holder.path) == (900.0, 65536, tmp_path / "b.pem")
    assert Holder.model_validate({"path": "/abs/x"}, context={"base": tmp_path}).path == Path("/abs/x")
    for wrong in ({"duration": 15}, {"duration": "1.5h"}, {"size": "10MB"}, {"path": ""}, {"path": "."}):
        with pytest.raises(ValueError, match=r"duration|size|path"):
            Holder.model_validate(wrong)
