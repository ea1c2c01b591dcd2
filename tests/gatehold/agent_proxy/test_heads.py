"""Law: a head goes on with one Proxy-Authorization, the agent's; what has more than one reading does not go on."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gatehold.agent_proxy.heads import END, MAX_HEAD, Unreadable, problem, read_request, read_response

CONNECT = b"CONNECT crm.corp.example:443 HTTP/1.1\r\nHost: crm.corp.example:443"


def forwarded(head: bytes) -> bytes:
    return read_request(head + END).forwarded("Bearer T")


@pytest.mark.parametrize(
    ("head", "sent"),
    [
        (CONNECT, CONNECT + b"\r\nProxy-Authorization: Bearer T"),
        (CONNECT + b"\r\nPROXY-authorization: Basic evil\r\nProxy-Connection: Keep-Alive\r\nUser-Agent: x",
         CONNECT + b"\r\nUser-Agent: x\r\nProxy-Authorization: Bearer T"),
        (b"CONNECT [::1]:443 HTTP/1.0", b"CONNECT [::1]:443 HTTP/1.0\r\nProxy-Authorization: Bearer T"),
        (b"POST http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\nContent-Length: 1",
         b"POST http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nProxy-Authorization: Bearer T\r\nConnection: close"),
        (b"GET HTTP://a.example HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket",
         b"GET HTTP://a.example HTTP/1.1\r\nUpgrade: websocket\r\nProxy-Authorization: Bearer T\r\nConnection: close, upgrade"),
    ],
)  # fmt: skip
def test_what_goes_on(head: bytes, sent: bytes) -> None:
    """The same line and fields, byte for byte, but for what is between client and proxy only."""
    assert forwarded(head) == sent + END


@pytest.mark.parametrize(
    "head",
    [
        b"", b"GET", b"GET / HTTP/1.1", b"GET /http://a.example/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET ftp://a/ HTTP/1.1",
        b"GET http:///path HTTP/1.1", b"GET http://a/ HTTP/2.0", b"GET  http://a/ HTTP/1.1", b"GET http://a/ b HTTP/1.1", b"G(T http://a/ HTTP/1.1",
        b"CONNECT a.example HTTP/1.1", b"CONNECT user@a.example:443 HTTP/1.1", b"CONNECT http://a.example:443 HTTP/1.1", b"CONNECT a:b:443 HTTP/1.1",
        b"CONNECT :443 HTTP/1.1", b"connect a.example:443 HTTP/1.1", b"\x16\x03\x01\x02\x00\x01",
        CONNECT + b"\r\n folded: x", CONNECT + b"\r\nProxy-Authorization : x", CONNECT + b"\r\nno colon", CONNECT + b"\r\n: x",
        CONNECT + b"\r\nA: b\nProxy-Authorization: Basic evil", CONNECT + b"\r\nA: b\rC: d", CONNECT + b"\r\nA: \x00", CONNECT + b"\nA: b",
    ],
)  # fmt: skip
def test_what_does_not_go_on(head: bytes) -> None:
    """Requests to the forwarder itself, and everything that two readers could read differently."""
    with pytest.raises(Unreadable):
        read_request(head + END)


def test_a_head_that_is_not_whole() -> None:
    """Too long, or without its end."""
    with pytest.raises(Unreadable, match="does not end"):
        read_request(CONNECT + b"\r\n")
    with pytest.raises(Unreadable, match="does not end"):
        read_request(CONNECT + b"\r\nA: " + b"a" * MAX_HEAD + END)


names = st.sampled_from(
    [b"Host", b"Accept", b"Proxy-Authorization", b"proxy-authorization", b"Connection", b"X y", b"", b" A"]
)
values = st.binary(max_size=20)


@given(
    st.one_of(st.just(b"CONNECT a:1 HTTP/1.1"), st.binary(max_size=40)), st.lists(st.tuples(names, values), max_size=4)
)
@example(b"GET http://a HTTP/1.1", [(b"A", b"b\r\nProxy-Authorization: evil")])
def test_there_is_never_a_second_authorization(line: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    """Whatever a client sends, by any reader's notion of a line."""
    try:
        head = forwarded(b"\r\n".join([line, *(name + b":" + value for name, value in fields)]))
    except Unreadable:
        return
    read = [part for part in head.replace(b"\r", b"\n").split(b"\n") if part.lower().startswith(b"proxy-authorization")]
    assert read == [b"Proxy-Authorization: Bearer T"]
    assert head.count(END) == 1


@pytest.mark.parametrize(
    ("head", "sent", "interim"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nA: b", b"HTTP/1.1 200 OK\r\nA: b\r\nConnection: close", False),
        (b"HTTP/1.1 429 \r\nRetry-After: 1", b"HTTP/1.1 429 \r\nRetry-After: 1\r\nConnection: close", False),
        (b"HTTP/1.0 204", b"HTTP/1.0 204\r\nConnection: close", False),
        (b"HTTP/1.1 100 Continue", b"HTTP/1.1 100 Continue", True),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade", False),
    ],
)  # fmt: skip
def test_answers(head: bytes, sent: bytes, interim: bool) -> None:
    """An answer is the last thing on its connection; interim ones and switches are passed on as they are."""
    response = read_response(head + END)
    assert (response.forwarded(), response.is_interim) == (sent + END, interim)


@pytest.mark.parametrize("head", [b"", b"SSH-2.0-x", b"HTTP/2 200", b"HTTP/1.1 20", b"HTTP/1.1 099 x", b"HTTP/1.1 200 OK\r\n folded"])  # fmt: skip
def test_what_is_no_answer(head: bytes) -> None:
    with pytest.raises(Unreadable):
        read_response(head + END)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_request, read_response):
        try:
            read(data + END)
        except Unreadable:
            continue


def test_its_own_answers() -> None:
    """Problem documents, whole."""
    head, _, body = problem(503, "no-token", "the token file /t is empty").partition(END)
    response = read_response(head + END)
    assert response.status == 503
    assert (b"Content-Length", b" %d" % len(body)) in response.fields
    assert json.loads(body)["detail"] == "agent-proxy: the token file /t is empty"
