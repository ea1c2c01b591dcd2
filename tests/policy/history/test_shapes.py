"""Law: what differs from call to call becomes ``{id}``; words stay words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.history.shapes import ID, MANY, Template, joined, name_glob, pattern, template
from policy.rules.paths import parse_pattern


@pytest.mark.parametrize(
    "segment",
    [
        "7",
        "3e7f1a3e-9a55-4b0e-a6a5-0d6d3c1f2b3a",
        "deadbeef01",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "ada@b.c",
        "ACME-7",
        "cus_19",
    ],
)
def test_identifiers(segment: str) -> None:
    """Numbers, UUIDs, hashes, ULIDs, addresses, keys of trackers and shops."""
    assert template(["a", segment]) == ("a", ID)


@pytest.mark.parametrize("segment", ["customers", "v2", "facade", "deadbeef", "export-all-customers", "self", "2fa"])
def test_words(segment: str) -> None:
    """Also with a number in them, and of hexadecimal letters."""
    assert template([segment]) == (segment,)


def test_names_of_objects() -> None:
    """What Kubernetes appends to a name; other names stay."""
    assert name_glob("web-7d4b9c8d5f-x2x4z") == "web-*"
    assert name_glob("job-x2x4z") == "job-*"
    assert name_glob("db-0") == "db-*"
    assert name_glob("web") == "web"
    assert name_glob("web-frontend") == "web-frontend"


def test_joined() -> None:
    """Ten values in one place; nine are words, and so are ten in different surroundings."""
    many, few = [("t", str(n) + "x", "a") for n in range(10)], [("u", str(n) + "x") for n in range(9)]
    found = joined([*many, *few])
    assert {found[each] for each in many} == {("t", ID, "a")}
    assert all(found[each] == each for each in few)


def _place_by_place(templates: list[Template]) -> dict[Template, Template]:
    """As it is said, however long it takes."""
    found = {each: each for each in templates}
    for place in range(max(map(len, found), default=0)):
        around = {now: (now[:place], now[place + 1 :]) for now in found.values() if len(now) > place}
        for each, now in found.items():
            if now in around and len({one[place] for one in around if around[one] == around[now]}) >= MANY:
                found[each] = (*now[:place], ID, *now[place + 1 :])
    return found


@given(st.lists(st.lists(st.sampled_from([ID, *"abcdefghijkl"]), max_size=3).map(tuple), max_size=150))
def test_joined_place_by_place(templates: list[Template]) -> None:
    """What becomes a parameter in one place counts as one in those behind it."""
    assert joined(templates) == _place_by_place(templates)


def test_patterns_are_read_as_they_were_meant() -> None:
    """Whatever stands in a segment, the pattern is about that segment."""
    assert pattern(("a", ID, "b", ID), trailing_slash=True) == "/a/{id}/b/{id2}/"
    for segment in ("x y", "ä", "{id}", "*", "**", "a%2Fb", "#", "?", "."):
        if segment != ".":
            assert parse_pattern(pattern((segment,))).parts == (segment,)
