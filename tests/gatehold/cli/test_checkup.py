"""Items, as they are printed, and checks that break."""

from collections.abc import Iterator

from gatehold.cli.checkup import Item, failed, looked_at, ok, warning


def test_lines() -> None:
    """What is amiss stands out; what to do follows."""
    assert ok("ca", "fine").line(4) == "ok       ca    fine"
    assert warning("ca", "old", "renew").line(2) == "warning  ca  old; renew"
    assert failed("ca", "gone").line(2) == "FAILED   ca  gone"


def test_a_check_that_breaks_ends_nothing() -> None:
    """It is told, without what it was about: that may be a secret."""

    def broken() -> Iterator[Item]:
        yield ok("one", "fine")
        raise RuntimeError("s3cr3t")

    items = list(looked_at([("one", broken), ("two", lambda: [ok("two", "fine")])]))
    assert [item.status for item in items] == ["ok", "failed", "ok"]
    assert "RuntimeError" in items[1].message
    assert "s3cr3t" not in repr(items)
