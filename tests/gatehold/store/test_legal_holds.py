import pytest

from gatehold.store import Store, outbox
from gatehold.store.legal_holds import AlreadyHeld, NoReason, NotHeld, hold, holds, release


def test_a_hold_lasts_until_it_is_released(store: Store) -> None:
    """Who, why and when; both acts are events of the session."""
    with store.writing() as connection:
        made = hold(connection, "s-1", reason=" case 7 ", by="os:root", now=5.0)
        hold(connection, "s-0", reason="case 8", by="os:root", now=6.0)
        assert [each.session for each in holds(connection)] == ["s-1", "s-0"]
        assert made == holds(connection)[0]
        assert (made.reason, made.by, made.created) == ("case 7", "os:root", 5.0)
        assert release(connection, "s-1", reason="closed", by="bob", now=7.0) == made
        assert [each.session for each in holds(connection)] == ["s-0"]
    told = [waiting.event for waiting in outbox.waiting(store)]
    assert [(each["action"], each["session"], each["reason"]) for each in told] == [
        ("hold", "s-1", "case 7"),
        ("hold", "s-0", "case 8"),
        ("release", "s-1", "closed"),
    ]


def test_what_is_no_hold(store: Store) -> None:
    """Twice, without a reason, with one that would steer a terminal, or the end of one that is none."""
    with store.writing() as connection:
        hold(connection, "s-1", reason="case 7", by="os:root", now=5.0)
        with pytest.raises(AlreadyHeld):
            hold(connection, "s-1", reason="case 8", by="os:root", now=5.0)
        for reason in ("", "  ", "a\x1b[2J", "x" * 501):
            with pytest.raises(NoReason):
                hold(connection, "s-2", reason=reason, by="os:root", now=5.0)
        with pytest.raises(NotHeld):
            release(connection, "s-2", reason="", by="os:root", now=5.0)
