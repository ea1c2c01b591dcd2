"""A screen matches wherever its recognizer finds something, and means the same to every engine."""

import re

import hyperscan
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import detectors
from masking.profiles import resolve
from masking.screens import COUNTRY_ENTITIES, PRESIDIO_ENTITIES, SCREENS, derived, of_own

VALUES = {
    "CREDIT_CARD": ["4012888888881881", "4012-8888-8888-1881", "378282246310005"],
    "CRYPTO": ["16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"],
    "DATE_TIME": [
        "2024-11-21T04:03:52.1Z",
        "1/2/24",
        "31.12.1999",
        "12-JAN-24",
        "feb-2023",
        "3-mar",
        "12/2024",
        "1/24",
    ],
    "EMAIL_ADDRESS": ["bob@example.com", "a@b-c.co.uk"],
    "IBAN_CODE": ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "IL15-0120-6900-0000-3111-111"],
    "IP_ADDRESS": ["10.0.0.1", "::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1", "fe80::1", "1:2:3:4:5:6:7:8", "::", "::/0"],
    "MAC_ADDRESS": ["00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001A.2B3C.4D5E"],
    "MEDICAL_LICENSE": ["BB1388568", "f91234563"],
    "PHONE_NUMBER": ["212-555-5555", "+49 (30) 901820", "030/901820", "0171.1234567"],
    "UK_NHS": ["943 476 5919", "401-023-2137", "2983396339"],
    "URL": ["example.com", "https://example.org/a?b=c", "'www.example.co.uk/x'"],
    "US_BANK_NUMBER": ["945456787654"],
    "US_DRIVER_LICENSE": ["H12234567", "123456789", "AB123456C", "123AB1234", "A1B2C", "a-z]]12345", "12ABC12345"],
    "US_ITIN": ["911-70-1234", "911701234", "91170-1234"],
    "US_PASSPORT": ["912803456", "A12803456"],
    "US_SSN": ["078-05-1123", "078051123", "07805-1123", "078 05 1123"],
    "UUID": ["550e8400-e29b-41d4-a716-446655440000"],
}
ASCII = st.characters(codec="ascii")
AROUND = st.sampled_from(["", " ", "-", ".", ":", "/", "x", "0", "[", "'", "\n", "\v", "\x1c", "A", "1", "]]", ","])


@pytest.mark.parametrize("entity", sorted(SCREENS))
def test_the_values_are_ones(entity: str) -> None:
    """What the properties below are made of is found."""
    (detector,) = detectors.builtin(entity)
    for value in VALUES[entity]:
        assert detector.find(value, lifted=True, threshold=0.0), value


@pytest.mark.parametrize("entity", sorted(SCREENS))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_screen_matches_wherever_something_is_found(entity: str, data: st.DataObject) -> None:
    """Values, changed and cut, with anything around them; whatever the context and the threshold."""
    value = data.draw(st.sampled_from(VALUES[entity]))
    cut = data.draw(st.integers(0, len(value)))
    more = data.draw(st.sampled_from(VALUES[entity]))
    text = "".join(map(data.draw, (AROUND, AROUND))) + value[:cut] + data.draw(AROUND) + value[cut:] + data.draw(AROUND)
    text += data.draw(st.sampled_from([more, more.lower(), more.upper(), ""]))
    (detector,) = detectors.builtin(entity)
    if detector.find(text, lifted=True, threshold=0.0):
        assert detector.screen is not None
        assert re.search(detector.screen, text)
        assert re2.search(detector.screen, text)


@pytest.mark.parametrize("entity", sorted(COUNTRY_ENTITIES))
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_derived_screen_matches_wherever_a_pattern_does(entity: str, data: st.DataObject) -> None:
    """Texts made from each pattern, with anything around them."""
    (detector,) = detectors.builtin(entity)
    if detector.screen is None:
        return
    pattern = data.draw(st.sampled_from(detectors.country_recognizers()[entity].patterns)).regex.replace("(?i)", "")
    plain = re.sub(r"\(\?<?[=!][^()]*\)", "", pattern)
    text = data.draw(AROUND) + data.draw(st.from_regex(re.compile(plain, re.ASCII), alphabet=ASCII)) + data.draw(AROUND)
    if detector.find(text, lifted=True, threshold=0.0):
        assert re.search(detector.screen, text)
        assert re2.search(detector.screen, text)


@pytest.mark.parametrize("entity", sorted(PRESIDIO_ENTITIES))
def test_a_screen_is_read_by_every_engine(entity: str) -> None:
    """It looks at no neighbours, repeats nothing that was found before, and every engine compiles it."""
    (detector,) = detectors.builtin(entity)
    if detector.screen is None:
        assert entity in COUNTRY_ENTITIES
        return
    assert not re.search(r"\\[bB1-9]|\(\?<?[=!]", detector.screen)
    re.compile(detector.screen)
    re2.compile(detector.screen)
    hyperscan.Database().compile(
        expressions=[detector.screen.encode()], ids=[0], elements=1, flags=[hyperscan.HS_FLAG_PREFILTER]
    )


def test_patterns_of_profiles_have_screens_where_that_is_plain() -> None:
    """What stands behind a match is a part of its screen; what is read otherwise, or asks for an end, has none."""
    screen = of_own([r"(?<=\b(?:MRN|no)[ .]{0,4})[0-9]{3}\b"])
    assert screen == r"(?is:(?:(?:MRN|no)[ .]{0,4})[0-9]{3})"
    assert of_own([r"(?i)AB[0-9]", "x+y"]) == r"(?is:AB[0-9])|(?is:x+y)"
    for pattern in [
        "",
        "^a",
        r"a\Z",
        r"\p{L}x",
        r"(a)\1",
        "a(?=b(c))d",
        "x*",
        "(?x)a b",
        "[[a]--[b]]",
        "(?m)a",
        r"\ma",
    ]:
        assert of_own([pattern]) is None, pattern
    assert of_own(["a", "^b"]) is None
    assert of_own([]) is None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_screen_of_a_profile_matches_wherever_its_pattern_does(data: st.DataObject) -> None:
    """Those of the profiles that are built in, in texts made from each pattern."""
    specs = {each: rule.custom for each, rule in resolve({})["health"].entities.items() if rule.custom}
    entity = data.draw(st.sampled_from(sorted(specs)))
    detector = detectors.custom(entity, specs[entity])
    assert detector.screen is not None
    plain = re.sub(
        r"\(\?<[=!](?:[^()]|\([^()]*\))*\)|\(\?[=!][^()]*\)|\\b",
        "",
        (specs[entity].regex or "").replace("(?-i:", "(?:"),
    )
    value = data.draw(st.from_regex(re.compile(plain, re.ASCII), fullmatch=True, alphabet=ASCII))
    lead = data.draw(
        st.sampled_from(["", "MRN: ", "mrn ", "Medical Record number #", "MRNno.", "xMRN 1", "med rec id"])
    )
    text = data.draw(AROUND) + lead + data.draw(st.sampled_from([value, value.lower()])) + data.draw(AROUND)
    if detector.find(text, lifted=True, threshold=0.0):
        assert re.search(detector.screen, text)


def test_screens_are_derived_where_that_is_plain() -> None:
    """Borders and looks aside go, spaces are those of Python, and what is repeated is given up."""
    assert derived([r"\b(?!00)[0-9]{2}\s?[A-Z\s]\b"]) == r"(?is:[0-9]{2}[\s\x0b\x1c-\x1f]?[A-Z\s\x0b\x1c-\x1f])"
    assert derived([r"([- ])[0-9]\1"]) is None
    assert derived([r"(?<=\b(?:a|b)\s+)[0-9]"]) is None
    assert derived([r"^[0-9]$"]) is None
    assert derived([r"[^$^][0-9]"]) == r"(?is:[^$^][0-9])"
    assert derived([]) is None
