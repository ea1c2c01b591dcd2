"""Law: a stream is known while it is open."""

from mitmproxy.flow import Error

from addons.open_streams import OpenStreams
from tests.addons.support import make_call, make_flow


def test_what_ended_is_not_there() -> None:
    """Told or not."""
    streams, flows = OpenStreams(), [make_flow() for _ in range(4)]
    for flow in flows:
        streams.add(make_call(), flow, lambda _why: None, lambda _flow: None)
    flows[0].live = False
    flows[1].error = Error("the client left")
    streams.remove(flows[2])
    streams.remove(flows[2])
    assert [flow for flow, _ in streams.all()] == [flows[3]]
    assert len(streams) == 3
