"""Base64 of texts is marked where it begins; names and identifiers hardly ever are."""

import base64
import re

from hypothesis import given
from hypothesis import strategies as st

from masking import packed
from masking.screening.packing import packed_text

PATTERN = re.compile(packed_text().encode("latin-1"))


@given(st.text(min_size=12, max_size=60), st.booleans(), st.booleans(), st.sampled_from(["", '"', " ", ".", "é"]))
def test_every_packed_text_is_marked(text: str, urls: bool, padded: bool, before: str) -> None:
    """Whatever the judge would look into, in both alphabets and any characters."""
    encode = base64.urlsafe_b64encode if urls else base64.b64encode
    run = encode(text.encode("utf-8", "replace")).decode()
    whole = before + (run if padded else run.rstrip("="))
    if list(packed.texts(whole)):
        assert PATTERN.search(whole.encode())


def test_ordinary_words_are_not() -> None:
    """Each would cost a closer look."""
    names = (
        b'"terminationGracePeriodSeconds" "requiredDuringSchedulingIgnoredDuringExecution" "kube-api-access-abcde12345"'
    )
    assert not PATTERN.search(names)
