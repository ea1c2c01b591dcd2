"""Law: nothing of a line goes on in which something is found, however its bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.input_search import InputRefused, InputSearch
from masking.engine import MaskingEngine
from masking.profiles import resolve

ENGINE = MaskingEngine(resolve({}), key=b"k" * 32)
CARD = b"4111 1111 1111 1111"


def search(*, replaces: bool = False) -> InputSearch:
    return InputSearch(ENGINE.open_terminal(profiles=("pci", "secrets")), replaces=replaces)


def test_a_line_waits_for_its_end() -> None:
    """Half of a number is none."""
    one = search()
    assert one.feed(b"echo 4111 11") == b""
    assert one.held == 12
    assert one.feed(b"1\nls\nca") == b"echo 4111 111\nls\n"
    assert one.end() == b"ca"
    assert one.found == ""


@given(st.integers(0, len(CARD) + 6))
def test_what_is_found_ends_it_wherever_it_is_cut(cut: int) -> None:
    """With a reason that names no value; nothing of the line went on before."""
    line, one = b"echo " + CARD + b"\n", search()
    with pytest.raises(InputRefused, match="protected data in the input: CREDIT_CARD=1"):
        assert one.feed(line[:cut]) + one.feed(line[cut:]) == b"never"
    assert one.found == "CREDIT_CARD=1"


def test_where_a_rule_says_so_it_is_masked() -> None:
    """And goes on."""
    one = search(replaces=True)
    assert one.feed(b"echo " + CARD + b"\nls\n") == b"echo <CREDIT_CARD>\nls\n"


def test_the_last_line_need_not_end() -> None:
    """What a closed stdin leaves is searched as well."""
    one = search()
    assert one.feed(b"echo " + CARD) == b""
    with pytest.raises(InputRefused):
        one.end()


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08archive\n", b"a\0b", b"caf\xe9\n"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """An archive cannot be searched."""
    with pytest.raises(InputRefused, match="cannot be searched"):
        search().feed(data)
