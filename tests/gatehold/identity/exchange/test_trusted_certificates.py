"""Law: what a provider's file holds now is what verifies its assertions; nothing does while it cannot be read."""

from pathlib import Path

import pytest

from gatehold.identity.exchange.trusted_certificates import TrustedCertificates
from policy.codes import Code
from policy.errors import Refusal
from tests.gatehold.identity.exchange.conftest import (
    NOW,
    OTHER_KEY,
    RSA_KEY,
    Said,
    Site,
    certificate,
    encoded,
    signed,
)


def test_a_key_that_is_taken_out_counts_no_more(site: Site) -> None:
    """And one that is put in does, without a restart."""
    providers, file = site.providers(), site.directory / "idp.pem"
    old, new = (encoded(signed(Said(id=f"_a{index}").xml(), key)) for index, key in enumerate((RSA_KEY, OTHER_KEY)))
    assert providers.verify(old, now=NOW).agent.subject == "planner-1"
    file.write_bytes(certificate(RSA_KEY) + certificate(OTHER_KEY))
    assert [providers.verify(each, now=NOW).id for each in (old, new)] == ["_a0", "_a1"]
    file.write_bytes(certificate(OTHER_KEY))
    assert providers.verify(new, now=NOW).id == "_a1"
    with pytest.raises(Refusal) as caught:
        providers.verify(old, now=NOW)
    assert caught.value.reason == "assertion-bad-signature"


@pytest.mark.parametrize("content", [None, b"", b"no certificate", certificate()[:200]])
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    """Nobody is believed by what it held before; it is asked again when it can be used."""
    file = tmp_path / "idp.pem"
    file.write_bytes(certificate())
    trusted = TrustedCertificates(file)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Refusal) as caught:
        trusted.now()
    assert caught.value.code is Code.GATEWAY_ERROR
    assert str(file) not in caught.value.detail
    file.write_bytes(certificate(OTHER_KEY) * 2)
    assert len(trusted.now()) == 2
    with pytest.raises(ValueError, match="nowhere"):
        TrustedCertificates(tmp_path / "nowhere.pem")
    assert repr(trusted) == f"<TrustedCertificates: 2 of {file}>"
