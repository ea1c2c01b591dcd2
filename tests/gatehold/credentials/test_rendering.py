"""Every form of credential, from every place that a value comes from."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import MAX_VALUE, origins
from gatehold.credentials.rendering import files, render

BOUND = origins("https", [("crm.corp.example", 443)])
VAULT = {"vault": {"address": "https://vault.test", "auth": {"token": "x"}, "path": "crm"}}
FIELDS = {"token": Secret("planted-field"), "user": Secret("planted-user")}


@pytest.fixture(autouse=True)
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "planted-1")
    (tmp_path / "token.txt").write_text("from-file\n")


def rendered(target: Callable[..., Any], credential: dict[str, Any], **more: Any) -> Any:
    return render(target(credential).spec.credential, FIELDS, bound=BOUND, **more)


def revealed(pairs: Any) -> list[tuple[str, str]]:
    return [(name, value.reveal()) for name, value in pairs]


@pytest.mark.parametrize(
    ("credential", "field", "value", "secrets"),
    [
        ({"header": "X-Key", "value": "${env:CRM_TOKEN}"}, ("headers", "X-Key"), "planted-1", {"planted-1"}),
        ({"header": "X-Key", "prefix": "Key ", "value": "abc"}, ("headers", "X-Key"), "Key abc", {"abc"}),
        ({"bearer": "a.${env:CRM_TOKEN}"}, ("headers", "Authorization"), "Bearer a.planted-1",
         {"a.planted-1", "planted-1"}),
        ({"bearer": "${file:token.txt}"}, ("headers", "Authorization"), "Bearer from-file", {"from-file"}),
        ({"query": "api key", "value": "ü&${env:CRM_TOKEN}"}, ("query", "api key"), "ü&planted-1",
         {"ü&planted-1", "planted-1"}),
        ({"cookie": "session", "value": "${env:CRM_TOKEN}"}, ("cookies", "session"), "planted-1", {"planted-1"}),
        ({"from": VAULT}, ("headers", "Authorization"), "Bearer planted-field", {"planted-field"}),
        ({"from": VAULT, "header": "X-Key", "value": "k=${from:token}"}, ("headers", "X-Key"), "k=planted-field",
         {"k=planted-field", "planted-field"}),
    ],
)  # fmt: skip
def test_forms(
    target: Callable[..., Any], credential: dict[str, Any], field: tuple[str, str], value: str, secrets: set[str]
) -> None:
    """In its place and in no other; what came from outside is a secret with and without the text around it."""
    injection = rendered(target, credential)
    place, name = field
    assert revealed(getattr(injection, place)) == [(name, value)]
    assert not any(getattr(injection, other) for other in ("headers", "query", "cookies") if other != place)
    assert {each.reveal() for each in injection.secrets} == secrets
    assert (injection.bound, injection.signer, injection.client_certificate) == (BOUND, None, None)


def test_basic(target: Callable[..., Any]) -> None:
    """A user name of the configuration is no secret; one that comes from elsewhere may be the key. The pair is one."""
    pair = base64.b64encode(b"gate:planted-1").decode()
    injection = rendered(target, {"basic": {"username": "gate", "password": "${env:CRM_TOKEN}"}})
    assert revealed(injection.headers) == [("Authorization", f"Basic {pair}")]
    assert {each.reveal() for each in injection.secrets} == {"planted-1", pair}
    injection = rendered(target, {"from": VAULT, "basic": {"username": "${from:user}", "password": "x"}})
    assert "planted-user" in {each.reveal() for each in injection.secrets}


def test_aws(target: Callable[..., Any]) -> None:
    """A signer; all three keys are kept out of answers."""
    keys = {"accessKeyId": "AKIAPLANTED", "secretAccessKey": "${env:CRM_TOKEN}", "sessionToken": "${from:token}"}
    injection = rendered(target, {"aws": {"service": "s3", "region": "eu-west-1", **keys}, "from": VAULT})
    assert injection.signer is not None
    assert {each.reveal() for each in injection.secrets} == {"AKIAPLANTED", "planted-1", "planted-field"}
    assert not injection.headers


def test_a_client_certificate_goes_with_any_form(
    target: Callable[..., Any], tmp_path: Path, make_pair: Callable[..., Any]
) -> None:
    """Alone or beside; it says when it ends, and its files are looked at."""
    pair = make_pair()
    (tmp_path / "tls.crt").write_text(pair.certificate)
    (tmp_path / "tls.key").write_text(pair.key)
    certificate = {"clientCertificate": {"certificate": "tls.crt", "key": "tls.key"}}
    alone = rendered(target, certificate, owner="crm", keys=tmp_path / "keys")
    assert alone.client_certificate is not None
    assert alone.client_certificate.parent == tmp_path / "keys"
    assert alone.expires_at is not None
    assert not alone.headers
    both = certificate | {"bearer": "${file:token.txt}"}
    injection = rendered(target, both, owner="crm", keys=tmp_path / "keys")
    assert (injection.client_certificate, len(injection.headers)) == (alone.client_certificate, 1)
    found = files(target(both).spec.credential)
    assert found == (tmp_path / "token.txt", tmp_path / "tls.crt", tmp_path / "tls.key")
    with pytest.raises(CredentialUnavailable, match="place"):
        rendered(target, certificate)


def test_certificate_files_that_are_none(
    target: Callable[..., Any], tmp_path: Path, make_pair: Callable[..., Any]
) -> None:
    """Missing, binary, huge, of another pair: told with the path, never with the content."""
    (tmp_path / "good.crt").write_text(make_pair().certificate)
    (tmp_path / "bad.key").write_text("planted-key")
    (tmp_path / "binary").write_bytes(b"planted\xff")
    (tmp_path / "huge").write_bytes(b"planted" * 50_000)
    for certificate, key in (("gone", "bad.key"), ("binary", "bad.key"), ("huge", "bad.key"), ("good.crt", "bad.key")):
        credential = {"clientCertificate": {"certificate": certificate, "key": key}}
        with pytest.raises(CredentialUnavailable) as error:
            rendered(target, credential, owner="crm", keys=tmp_path / "keys")
        assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    "credential",
    [
        {"cookie": "session", "value": 'a"planted'},
        {"cookie": "session", "value": "a;planted"},
        {"cookie": "session", "value": "a planted"},
        {"cookie": "session", "value": "plänted"},
        {"header": "X-Key", "value": "ü-planted"},
        {"header": "X-Key", "value": "planted "},
        {"basic": {"username": "a:b", "password": "planted"}},
        {"from": VAULT, "bearer": "${from:gone}planted"},
    ],
)
def test_what_cannot_be_sent_as_it_is(target: Callable[..., Any], credential: dict[str, Any]) -> None:
    """Refused without a part of it in the words."""
    with pytest.raises(CredentialUnavailable) as error:
        rendered(target, credential)
    assert "planted" not in str(error.value)


def test_a_source_without_a_token(target: Callable[..., Any]) -> None:
    """Alone it has to give one."""
    with pytest.raises(CredentialUnavailable, match="'token'"):
        render(target({"from": VAULT}).spec.credential, {"user": Secret("planted")}, bound=BOUND)


def test_a_repr_tells_nothing(target: Callable[..., Any]) -> None:
    """Names and places only."""
    for credential in (
        {"query": "k", "value": "planted"},
        {"cookie": "k", "value": "planted"},
        {"aws": {"service": "s3", "region": "r", "accessKeyId": "planted", "secretAccessKey": "planted"}},
    ):
        assert "planted" not in repr(rendered(target, credential))


@pytest.mark.parametrize("form", [{"bearer": "${env:CRM_TOKEN}"}, {"query": "key", "value": "${env:CRM_TOKEN}"},
                                  {"cookie": "key", "value": "${env:CRM_TOKEN}"}, {"from": VAULT}])  # fmt: skip
def test_what_is_too_long_for_a_call(
    target: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    """A source that gives a megabyte would have every answer searched for a hundred spellings of it."""
    long = "a" * (MAX_VALUE + 1)
    monkeypatch.setenv("CRM_TOKEN", long)
    spec = target(form).spec.credential
    with pytest.raises(CredentialUnavailable, match=r"too long|more than") as told:
        render(spec, {"token": Secret(2 * long)}, bound=BOUND)
    assert "aaa" not in str(told.value)
