"""The user of a kubeconfig context."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.kubeconfig import client_certificate, read_user, static_token
from gatehold.credentials.sources import Files


def write(directory: Path, user: dict[str, Any], **changes: Any) -> Path:
    """A kubeconfig with two contexts; ``prod`` is this user's."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "clusters": [{"name": "c", "cluster": {"server": "https://elsewhere.example"}}],
        "contexts": [
            {"name": "prod", "context": {"cluster": "c", "user": "gate"}},
            {"name": "dev", "context": {"cluster": "c", "user": "other"}},
        ],
        "users": [{"name": "gate", "user": user}, {"name": "other", "user": {"token": "planted-other"}}],
        **changes,
    }
    file = directory / "kubeconfig.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_the_context_decides(tmp_path: Path) -> None:
    """The one that is named, else the current one."""
    file = write(tmp_path, {"token": "planted-gate"})
    for context, token in (("prod", "planted-gate"), ("dev", "planted-other"), (None, "planted-other")):
        found = static_token(read_user(file, context, Files()), Files())
        assert found is not None
        assert found.reveal() == token


def test_a_token_file_goes_before_a_token(tmp_path: Path) -> None:
    """As in client-go; its path starts at the kubeconfig, and its changes are noticed."""
    (tmp_path / "token").write_text("planted-file\n")
    files = Files()
    found = static_token(read_user(write(tmp_path, {"token": "x", "tokenFile": "token"}), "prod", files), files)
    assert found is not None
    assert found.reveal() == "planted-file"
    assert not files.changed()
    (tmp_path / "token").unlink()
    assert files.changed()


def test_client_certificates(tmp_path: Path, pair: Any) -> None:
    """As data or as files, and only both halves."""
    data = {
        "client-certificate-data": base64.b64encode(pair.certificate.encode()).decode(),
        "client-key-data": base64.b64encode(pair.key.encode()).decode(),
    }
    (tmp_path / "c.pem").write_text(pair.certificate)
    (tmp_path / "k.pem").write_text(pair.key)
    for user in (data, {"client-certificate": "c.pem", "client-key": "k.pem"}):
        found = client_certificate(read_user(write(tmp_path, user), "prod", Files()), Files())
        assert found is not None
        assert (found[0].strip(), found[1].reveal().strip()) == (pair.certificate.strip(), pair.key.strip())
    for half in ({"client-certificate": "c.pem"}, {"client-key": "k.pem"}):
        with pytest.raises(CredentialUnavailable, match="belong together"):
            client_certificate(read_user(write(tmp_path, half), "prod", Files()), Files())
    user = read_user(write(tmp_path, {"client-certificate-data": "planted!"}), "prod", Files())
    with pytest.raises(CredentialUnavailable, match="not base64"):
        client_certificate(user, Files())


@pytest.mark.parametrize(
    ("user", "changes", "problem"),
    [
        ({"token": "planted"}, {"current-context": None}, "no current context"),
        ({"token": "planted"}, {"contexts": []}, "exactly one context"),
        ({"token": "planted"}, {"contexts": "text"}, "exactly one context"),
        ({"token": "planted"}, {"users": []}, "exactly one user"),
        (
            {"token": "planted"},
            {"users": [{"name": "gate", "user": {}}, {"name": "gate", "user": {}}]},
            "exactly one user",
        ),
        ({"token": "planted"}, {"users": [{"name": "gate", "user": "planted"}]}, "exactly one user"),
        ({"token": "planted"}, {"clusters": []}, "exactly one cluster"),
        ({}, {}, "no credential"),
        ({"token": "planted", "as": "admin"}, {}, "acts as somebody else"),
        ({"token": "planted", "as-groups": ["system:masters"]}, {}, "acts as somebody else"),
    ],
)
def test_kubeconfigs_that_do_not_say_who(
    tmp_path: Path, user: dict[str, Any], changes: dict[str, Any], problem: str
) -> None:
    """Missing, ambiguous or of more rights than it seems: refused, without a value."""
    context = None if "current-context" in changes else "prod"
    with pytest.raises(CredentialUnavailable, match=problem) as error:
        read_user(write(tmp_path, user, **changes), context, Files())
    assert "planted" not in str(error.value)


def test_a_token_that_is_no_text(tmp_path: Path) -> None:
    """YAML reads some tokens as numbers."""
    with pytest.raises(CredentialUnavailable, match="not a text"):
        static_token(read_user(write(tmp_path, {"token": 12345678}), "prod", Files()), Files())


@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["contexts", "users", "clusters", "name", "user", "context"]), inner)
        ),
    ).map(yaml.safe_dump)
)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Nothing but ``CredentialUnavailable`` comes out of a broken kubeconfig."""
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text)
    with pytest.raises(CredentialUnavailable):
        read_user(file, "prod", Files())
