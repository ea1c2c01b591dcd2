"""The verdict on one text: everything in it, in every reading, and final."""

import base64
from collections.abc import Callable

import pytest

from masking import judging
from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.plan import Plan

type MakePlan = Callable[..., Plan]


def masked(plan: Plan, text: str, key: str = "") -> str:
    return apply(text, merge(plan.judge.edits(text, key)))


def test_context_comes_from_the_key_and_from_the_text(make_plan: MakePlan) -> None:
    """Either makes a weak pattern count; neither leaves it alone."""
    plan = make_plan("pii")
    assert masked(plan, "212-555-5555") == "212-555-5555"
    assert masked(plan, "212-555-5555", "homePhone") == "<PHONE_NUMBER>"
    assert masked(plan, "Call 212-555-5555") == "Call <PHONE_NUMBER>"


def test_own_tokens_are_no_context(make_plan: MakePlan) -> None:
    """``<US_ITIN>`` speaks of ITINs, and would make the number after it one when masked again."""
    plan = make_plan("pii")
    once = masked(plan, "911-70-1234 and 911701234")
    assert once == "<US_ITIN> and 911701234"
    assert masked(plan, once) == once


@pytest.mark.parametrize(
    "text",
    [
        "bob%40example.com",
        "bob&#64;example.com",
        "bob&commat;example.com",
        "%62ob@example.com",
        "bob%2540example.com",
        "bob&amp;#64;example.com",
        r"bob\x40example.com",
        r"bob\u0040example.com",
    ],
)
def test_every_reading_is_judged(make_plan: MakePlan, text: str) -> None:
    """As it stands, percent-decoded, and with references resolved."""
    assert masked(make_plan("pii"), text) == "<EMAIL_ADDRESS>"


@pytest.mark.parametrize("padded", [True, False])
def test_base64_is_looked_into(make_plan: MakePlan, padded: bool) -> None:
    """Also in URLs' alphabet, and it stays what it was."""
    packed = base64.urlsafe_b64encode(b"contact >> bob@example.com ??").decode()
    packed = packed if padded else packed.rstrip("=")
    found = masked(make_plan("pii"), f"x {packed}.y").removeprefix("x ").removesuffix(".y")
    assert base64.urlsafe_b64decode(found + "=" * (-len(found) % 4)) == b"contact >> <EMAIL_ADDRESS> ??"


@pytest.mark.parametrize("glued", ["078-05-1123{}", "{}078-05-1123", "a 078-05-1123{}078-05-1123"])
def test_base64_beside_a_value_is_looked_into(make_plan: MakePlan, glued: str) -> None:
    """Its run begins where the value ends; masked again it would."""
    plan = make_plan("pii")
    run = base64.b64encode(b"contact: bob@example.com ??").decode()
    once = masked(plan, glued.format(run))
    assert base64.b64encode(b"contact: <EMAIL_ADDRESS> ??").decode() in once
    assert masked(plan, once) == once


def test_base64_that_would_be_a_secret_once_masked_is_a_token(make_plan: MakePlan) -> None:
    """The base64 of a masked text may be random enough where that of the text was not."""
    plan = make_plan("pii", "secrets")
    for inner in ("ssn 536-90-4399", "mail bob@example.com now", "a 078-05-1123 b"):
        once = masked(plan, "password=" + base64.b64encode(inner.encode()).decode())
        assert masked(plan, once) == once


def test_base64_after_a_private_key_is_looked_into(make_plan: MakePlan) -> None:
    """The dashes that the key ends with are of its alphabet."""
    plan = make_plan("pii", "secrets")
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
    run = base64.b64encode(b"contact: bob@example.com ??").decode()
    once = masked(plan, key + run)
    assert once.startswith("<PRIVATE_KEY>")
    assert run not in once
    assert masked(plan, once) == once


@pytest.mark.parametrize(
    "run",
    ["aGVsbG8gd29ybGQgaGVsbG8=", "deadbeef" * 4, "A" * 30, "not/base64/at/all/but/a/path", "gICAgICAgICAgICAgA=="],
)
def test_other_runs_stay(make_plan: MakePlan, run: str) -> None:
    """Base64 of harmless texts or of bytes, digests and paths."""
    assert masked(make_plan("pii", "pci", "secrets"), run) == run


def test_overlapping_kinds_hide_all_of_both(make_plan: MakePlan) -> None:
    """Both are found; one token stands for them."""
    plan = make_plan("pii", "pci")
    text = "phone 4111 1111 1111 1111"
    assert masked(plan, text) == "phone <CREDIT_CARD>"


def test_pieces_between_hits_are_judged_by_themselves(make_plan: MakePlan) -> None:
    """What only the neighbourhood of another value kept from being seen is seen at once."""
    plan = make_plan(spec={"extends": ["pii", "pci"], "guard": "boundary"})
    once = masked(plan, "bob@example.com,078-05-1123-bob@example.com")
    assert once == masked(plan, once)


def test_a_text_that_does_not_settle_is_refused(make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that shows its values one at a time would take quadratic time."""
    monkeypatch.setattr(judging, "_ROUNDS", 1)
    monkeypatch.setattr(judging, "_ROUNDS_LEAST", 0)
    with pytest.raises(Unmaskable, match="settle"):
        make_plan("pii").judge.hits("a@example.com b@example.com")


def test_a_redacted_part_that_would_make_a_new_value_takes_the_text_with_it(make_plan: MakePlan) -> None:
    """What redacting joins must not be something that should have been hidden."""
    plan = make_plan(spec={"entities": {"CREDIT_CARD": {}, "MARK": {"regex": "--", "operator": "redact"}}})
    assert masked(plan, "4111 1111 --1111 1111") == "<MARK>"
    assert masked(plan, "a --b") == "a b"


def test_numbers_are_cards_or_nothing(make_plan: MakePlan) -> None:
    """Other numbers are not judged by their looks."""
    judge = make_plan("pii", "pci").judge
    edit = judge.number("4111111111111111")
    assert edit is not None
    assert (edit.entity, edit.replacement) == ("CREDIT_CARD", "1000000000000000")
    assert judge.number("2125555555") is None
    assert make_plan("pii").judge.number("4111111111111111") is None


def test_tokens_of_places_are_opaque(make_plan: MakePlan) -> None:
    """Also of entities that only keys and kinds give."""
    judge = make_plan("kubernetes").judge
    assert judge.is_token("<KUBERNETES_SECRET>")
    assert judge.is_token("<SECRET:0123ab>")
    assert not judge.is_token("<PERSON>")
