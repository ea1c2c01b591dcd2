"""What a file holds, told by its name, its suffix of compression, or its first bytes."""

import pytest

from gatehold.cli.mask_input import CODINGS, MEDIA_TYPES, advice, content_coding, media_type
from masking.content import read_content_type
from masking.encodings import coding
from masking.errors import Unmaskable


@pytest.mark.parametrize(
    ("file", "essence", "encoding"),
    [
        ("a/b.json", "application/json", ""),
        ("b.JSON.GZ", "application/json", "gzip"),
        ("b.csv.zst", "text/csv", "zstd"),
        ("b.html.br", "text/html", "br"),
        ("b.gz", "", "gzip"),
        ("b", "", ""),
        ("-", "", ""),
        (".json", "", ""),
    ],
)
def test_names(file: str, essence: str, encoding: str) -> None:
    """A suffix of compression stands after that of the format."""
    assert (media_type(file), content_coding(file, b"")) == (essence, encoding)


def test_standard_input_is_looked_at() -> None:
    """It has no name; files are believed."""
    assert content_coding("-", b"\x1f\x8b\x08") == "gzip"
    assert content_coding("-", b"\x28\xb5\x2f\xfd") == "zstd"
    assert content_coding("-", b"{}") == content_coding("a.bin", b"\x1f\x8b\x08") == ""


def test_the_engine_knows_what_is_said() -> None:
    """Every type is one that it masks, but for e-mail, which it refuses; every coding is one that it decodes."""
    refused = set()
    for essence in MEDIA_TYPES.values():
        try:
            assert read_content_type(essence).shape
        except Unmaskable:
            refused.add(essence)
    assert refused == {"message/rfc822"}
    assert {coding(each) for each in CODINGS.values()} == set(CODINGS.values())


def test_advice() -> None:
    """For what a person can change."""
    assert "--content-type" in advice("content type cannot be masked")
    assert "paths needs JSON" in advice("content type cannot be masked by path")
    assert "kinds or paths" in advice("YAML cannot be masked by kind or path")
    assert "latin-1" in advice("body is not valid in its charset")
    assert advice("a detector ran out of time") == ""
