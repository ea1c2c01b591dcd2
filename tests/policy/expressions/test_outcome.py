"""Details keep the engine's words and drop the call's values."""

from hypothesis import given
from hypothesis import strategies as st

from policy.expressions.outcome import describe


@given(st.text(min_size=1), st.text())
def test_nothing_is_quoted_that_the_expression_does_not_say(value: str, rest: str) -> None:
    """Of a quoted value nothing is left but what the source holds as well."""
    told = describe(f'NOT_FOUND: Key not found in map : "{value}"{rest}', "body.x == 1")
    assert told.removeprefix("Key not found in map") in ("", *(f": {part}" for part in parts_of("body.x == 1")))


def parts_of(source: str) -> list[str]:
    return [source[a:b] for a in range(len(source)) for b in range(a + 1, len(source) + 1)]


@given(st.text())
def test_details_are_bounded(message: str) -> None:
    assert len(describe(message, message)) <= 200
