"""Law: a credential that is had in the same way for the same place is had once; what was given out is looked for on."""

from pathlib import Path

import pytest

from gatehold.config.documents import TargetSpec
from gatehold.config.model import Target
from gatehold.credentials.broker import CredentialBroker
from policy.model import TargetName

CRM = TargetName("crm")


def target(variable: str, **more: object) -> dict[str, Target]:
    """One target with a credential from the environment."""
    credential = {"header": "X-Key", "value": f"${{env:{variable}}}"}
    spec = TargetSpec.model_validate(
        {"family": "http", "hosts": ["crm.corp.example:443"], "credential": credential, **more}
    )
    return {"crm": Target(name=CRM, spec=spec)}


async def test_it_is_kept_or_had_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask changes nothing of it; another variable, or another host, does. The former is found in answers on."""
    monkeypatch.setenv("ONE", "planted-one-5f2a91")
    monkeypatch.setenv("TWO", "planted-two-81c4be")
    first = CredentialBroker(target("ONE"), data_dir=tmp_path)
    assert not await first.prepare()
    second = CredentialBroker(target("ONE", mask={"profiles": ["pii"]}), data_dir=tmp_path, before=first)
    second.come_into_force()
    assert second.get_cached(CRM) is first.get_cached(CRM) is not None
    third = CredentialBroker(target("TWO", mask={"profiles": ["pii"]}), data_dir=tmp_path, before=second)
    assert not await third.prepare()
    assert b"planted-two-81c4be" not in third.known_secrets(), "it is given to nobody yet"
    third.come_into_force()
    for broker in (first, second, third):
        assert {b"planted-one-5f2a91", b"planted-two-81c4be"} <= set(broker.known_secrets())
    [(_, value)] = third.get_cached(CRM).headers  # type: ignore[union-attr]
    assert value.reveal() == "planted-two-81c4be"
    moved = CredentialBroker(target("TWO", connect="10.0.0.7:443", allowPrivate=True), data_dir=tmp_path, before=third)
    assert moved.get_cached(CRM) is None, "for another place it is had anew"
    await third.close()


async def test_one_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new one only: what was had before is nobody's question now."""
    monkeypatch.setenv("ONE", "planted-one-5f2a91")
    first = CredentialBroker(target("ONE"), data_dir=tmp_path)
    assert not await first.prepare()
    monkeypatch.delenv("ONE")
    assert not await CredentialBroker(target("ONE"), data_dir=tmp_path, before=first).prepare()
    [missing] = await CredentialBroker(target("TWO_IS_NOT_THERE"), data_dir=tmp_path, before=first).prepare()
    assert missing.startswith("target crm: ")
    await first.close()
