"""Values are made fit for the engine before it sees them."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.expressions import MAX_DEPTH, Activation, Environment, Outcome
from policy.model import Family

HTTP = Environment.for_family(Family.HTTP)
READS_BODY = HTTP.compile("body == body")
READS_NONE = HTTP.compile("http.method == 'GET'")


def nested(depth: int, *, by: type = list) -> Any:
    """A value of that many levels."""
    value: Any = "leaf"
    for _ in range(depth):
        value = [value] if by is list else {"a": value}
    return value


@pytest.mark.parametrize("by", [list, dict])
def test_deep_values_never_reach_the_engine(by: type) -> None:
    """Edge 2: at some thousand levels the engine crashes the process."""
    for depth, wanted in ((MAX_DEPTH, Outcome.MATCH), (MAX_DEPTH + 1, Outcome.ERROR), (100_000, Outcome.ERROR)):
        activation = HTTP.activation({"body": nested(depth, by=by), "http.method": "GET"})
        assert READS_BODY.test(activation) is wanted
        assert READS_NONE.test(activation) is Outcome.MATCH


def test_the_reason_is_told() -> None:
    activation = HTTP.activation({"body": nested(100)})
    assert READS_BODY.evaluate(activation).detail == f"body: nested deeper than {MAX_DEPTH} levels"
    assert activation.unusable == {"body": f"nested deeper than {MAX_DEPTH} levels"}


def test_a_value_that_holds_itself_is_too_deep() -> None:
    value: list[Any] = []
    value.append(value)
    assert READS_BODY.test(HTTP.activation({"body": value})) is Outcome.ERROR


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("body.l == [1, 2]", {"l": (1, 2)}),
        ("body.m.a == 1", MappingProxyType({"m": MappingProxyType({"a": 1})})),
        ("'a' in body", frozenset({"a", "b"})),
        ("body.method == 'http'", {"method": Family.HTTP}),
        ("body.n > 1e300", {"n": 10**301}),
        ("body.l[0][0] > 1e18", {"l": ((2**64,),)}),
    ],
)
def test_foreign_types_are_turned_into_the_engines(source: str, value: Any) -> None:
    assert HTTP.compile(source).test(HTTP.activation({"body": value})) is Outcome.MATCH


@pytest.mark.parametrize("value", [{"n": 10**400}, [object()], {"a": {"b": range(3)}}, 1j])
def test_what_has_no_counterpart_stays_unbound(value: Any) -> None:
    activation = HTTP.activation({"body": value})
    assert "body" in activation.unusable
    assert READS_BODY.test(activation) is Outcome.ERROR


def test_an_untouched_value_is_not_copied() -> None:
    """The walk costs microseconds, a copy would cost more than the evaluation."""
    value = {"a": [1, {"b": "c"}]}
    activation = HTTP.activation({"body": value})
    assert activation._values["body"] is value


def test_binding_further_variables_leaves_the_first_as_it_was() -> None:
    first = HTTP.activation({"http.method": "GET"})
    second = first.bind({"http.params": {"id": "7"}, "body": nested(100)})
    reads = HTTP.compile("http.params.id == '7' && http.method == 'GET'")
    assert reads.test(second) is Outcome.MATCH
    assert reads.test(first) is Outcome.ERROR
    assert first.unusable == {}
    assert isinstance(second, Activation)


values = st.recursive(
    st.integers() | st.text(max_size=3) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(values)
def test_a_usable_value_equals_itself_after_the_turning(value: Any) -> None:
    """Nothing is lost or made up on the way in: the engine finds the value equal to itself."""
    activation = HTTP.activation({"body": value})
    assert READS_BODY.test(activation) is (Outcome.ERROR if activation.unusable else Outcome.MATCH)


class Text(str):
    """Text of a type of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value", ["ok\0evil", Text("ok\0evil"), {"a\0b": 1}, [{"a": ["ok\0evil"]}], ("ok\0evil",), {"a": {Text("\0"): 1}}]
)
def test_a_nul_is_no_end(value: Any) -> None:
    """The engine's binding would end a text there; nothing may be judged by half of what is sent."""
    activation = HTTP.activation({"body": value})
    assert activation.unusable == {"body": "holds a NUL"}
    assert READS_BODY.test(activation) is Outcome.ERROR
