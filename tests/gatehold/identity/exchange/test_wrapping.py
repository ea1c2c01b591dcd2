"""Law: an element that was not signed is never read, wherever the one that was is hidden (signature wrapping).

The eight variants are those of Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (2012), as attack tools
number them. Each is tried as a whole, as a browser would carry it, and with its forged assertion alone.
"""

import copy
from collections.abc import Callable

import pytest
from lxml import etree

from tests.gatehold.identity.exchange.conftest import SAML, D, Said, Site, moment, refused, signed

S = f"{{{SAML}}}"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"

type Element = etree._Element


def response(*assertions: Element, response_id: str = "_r1") -> Element:
    """What a provider's form would carry."""
    root = etree.fromstring(
        f'<samlp:Response xmlns:samlp="{PROTOCOL}" xmlns:saml="{SAML}" ID="{response_id}" Version="2.0" '
        f'IssueInstant="{moment()}"><saml:Issuer>x</saml:Issuer></samlp:Response>'
    )
    for each in assertions:
        root.append(each)
    return root


def genuine() -> Element:
    """Signed, of ``planner-1``."""
    return signed(Said().xml())


def bare(assertion: Element) -> tuple[Element, Element]:
    """A copy without its signature, and the signature."""
    made = copy.deepcopy(assertion)
    signature = made.find(f"{D}Signature")
    assert signature is not None
    made.remove(signature)
    return made, signature


def forged(like: Element, assertion_id: str = "_evil") -> Element:
    """The same of ``root``."""
    made, _ = bare(like)
    made.set("ID", assertion_id)
    name = made.find(f"{S}Subject/{S}NameID")
    assert name is not None
    name.text = "root"
    return made


def xsw1() -> Element:
    """A forged response around a signature that holds the genuine one; here of the assertion's own kind."""
    good = genuine()
    original, signature = bare(good)
    evil = forged(good)
    signature.append(original)
    evil.insert(1, signature)
    return response(evil)


def xsw2() -> Element:
    """As 1, with the signature beside what it signs."""
    good = genuine()
    original, signature = bare(good)
    evil = forged(good)
    evil.insert(1, signature)
    evil.append(original)
    return response(evil)


def xsw3() -> Element:
    """The forged assertion before the genuine one."""
    good = genuine()
    return response(forged(good), good)


def xsw4() -> Element:
    """The genuine assertion inside of the forged one."""
    good = genuine()
    evil = forged(good)
    evil.append(good)
    return response(evil)


def xsw5() -> Element:
    """The genuine signature in the forged assertion, what it signs behind."""
    good = genuine()
    original, signature = bare(good)
    evil = forged(good)
    evil.insert(1, signature)
    return response(evil, original)


def xsw6() -> Element:
    """The genuine assertion inside of its signature, which stands in the forged one."""
    good = genuine()
    original, signature = bare(good)
    evil = forged(good)
    evil.insert(1, signature)
    signature.append(original)
    return response(evil)


def xsw7() -> Element:
    """The genuine assertion in an element that anything may stand in."""
    good = genuine()
    evil = forged(good, "_a1")
    extensions = etree.Element(f"{{{PROTOCOL}}}Extensions")
    extensions.append(good)
    return response(extensions, evil)


def xsw8() -> Element:
    """The genuine assertion in an Object of the signature in the forged one."""
    good = genuine()
    original, signature = bare(good)
    evil = forged(good, "_a1")
    holder = etree.SubElement(signature, f"{D}Object")
    holder.append(original)
    evil.insert(1, signature)
    return response(evil)


VARIANTS = [xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8]


@pytest.mark.parametrize("variant", VARIANTS)
def test_wrapped(site: Site, variant: Callable[[], Element]) -> None:
    """No response is an assertion; and the forged assertion by itself is not what was signed."""
    whole = variant()
    assert refused(site, whole) in ("assertion-shape", "assertion-ambiguous")
    evil = [each for each in whole.iter(f"{S}Assertion") if (each.findtext(f"{S}Subject/{S}NameID")) == "root"]
    for each in evil:
        assert refused(site, etree.fromstring(etree.tostring(each))).startswith("assertion-")


@pytest.mark.parametrize("variant", VARIANTS)
def test_wrapped_under_one_id(site: Site, variant: Callable[[], Element]) -> None:
    """The same with the ID of the genuine one on both."""
    whole = variant()
    for each in whole.iter(f"{S}Assertion"):
        each.set("ID", "_a1")
    for each in list(whole.iter(f"{S}Assertion")):
        if each.findtext(f"{S}Subject/{S}NameID") == "root":
            assert refused(site, etree.fromstring(etree.tostring(each))).startswith("assertion-")


def test_the_signature_may_stand_nowhere_else(site: Site) -> None:
    """Behind the subject, at the end, inside of a condition: it is not looked for there."""
    for place in (0, 2, 3, -1):
        made, signature = bare(genuine())
        made.insert(place if place >= 0 else len(made), signature)
        assert refused(site, made) in ("assertion-unsigned", "assertion-shape")


def test_a_signature_of_a_part_is_none(site: Site) -> None:
    """What it signs is the whole assertion: not its subject, not an empty reference, not a part by another attribute."""
    xml = Said(name_id='<saml:NameID ID="_n1">planner-1</saml:NameID>').xml()
    assert refused(site, signed(xml, uri="#_n1")) == "assertion-unsigned"
    good = genuine()
    reference = good.find(f".//{D}Reference")
    assert reference is not None
    for uri in (
        "",
        "#",
        "##_a1",
        "_a1",
        "#xpointer(/)",
        "#xpointer(id('_a1'))",
        "https://idp.example/a",
        "#_A1",
        "#_a1 ",
    ):
        reference.set("URI", uri)
        assert refused(site, good) == "assertion-unsigned"
    del reference.attrib["URI"]
    assert refused(site, good) == "assertion-unsigned"


def test_one_id_twice(site: Site) -> None:
    """In any spelling and any namespace, also where the second one is in a part that was not signed."""
    for name in ("ID", "Id", "id", "{urn:x}ID", "{http://www.w3.org/XML/1998/namespace}id"):
        made = genuine()
        value = made.find(f".//{D}SignatureValue")
        assert value is not None
        value.set(name, "_a1")
        assert refused(site, made) == "assertion-ambiguous"


def test_an_unsigned_assertion_in_a_signed_response(site: Site) -> None:
    """The signature of the response is not one of the assertion."""
    unsigned = etree.fromstring(Said().xml())
    whole = signed(etree.tostring(response(unsigned)).decode())
    assert refused(site, whole) == "assertion-shape"
    assert refused(site, etree.fromstring(etree.tostring(whole.find(f"{S}Assertion")))) == "assertion-unsigned"


def test_several_assertions(site: Site) -> None:
    """Also where both are genuine, and where one is in the advice of the other."""
    assert refused(site, response(genuine(), signed(Said(id="_a2").xml()))) == "assertion-shape"
    inner = Said(id="_a2").xml()
    assert refused(site, signed(Said(more=f"<saml:Advice>{inner}</saml:Advice>").xml())) == "assertion-shape"
    assert refused(site, signed(Said(more=inner).xml())) == "assertion-shape"


def test_signatures_twice(site: Site) -> None:
    """A second one anywhere, genuine or not."""
    made = genuine()
    made.append(copy.deepcopy(made[1]))
    assert refused(site, made) == "assertion-unsigned"
    made = genuine()
    made.insert(1, copy.deepcopy(made[1]))
    assert refused(site, made) == "assertion-unsigned"


def test_what_was_signed_is_what_is_read(site: Site) -> None:
    """Text, attributes and elements that were changed or added after signing."""
    for path, change in (
        (f"{S}Subject/{S}NameID", lambda each: setattr(each, "text", "root")),
        (f"{S}Conditions", lambda each: each.set("NotOnOrAfter", moment(86400))),
        (f"{S}AttributeStatement/{S}Attribute", lambda each: each.append(copy.deepcopy(each[0]))),
        (f"{S}Issuer", lambda each: each.set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")),
        (".", lambda each: each.set("IssueInstant", moment(0))),
    ):
        made = genuine()
        found = made.find(path) if path != "." else made
        assert found is not None
        change(found)
        assert refused(site, made) == "assertion-bad-signature"
