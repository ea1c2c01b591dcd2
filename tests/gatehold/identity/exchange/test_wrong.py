"""Law: every word that the journal may say of an assertion is in the page, and the one who shows it learns none of them."""

import re
from pathlib import Path

import pytest
import yaml

from gatehold.config.exchange import SamlSpec
from gatehold.identity.exchange.wrong import Wrong, wrong
from policy.codes import Code

PAGE = (Path(__file__).parents[4] / "docs" / "identity.md").read_text()


@pytest.mark.parametrize("reason", Wrong)
def test_words(reason: Wrong) -> None:
    """Told to nobody else."""
    refusal = wrong(reason)
    assert (refusal.code, refusal.reason) == (Code.UNAUTHENTICATED, reason.value)
    assert reason.value not in refusal.detail
    assert f"`{reason.value}`" in PAGE


def test_the_configuration_in_the_page() -> None:
    """It has the keys that there are."""
    found = re.search(r"^## SAML\n.*?^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    (given,) = yaml.safe_load(found[1])["identity"]["saml"]
    known = {field.alias or name for name, field in SamlSpec.model_fields.items()}
    assert given.keys() <= known
