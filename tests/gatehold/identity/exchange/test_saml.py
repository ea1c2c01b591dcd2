"""Laws of SAML providers: who is asserted, in which groups, and with what; and who is not."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gatehold.config.exchange import SamlClaimsSpec
from gatehold.identity.exchange.saml import SamlProviders
from policy.errors import Refusal
from tests.gatehold.identity.exchange.conftest import (
    AUDIENCE,
    ENTITY,
    NOW,
    OTHER_KEY,
    Clock,
    Said,
    Site,
    certificate,
    encoded,
    refused,
    signed,
)


def test_an_assertion_stands_for_its_agent(site: Site) -> None:
    """Name, the groups that the provider may assert, the attributes, the end of its conditions."""
    shown = site.verify(signed(Said().xml()), claims=SamlClaimsSpec(purpose="why"))
    agent = shown.agent
    assert (agent.issuer, agent.subject, agent.groups) == ("corp-saml", "planner-1", ("planners",))
    assert agent.claims["team"] == "blue"
    assert agent.claims["groups"] == ["planners", "admins"]
    assert agent.claims["iat"] == int(NOW) - 5
    assert agent.purpose == "plans trips"
    assert agent.expires_at == NOW + 3600
    assert (shown.issuer, shown.id, shown.until) == (ENTITY, "_a1", NOW + 295)


def test_sessions(site: Site) -> None:
    """By SessionIndex; without one each assertion is a session of its own; of each subject its own."""
    one = site.verify(signed(Said().xml())).agent.session
    assert site.verify(signed(Said(id="_a2").xml())).agent.session == one
    assert site.verify(signed(Said(name_id="<saml:NameID>other</saml:NameID>").xml())).agent.session != one
    alone = {site.verify(signed(Said(id=each, authn="").xml())).agent.session for each in ("_a1", "_a2")}
    assert len(alone | {one}) == 3


@pytest.mark.parametrize("text", [" planners", "planners ", "plan\u00a0ners", "plan\u200bners", ""])
def test_names_that_people_cannot_tell_apart(site: Site, text: str) -> None:
    """Groups and subjects are such as a token may have: no spaces at the ends, nothing that is not seen."""
    assert refused(site, signed(Said(attributes={"groups": (text,)}).xml())) == "assertion-attributes"
    by_mail = SamlClaimsSpec(subject="mail")
    assert refused(site, signed(Said(attributes={"mail": (text,)}).xml()), claims=by_mail) == "assertion-attributes"


def test_attributes_cannot_pretend_to_be_times(site: Site) -> None:
    """What revocations go by is the assertion's own, whatever its attributes are called."""
    said = {"iat": ("9999999999",), "exp": ("1",), "sub": ("root",), "iss": ("x",), "groups": ("planners",)}
    agent = site.verify(signed(Said(attributes=said).xml())).agent
    assert agent.claims == {
        "iat": int(NOW) - 5,
        "exp": int(NOW) + 3600,
        "sub": "planner-1",
        "iss": ENTITY,
        "groups": "planners",
    }


def test_groups_are_none_unless_listed(site: Site) -> None:
    """A provider without a list asserts no groups at all."""
    assert site.verify(signed(Said().xml()), groups=None).agent.groups == ()
    assert site.verify(signed(Said().xml()), groups=("*",)).agent.groups == ("admins", "planners")


def test_a_subject_by_attribute(site: Site) -> None:
    """One value, and then the NameID may be one for a session."""
    claims = SamlClaimsSpec(subject="mail")
    passing = '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">_x</saml:NameID>'
    said = Said(name_id=passing, attributes={"mail": ("a@corp.example",)})
    assert site.verify(signed(said.xml()), claims=claims).agent.subject == "a@corp.example"
    assert refused(site, signed(said.xml())) == "assertion-subject"
    for values in ((), ("",), ("a", "b"), (" \n",)):
        wrong = signed(Said(attributes={"mail": values}).xml())
        assert refused(site, wrong, claims=claims) in ("assertion-subject", "assertion-attributes")
    assert refused(site, signed(Said(attributes={}).xml()), claims=claims) == "assertion-subject"


def test_required_attributes(site: Site) -> None:
    """One of the values must match; where there is none, or none does, nobody is let in."""
    assert site.verify(signed(Said().xml()), require={"team": ("bl*",)}).agent.subject == "planner-1"
    assert refused(site, signed(Said().xml()), require={"team": ("red",)}) == "assertion-attributes"
    assert refused(site, signed(Said().xml()), require={"unit": ("*",)}) == "assertion-attributes"


def test_a_provider_that_is_not_known(site: Site) -> None:
    """Also where its name is only like a known one."""
    for name in ("https://other.example", f" {ENTITY}", f"{ENTITY}/", ENTITY.upper()):
        said = Said(issuer=f"<saml:Issuer>{name}</saml:Issuer>")
        assert refused(site, signed(said.xml())) == "assertion-unknown-issuer"


def test_providers_that_are_alike(site: Site) -> None:
    """Two of one name or one entity cannot be told apart."""
    file = site.directory / "idp.pem"
    file.write_bytes(certificate())
    spec: Any = site.spec
    for second in (spec(file, entity_id="https://b.example"), spec(file, name="other")):
        with pytest.raises(ValueError, match="two SAML providers"):
            SamlProviders([spec(file), second])


def test_providers_without_certificates(site: Site) -> None:
    """The file is named, what is in it is not."""
    file = site.directory / "none.pem"
    with pytest.raises(ValueError, match=r"corp-saml: .*none\.pem: No such file"):
        SamlProviders([site.spec(file)])


def test_one_provider_does_not_sign_for_another(site: Site) -> None:
    """Each name has its own certificates."""
    first, second = site.directory / "a.pem", site.directory / "b.pem"
    first.write_bytes(certificate())
    second.write_bytes(certificate(OTHER_KEY))
    providers = SamlProviders(
        [site.spec(first), site.spec(second, name="partner", entity_id="https://partner.example", audience=AUDIENCE)]
    )
    with pytest.raises(Refusal) as caught:
        providers.verify(encoded(signed(Said().xml(), OTHER_KEY)), now=NOW)
    assert caught.value.reason == "assertion-bad-signature"


WORDS = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(["", " ", "root", "planners", "admins", ENTITY, AUDIENCE, "<x/>", "&#10;", "2030-01-01T00:00:00Z"]),
)


@settings(max_examples=150)
@given(
    name=WORDS,
    issuer=st.one_of(st.just(ENTITY), WORDS),
    attributes=st.dictionaries(WORDS, st.lists(WORDS, max_size=3), max_size=3),
)
def test_whatever_a_provider_signs(
    tmp_path_factory: pytest.TempPathFactory, name: str, issuer: str, attributes: dict[str, list[str]]
) -> None:
    """A refusal, or an agent of this provider with a plain name and no group but those that it may assert."""
    site = Site(tmp_path_factory.getbasetemp(), Clock())
    said = Said(
        issuer=f"<saml:Issuer>{issuer}</saml:Issuer>",
        name_id=f"<saml:NameID>{name}</saml:NameID>",
        attributes={quoteattr(key)[1:-1]: [escape(each) for each in values] for key, values in attributes.items()},
    )
    try:
        agent = site.verify(signed(said.xml())).agent
    except (Refusal, etree.XMLSyntaxError):
        return
    assert (agent.issuer, issuer) == ("corp-saml", ENTITY)
    assert agent.subject == name
    assert agent.subject.isprintable()
    assert all(group.startswith("plan") and group.isprintable() for group in agent.groups)
