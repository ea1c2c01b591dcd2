"""Resources in the forms of RBAC."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rules.resources import ResourceDimension, check_resource

words = st.sampled_from(("pods", "jobs", "nodes"))
subresources = st.sampled_from(("", "exec", "scale"))
patterns = st.one_of(
    st.just("*"),
    st.just("*/*"),
    words,
    *(
        st.builds("{}/{}".format, a, b)
        for a, b in (
            (words, st.sampled_from(("exec", "scale", "*"))),
            (st.just("*"), st.sampled_from(("exec", "scale"))),
        )
    ),
)


def matches(pattern: str, resource: str, subresource: str) -> bool:
    """One pattern at a time, as the API server's RBAC authorizer does it."""
    if pattern == "*":
        return True
    wanted, slash, part = pattern.partition("/")
    if not slash:
        return wanted == resource and not subresource
    return bool(subresource) and wanted in {"*", resource} and part in {"*", subresource}


@given(st.lists(st.none() | st.lists(patterns, min_size=1, max_size=3).map(tuple), max_size=8), words, subresources)
def test_equals_a_linear_scan(entries: list[tuple[str, ...] | None], resource: str, subresource: str) -> None:
    """The mask has bit i exactly if one of the patterns of entry i names the resource."""
    dimension = ResourceDimension((entry, 1 << at) for at, entry in enumerate(entries))
    want = sum(
        1 << at
        for at, entry in enumerate(entries)
        if entry is None or any(matches(pattern, resource, subresource) for pattern in entry)
    )
    assert dimension.mask(resource, subresource) == want


def test_by_name() -> None:
    """Only patterns with the subresource's own name count, be it of one resource or of all."""
    patterns = ("*", "*/*", "pods/*", "pods", "pods/exec", "*/exec", "jobs/exec")
    dimension = ResourceDimension(((each,), 1 << at) for at, each in enumerate(patterns))
    assert dimension.mask_by_name("pods", "exec") == 0b0110000


@pytest.mark.parametrize("pattern", ["*", "pods", "pods/exec", "pods/*", "*/scale", "*/*", "a.b-c"])
def test_forms(pattern: str) -> None:
    """These are resources."""
    assert check_resource(pattern) == pattern


@pytest.mark.parametrize("pattern", ["", "/", "pods/", "/exec", "pod*", "pods/ex*", "Pods", "pods/exec/x", "pods "])
def test_no_forms(pattern: str) -> None:
    """These never match anything, so they are errors."""
    with pytest.raises(ValueError, match="not a resource"):
        check_resource(pattern)


@pytest.mark.parametrize("name", ["exec", "log", "portforward", "scale"])
def test_a_subresource_alone_is_a_mistake(name: str) -> None:
    """It would match nothing: a wall that is not there."""
    with pytest.raises(ValueError, match=f"did you mean pods/{name}"):
        check_resource(name)
    assert check_resource(f"pods/{name}") == f"pods/{name}"
    assert check_resource(f"*/{name}") == f"*/{name}"
