"""Laws of words on pages: short, honest about what is left out, and nothing unseen in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.console.navigation import current, places
from gatehold.console.templating import diff, duration, kibibytes, lines, telling
from gatehold.console.wording import headline, is_unsafe


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (-5, "0s"), (59.9, "59s"), (60, "1m"), (61, "1m 1s"), (3600, "1h"), (3661, "1h 1m"), (90_061, "1d 1h"), (86_400, "1d")],
)  # fmt: skip
def test_durations_have_two_units(seconds: float, words: str) -> None:
    """The largest ones."""
    assert duration(seconds) == words


@given(st.text())
def test_lines_are_lines(text: str) -> None:
    """No line has an end within, none is lost."""
    made = lines(text)
    assert len(made) == text.removesuffix("\n").count("\n") + 1
    assert all("\n" not in line and line.isprintable() for line in made)


def test_a_diff_has_its_colours() -> None:
    """Heads are no changes."""
    assert [kind for kind, _ in diff("--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n")] == ["hunk", "hunk", "hunk", "", "del", "add"]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ("GET", "/p")),
        ({"verb": "get"}, ("GET", "/p")),
        ({"verb": 3, "resource": []}, ("GET", "/p")),
        ({"verb": "get", "resource": "pods", "group": ""}, ("get", "pods")),
        ({"verb": "patch", "resource": "deployments", "group": "apps", "subresource": "scale", "namespace": "prod", "name": "api", "replicas": 12, "oldReplicas": 3},
         ("patch", "deployments.apps/scale prod/api (3 → 12 replicas)")),
        ({"verb": "create", "resource": "pods", "subresource": "exec", "name": "a", "command": ["sh", "-c", "id"]}, ("create", "pods/exec a $ sh -c id")),
        ({"verb": "update", "resource": "deployments", "replicas": 3, "oldReplicas": 3}, ("update", "deployments")),
    ],
)  # fmt: skip
def test_a_call_in_few_words(facts: dict[str, object], words: tuple[str, str]) -> None:
    """Kubernetes calls by verb and object, all others by method and path."""
    assert headline(facts, "GET", "/p") == words


def test_small_words() -> None:
    """What takes away is red, what tells nothing is not told, sizes are read."""
    assert [is_unsafe(verb) for verb in ("DELETE", "deletecollection", "get")] == [True, True, False]
    assert telling({"b": 0, "a": "x", "c": None, "d": "", "e": [], "f": False}) == [("a", "x"), ("b", 0), ("f", False)]
    assert [kibibytes(size) for size in (1, 1536)] == ["1 B", "1.5 KiB"]


def test_where_one_is() -> None:
    """An approval is under the inbox; a page below an entry under that entry."""
    known = places(["/", "/grants", "/login"])
    assert [place.label for place in known] == ["Inbox", "Grants"]
    paths = ("/", "/approvals/x", "/grants", "/grants/x", "/grantsx", "/login")
    assert [current(known, path) for path in paths] == ["/", "/", "/grants", "/grants", "", ""]
