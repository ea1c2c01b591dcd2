"""Every value of ``iss`` that is accepted can be read off the configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.issuer_urls import check, expanded

ENTRA = "https://login.microsoftonline.com/{tid}/v2.0"
_values = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True), min_size=1, max_size=5)


@given(_values, _values)
def test_a_template_is_its_tenants(tenants: list[str], regions: list[str]) -> None:
    """Each combination once, with the claims that it was made of, and nothing else."""
    require = {"tid": tuple(tenants), "region": tuple(regions)}
    template = "https://{region}.idp.example/{tid}"
    check(template, require)
    found = list(expanded(template, require))
    assert {url for url, _ in found} == {f"https://{a}.idp.example/{b}" for a in regions for b in tenants}
    assert len(found) == len(set(tenants)) * len(set(regions))
    assert all(url == f"https://{pinned['region']}.idp.example/{pinned['tid']}" for url, pinned in found)


@given(st.text(st.characters(exclude_characters="{}")))
def test_anything_else_is_itself(issuer: str) -> None:
    """Without braces there is one value, and no claim is tied to it."""
    assert list(expanded(issuer, {})) == [(issuer, {})]


@pytest.mark.parametrize(
    ("issuer", "require", "told"),
    [
        (ENTRA, {}, "`require` is missing"),
        (ENTRA, {"oid": ("x",)}, "`require` is missing"),
        (ENTRA, {"tid": ("*",)}, "must be one value"),
        (ENTRA, {"tid": ("contoso-?",)}, "must be one value"),
        (ENTRA, {"tid": ("a", "b/../c")}, "must be one value"),
        (ENTRA, {"tid": ("..",)}, "must be one value"),
        (ENTRA, {"tid": ("a\n",)}, "must be one value"),
        (ENTRA, {"tid": ("{tid}",)}, "must be one value"),
        (ENTRA, {"tid": tuple(map(str, range(257)))}, "more than 256"),
        ("https://idp.example/{}", {}, "placeholder"),
        ("https://idp.example/{tid", {"tid": ("a",)}, "placeholder"),
        ("https://idp.example/{a.b}", {"a.b": ("a",)}, "placeholder"),
        ("https://idp.example/{{tid}}", {"tid": ("a",)}, "placeholder"),
        ("gatehold:exchange", {}, "gateway's own"),
        ("gatehold:{tid}", {"tid": ("exchange",)}, "gateway's own"),
    ],
)
def test_values_that_are_not_spelled_out(issuer: str, require: dict[str, tuple[str, ...]], told: str) -> None:
    """A wildcard in a tenant would let a stranger's tenant in; the gateway's own tokens are nobody else's."""
    with pytest.raises(ValueError, match=told):
        check(issuer, require)
