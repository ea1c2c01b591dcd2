"""Base64 of texts is marked where it begins; names and identifiers hardly ever are."""

import base64
import re

from hypothesis import given
from hypothesis import strategies as st

from masking import packed
from masking.screening.packing import packed_text

PATTERN = re.compile("|".join(packed_text()).encode("latin-1"))


@given(st.text(min_size=12, max_size=60), st.booleans(), st.booleans(), st.sampled_from(["", '"', " ", ".", "é"]))
def test_every_packed_text_is_marked(text: str, urls: bool, padded: bool, before: str) -> None:
    """Whatever the judge would look into, in both alphabets and any characters."""
    encode = base64.urlsafe_b64encode if urls else base64.b64encode
    run = encode(text.encode("utf-8", "replace")).decode()
    whole = before + (run if padded else run.rstrip("="))
    if list(packed.texts(whole)):
        assert PATTERN.search(whole.encode())


@given(st.binary(max_size=8), st.text("ab c", min_size=8, max_size=60), st.integers(4, 40).map(lambda n: 4 * n))
def test_other_encodings_and_lines_are_marked(head: bytes, text: str, width: int) -> None:
    """Latin-1, and one run in several lines."""
    run = base64.b64encode(head + text.encode()).decode()
    cut = "\n".join(run[at : at + width] for at in range(0, len(run), width))
    for whole in (run, cut, "x" * 20 + "\n" + cut):
        if list(packed.texts(whole)):
            assert PATTERN.search(whole.encode())


@given(st.lists(st.sampled_from(list(b" -~AZaz09hqmM\t\n")), min_size=12, max_size=64), st.data(), st.booleans())
def test_characters_of_latin_1_may_stand_anywhere(plain: list[int], data: st.DataObject, urls: bool) -> None:
    """As many as the judge allows in a text, the first ones before others: none of them hides the rest."""
    octets = list(plain)
    for _ in range(len(octets) // 8):
        octets[data.draw(st.integers(0, len(octets) - 1) | st.integers(0, 8))] = data.draw(st.integers(128, 255))
    run = (base64.urlsafe_b64encode if urls else base64.b64encode)(bytes(octets)).decode()
    for whole in (run, f'"{run}"', f"x {run.rstrip('=')}."):
        if list(packed.texts(whole)):
            assert PATTERN.search(whole.encode())


def test_identifiers_are_not() -> None:
    """Names of objects in a cluster are full of them."""
    for name in ("00000000-0000-4000-8000-000000000a17", "07095310-6c51-4f70-b5e7-ffeb7ab4c0de"):
        assert not PATTERN.search(f'"{name}"'.encode())


def test_ordinary_words_are_not() -> None:
    """Each would cost a closer look."""
    names = (
        b'"terminationGracePeriodSeconds" "requiredDuringSchedulingIgnoredDuringExecution" "kube-api-access-abcde12345"'
    )
    assert not PATTERN.search(names)
