"""Laws of assertions: everything that restricts one is understood, or refuses it."""

import pytest

from tests.gatehold.identity.exchange.conftest import AUDIENCE, ENTITY, RECIPIENT, Said, Site, moment, refused, signed

NAMEID = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
AUDIENCES = "<saml:AudienceRestriction>{}</saml:AudienceRestriction>"


def confirmed(data: str = "", *, method: str = "bearer", inside: str = "", more: str = "") -> str:
    """A subject confirmation; ``data``: attributes instead of the usual ones."""
    data = data or f'Recipient="{RECIPIENT}" NotOnOrAfter="{moment(300)}"'
    return (
        f'<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:{method}">{more}'
        f"<saml:SubjectConfirmationData {data}>{inside}</saml:SubjectConfirmationData></saml:SubjectConfirmation>"
    )


def audience(*names: str) -> str:
    """One restriction."""
    return AUDIENCES.format("".join(f"<saml:Audience>{name}</saml:Audience>" for name in names))


def root(issued: float = -5, *, version: str = "2.0", more: str = "") -> str:
    """Attributes of the assertion."""
    return f'Version="{version}" IssueInstant="{moment(issued)}" {more}'


def authn(*attributes: str) -> str:
    """A statement of how the subject said who it is."""
    return f"<saml:AuthnStatement {' '.join(attributes)}/>"


REFUSED = {
    # times
    "over": (Said(window=f'NotOnOrAfter="{moment(0)}"'), "assertion-expired"),
    "without an end": (Said(window=f'NotBefore="{moment(-5)}"'), "assertion-shape"),
    "not yet": (Said(window=f'NotBefore="{moment(61)}" NotOnOrAfter="{moment(300)}"'), "assertion-not-yet-valid"),
    "of the future": (Said(attributes_of_root=root(61)), "assertion-not-yet-valid"),
    "too old": (Said(attributes_of_root=root(-300)), "assertion-too-old"),
    "never issued": (Said(attributes_of_root='Version="2.0"'), "assertion-shape"),
    "local time": (Said(window='NotOnOrAfter="2030-01-01T00:00:00"'), "assertion-shape"),
    "time with an offset": (Said(window='NotOnOrAfter="2030-01-01T00:00:00+00:00"'), "assertion-shape"),
    "time in other digits": (Said(window='NotOnOrAfter="\uff12030-01-01T00:00:00Z"'), "assertion-shape"),
    "no day": (Said(window='NotOnOrAfter="2030-02-30T00:00:00Z"'), "assertion-shape"),
    "a date": (Said(window='NotOnOrAfter="2030-01-01"'), "assertion-shape"),
    "session over": (Said(authn=authn(f'SessionNotOnOrAfter="{moment(0)}"')), "assertion-expired"),
    "session of no time": (Said(authn=authn('SessionNotOnOrAfter="never"')), "assertion-shape"),
    "two sessions": (Said(authn=authn() * 2), "assertion-shape"),
    "empty session": (Said(authn=authn('SessionIndex=""')), "assertion-shape"),
    # for whom
    "for nobody": (Said(conditions=""), "assertion-wrong-audience"),
    "for others": (Said(conditions=audience("urn:other")), "assertion-wrong-audience"),
    "for another case": (Said(conditions=audience(AUDIENCE.upper())), "assertion-wrong-audience"),
    "for both at once": (Said(conditions=audience(AUDIENCE) + audience("urn:other")), "assertion-wrong-audience"),
    "restricted to nothing": (Said(conditions=AUDIENCES.format("")), "assertion-shape"),
    "for what is no text": (
        Said(conditions=AUDIENCES.format("<saml:Audience><x/></saml:Audience>")),
        "assertion-shape",
    ),
    "unknown condition": (Said(conditions=audience(AUDIENCE) + "<saml:ProxyRestriction/>"), "assertion-shape"),
    "foreign condition": (Said(conditions=audience(AUDIENCE) + '<x xmlns="urn:x"/>'), "assertion-shape"),
    # who shows it
    "no confirmation": (Said(confirmation=""), "assertion-subject"),
    "two confirmations": (Said(confirmation=confirmed() * 2), "assertion-subject"),
    "holder of key": (Said(confirmation=confirmed(method="holder-of-key")), "assertion-subject"),
    "sender vouches": (Said(confirmation=confirmed(method="sender-vouches")), "assertion-subject"),
    "for another place": (
        Said(confirmation=confirmed(f'Recipient="https://other.example" NotOnOrAfter="{moment(300)}"')),
        "assertion-wrong-recipient",
    ),
    "for any place": (Said(confirmation=confirmed(f'NotOnOrAfter="{moment(300)}"')), "assertion-wrong-recipient"),
    "shown too late": (
        Said(confirmation=confirmed(f'Recipient="{RECIPIENT}" NotOnOrAfter="{moment(0)}"')),
        "assertion-expired",
    ),
    "shown at any time": (Said(confirmation=confirmed(f'Recipient="{RECIPIENT}"')), "assertion-shape"),
    "shown too early": (
        Said(confirmation=confirmed(f'Recipient="{RECIPIENT}" NotBefore="{moment(61)}" NotOnOrAfter="{moment(300)}"')),
        "assertion-not-yet-valid",
    ),
    "an answer to a request": (
        Said(confirmation=confirmed(f'Recipient="{RECIPIENT}" NotOnOrAfter="{moment(300)}" InResponseTo="_q1"')),
        "assertion-subject",
    ),
    "from one address": (
        Said(confirmation=confirmed(f'Recipient="{RECIPIENT}" NotOnOrAfter="{moment(300)}" Address="10.0.0.1"')),
        "assertion-subject",
    ),
    "with a key": (Said(confirmation=confirmed(inside="<x/>")), "assertion-subject"),
    "confirmed for another": (
        Said(confirmation=confirmed(more="<saml:NameID>root</saml:NameID>")),
        "assertion-subject",
    ),
    # about whom
    "nobody": (Said(name_id=""), "assertion-subject"),
    "two names": (Said(name_id="<saml:NameID>a</saml:NameID><saml:NameID>b</saml:NameID>"), "assertion-subject"),
    "empty name": (Said(name_id="<saml:NameID></saml:NameID>"), "assertion-subject"),
    "name in parts": (Said(name_id="<saml:NameID>root<x/>.evil</saml:NameID>"), "assertion-subject"),
    "name with a line": (Said(name_id="<saml:NameID>a&#10;b</saml:NameID>"), "assertion-subject"),
    "name with room": (Said(name_id="<saml:NameID> root </saml:NameID>"), "assertion-subject"),
    "encrypted name": (Said(name_id="<saml:EncryptedID/>"), "assertion-subject"),
    "base id": (Said(name_id="<saml:BaseID/>"), "assertion-subject"),
    "name of a session": (
        Said(name_id=f'<saml:NameID Format="{NAMEID}transient">a</saml:NameID>'),
        "assertion-subject",
    ),
    "name of another": (Said(name_id='<saml:NameID NameQualifier="urn:x">a</saml:NameID>'), "assertion-subject"),
    "name for another": (Said(name_id='<saml:NameID SPNameQualifier="urn:x">a</saml:NameID>'), "assertion-subject"),
    # what else it says
    "other version": (Said(attributes_of_root=root(version="1.1")), "assertion-shape"),
    "more of the root": (Said(attributes_of_root=root(more='x="y"')), "assertion-shape"),
    "authorization": (Said(more="<saml:AuthzDecisionStatement/>"), "assertion-shape"),
    "foreign element": (Said(more='<x xmlns="urn:x"/>'), "assertion-shape"),
    "attributes twice": (Said(more="<saml:AttributeStatement/>"), "assertion-shape"),
    "encrypted attribute": (
        Said(attributes={}, more="<saml:AttributeStatement><saml:EncryptedAttribute/></saml:AttributeStatement>"),
        "assertion-attributes",
    ),
    "value in parts": (Said(attributes={"groups": ("planners<x/>",)}), "assertion-attributes"),
    "issuer of a kind": (
        Said(issuer=f'<saml:Issuer Format="{NAMEID}persistent">{ENTITY}</saml:Issuer>'),
        "assertion-unknown-issuer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(site: Site, name: str) -> None:
    """All of these are signed by the provider."""
    said, reason = REFUSED[name]
    assert refused(site, signed(said.xml())) == reason


ACCEPTED = {
    "one audience of several": Said(conditions=audience("urn:other", AUDIENCE)),
    "once": Said(conditions=audience(AUDIENCE) + "<saml:OneTimeUse/>"),
    "clocks differ": Said(window=f'NotBefore="{moment(59)}" NotOnOrAfter="{moment(300)}"', attributes_of_root=root(59)),
    "almost too old": Said(attributes_of_root=root(-299)),
    "no session": Said(authn=""),
    "no attributes": Said(attributes={}),
    "a value that is empty": Said(attributes={"team": ("",)}),
    "no value": Said(attributes={"team": ()}),
    "qualified": Said(
        name_id=f'<saml:NameID NameQualifier="{ENTITY}" SPNameQualifier="{AUDIENCE}">planner-1</saml:NameID>'
    ),
    "persistent": Said(name_id=f'<saml:NameID Format="{NAMEID}persistent">planner-1</saml:NameID>'),
    "entity": Said(issuer=f'<saml:Issuer Format="{NAMEID}entity">{ENTITY}</saml:Issuer>'),
    "no fraction": Said(window='NotOnOrAfter="2099-01-01T00:00:00Z"'),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(site: Site, name: str) -> None:
    """The near misses."""
    assert site.verify(signed(ACCEPTED[name].xml())).agent.subject == "planner-1"


def test_the_agent_ends_with_the_session(site: Site) -> None:
    """Where that is before the conditions end."""
    shown = site.verify(signed(Said(authn=authn(f'SessionNotOnOrAfter="{moment(100)}"')).xml()))
    assert shown.agent.expires_at == site.clock() + 100
    assert shown.until == site.clock() + 100


def test_one_attribute_twice(site: Site) -> None:
    """Readers differ on which one counts."""
    twice = "".join(
        f'<saml:Attribute Name="groups"><saml:AttributeValue>{each}</saml:AttributeValue></saml:Attribute>'
        for each in ("a", "b")
    )
    said = Said(attributes={}, more=f"<saml:AttributeStatement>{twice}</saml:AttributeStatement>")
    assert refused(site, signed(said.xml())) == "assertion-attributes"
