"""Transfer encodings: what was encoded comes back, and what is damaged is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.formats.transfer import decoded, encoded, is_plain


@given(st.binary(max_size=200), st.sampled_from(["base64", "quoted-printable", "Base64", "8bit", ""]))
def test_what_is_encoded_comes_back(octets: bytes, encoding: str) -> None:
    """Byte for byte, in lines that mail could carry."""
    content = octets.decode("latin-1")
    written = encoded(content, encoding)
    assert decoded(written, encoding) == content
    assert is_plain(encoding) or all(len(line) <= 76 for line in written.split("\r\n"))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [("eA=", "base64"), ("e A==", "base64"), ("eA==eA==", "base64"), ("=4", "quoted-printable"), ("=zz", "quoted-printable"),
     ("a\nb", "quoted-printable"), ("é", "quoted-printable"), ("x", "uuencode"), ("x", "7bit, base64")],
)  # fmt: skip
def test_what_is_damaged_is_refused(content: str, encoding: str) -> None:
    """Readers disagree about it."""
    with pytest.raises(Unmaskable):
        decoded(content, encoding)
