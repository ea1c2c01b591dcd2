"""Advice on what is allowed but unwise."""

import pytest

from policy.expressions import warnings


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("body.map(x, x + x).size() > 1", ("texts grow",)),
        ("body.map(x, x != '', x + 'a')[0] == 'b'", ("texts grow",)),
        ("body.items.all(x, body.items.exists(y, y == x))", ("loop within a loop",)),
        ("body.map(x, body.map(y, x + y))[0] == 'b'", ("texts grow", "loop within a loop")),
        ("body.map(x, x.name)[0] + 'b' == 'c'", ()),
        ("body.all(x, x != 'a+b') && body.exists(x, x == 'c')", ()),
        ("k8s.replicas + 1 > 10", ()),
    ],
)
def test_warnings(source: str, advice: tuple[str, ...]) -> None:
    found = warnings(source)
    assert len(found) == len(advice)
    assert all(part in text for part, text in zip(advice, found, strict=True))
