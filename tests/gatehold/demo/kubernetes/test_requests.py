"""What a request is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.requests import Query, parse_target
from gatehold.demo.kubernetes.statuses import ApiError


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/pods", ("pods", "", "", "")),
        ("/api/v1/namespaces/dev/pods/", ("pods", "dev", "", "")),
        ("/api/v1/namespaces//pods", ("pods", "", "", "")),
        ("/api/v1/namespaces/dev", ("namespaces", "", "dev", "")),
        ("/api/v1/namespaces/dev/status", ("namespaces", "", "dev", "status")),
        ("/api/v1/namespaces/dev/pods/p/log", ("pods", "dev", "p", "log")),
        ("/apis/apps/v1/namespaces/dev/deployments/d/scale", ("deployments", "dev", "d", "scale")),
        ("/apis/apps/v1/watch/namespaces/dev/deployments/d", ("deployments", "dev", "d", "")),
    ],
)
def test_paths_name_resources(path: str, expected: tuple[str, str, str, str]) -> None:
    """Slashes are trimmed at the ends only; an empty namespace is every namespace."""
    target = parse_target(path)
    assert target is not None
    assert (target.resource.plural, target.namespace, target.name, target.subresource) == expected
    assert target.watched is ("/watch/" in path)


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/v1", "/apis/apps/v1", "/version", "/api/v2/pods", "/api/v1/watch", "/api/v1/namespaces/a/nodes",
     "/api/v1/namespaces/a/pods/p/log/more", "/apis/apps/v1/pods", "/other/v1/pods"],
)  # fmt: skip
def test_other_paths_name_none(path: str) -> None:
    """Too short, too long, or unknown."""
    assert parse_target(path) is None


@given(st.text("/apisvwtch1nmeod.%", max_size=40))
def test_any_path_is_read(path: str) -> None:
    """No path breaks the reading."""
    parse_target(path)


def test_queries_are_read_as_go_reads_them() -> None:
    """First value, exact names, pairs with a semicolon dropped, flags false only for false and 0."""
    query = Query("watch=1&watch=0&Watch=x&a;b=2&limit=5&empty=&off=False&n=x")
    assert query.first("watch") == "1"
    assert query.all("watch") == ["1", "0"]
    assert query.flag("watch")
    assert query.flag("empty")
    assert not query.flag("off")
    assert not query.flag("absent")
    assert "a" not in query
    assert "a;b" not in query
    assert query.number("limit") == 5
    assert query.number("absent") is None
    with pytest.raises(ApiError, match="ParseInt"):
        query.number("n")
