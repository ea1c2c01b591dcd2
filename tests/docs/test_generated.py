"""Law: what a program writes into the documentation is what it would write now."""

import pytest

from tests.docs.generated import DOCS, PARTS, written


@pytest.mark.parametrize("part", sorted(PARTS))
def test_up_to_date(part: str) -> None:
    """``scripts/docs`` changes nothing."""
    page, content = PARTS[part]
    text = (DOCS / page).read_text()
    assert written(text, part, content()) == text, "run scripts/docs"


def test_a_page_without_markers_is_told() -> None:
    """A part that has no place is not silently left out."""
    with pytest.raises(ValueError, match="no markers"):
        written("no place", "bypass-matrix", "")
