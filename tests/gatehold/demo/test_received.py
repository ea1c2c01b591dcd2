"""The log of received requests."""

from gatehold.demo.received import Received, RequestLog


def test_log_keeps_the_last_requests_in_order() -> None:
    """Older requests fall out; the order is that of arrival."""
    log = RequestLog(kept=3)
    for number in range(5):
        log.append(Received(method="GET", path=f"/{number}", headers=()))
    assert [request.path for request in log] == ["/2", "/3", "/4"]
    log.clear()
    assert not len(log)


def test_credentials_stay_out_of_the_repr() -> None:
    """Neither a header's value nor the body shows in a repr."""
    request = Received(method="GET", path="/", headers=(("authorization", "Bearer s3cret"),), body=b"s3cret")
    assert "s3cret" not in repr(request)
    assert request.header("Authorization") == "Bearer s3cret"
    assert request.header("Accept") is None
