"""Law: the bytes of a held call are there while it waits, within bounds, and never in a text about them."""

from gatehold.approvals.revealing import HeldRequest, HeldRequests

REQUEST = HeldRequest(method="POST", path="/planted-path", headers=(("a", "planted-header"),), body=b"planted-body")


def test_it_is_there_while_it_waits() -> None:
    """Also for the second of two repetitions."""
    held = HeldRequests()
    with held.waiting("apr_1", REQUEST):
        with held.waiting("apr_1", REQUEST):
            assert held.reveal("apr_1") is REQUEST
        assert held.reveal("apr_1") is REQUEST
        assert held.reveal("apr_2") is None
    assert held.reveal("apr_1") is None


def test_what_does_not_fit_cannot_be_revealed() -> None:
    """The call waits all the same, and room comes back."""
    held = HeldRequests(most=REQUEST.size)
    with held.waiting("apr_1", REQUEST), held.waiting("apr_2", REQUEST):
        assert held.reveal("apr_2") is None
    with held.waiting("apr_2", REQUEST):
        assert held.reveal("apr_2") is REQUEST


def test_it_tells_nothing_by_itself() -> None:
    """Not in a log, not in an error."""
    assert "planted" not in repr(REQUEST)
