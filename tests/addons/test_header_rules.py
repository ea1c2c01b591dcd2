"""Law: a header that two readers could take for different things is refused; what is stripped goes in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons import header_rules
from policy.codes import Code
from policy.errors import Refusal

REFUSED = {
    "two hosts": [(b"Host", b"a"), (b"host", b"b")],
    "two hosts, one underscored": [(b"content-type", b"a"), (b"content_type", b"b")],
    "two authorizations": [(b"Authorization", b"Bearer a"), (b"AUTHORIZATION", b"Bearer b")],
    "obs-fold": [(b"X-Note", b"a\r\n b")],
    "lone CR": [(b"X-Note", b"a\rb")],
    "NUL": [(b"X-Note", b"a\x00b")],
    "DEL": [(b"X-Note", b"a\x7fb")],
    "space in a name": [(b"X Note", b"a")],
    "empty name": [(b"", b"a")],
    "non-ASCII name": ["X-N\xf6te".encode("latin-1") and ("X-N\xf6te".encode("latin-1"), b"a")],
    "impersonation": [(b"Impersonate-User", b"system:admin")],
    "impersonation, underscored": [(b"impersonate_user", b"system:admin")],
    "impersonation extra": [(b"Impersonate-Extra-Scopes", b"x")],
    "websocket upgrade": [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")],
    "h2c upgrade": [(b"Connection", b"Upgrade, HTTP2-Settings"), (b"Upgrade", b"h2c")],
    "SPDY upgrade": [(b"Upgrade", b"SPDY/3.1")],
    "connection names a header": [(b"Connection", b"keep-alive, X-User")],
    "connection names authorization": [(b"Connection", b"Authorization")],
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguous_headers_are_malformed(fields: list[header_rules.Field]) -> None:
    """Each of these was forwarded verbatim by a stock proxy."""
    with pytest.raises(Refusal) as refused:
        header_rules.check(fields)
    assert refused.value.code is Code.MALFORMED


def test_ordinary_headers_pass() -> None:
    """What real clients send is not in the way."""
    header_rules.check(
        [
            (b"Host", b"a"),
            (b"Accept", b"*/*"),
            (b"Connection", b"keep-alive"),
            (b"TE", b"trailers"),
            (b"X-A", b"1"),
            (b"X-A", b"2\t"),
        ]
    )


@pytest.mark.parametrize(
    "name",
    ["Authorization", "PROXY-Authorization", "proxy_authorization", "Cookie", "X-Api-Key", "x_api_key", "X.Api.Key",
     "x~api!key", "X-Forwarded-For", "x_forwarded_host", "Forwarded", "X-Remote-User", "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade",
     "X-Original-URL", "Via", "Gatehold-Decision"],
)  # fmt: skip
def test_stripped_in_every_spelling(name: str) -> None:
    """Credentials, hop-by-hop, forwarding and identity headers never reach a target."""
    assert header_rules.is_stripped(name)
    assert header_rules.forwarded([(name.encode(), b"x"), (b"Accept", b"a")]) == [(b"Accept", b"a")]


@given(st.lists(st.tuples(st.sampled_from([b"Accept", b"X-A", b"x-a", b"User-Agent"]), st.binary(max_size=5))))
def test_what_goes_on_keeps_its_order_and_spelling(fields: list[header_rules.Field]) -> None:
    """Headers that are not ours to judge are passed on as they are."""
    assert header_rules.forwarded(fields) == fields


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "application/json"),
        ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
        ("application/vnd.kubernetes.protobuf", "application/json"),
        ("*/*", "application/json"),
        ("application/yaml, */*", "application/json"),
        (
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
        ),
    ],
)
def test_accept_is_reduced_to_json(accept: str, expected: str) -> None:
    """Only JSON can be masked object by object; its variants keep their parameters."""
    assert header_rules.json_accept(accept) == expected


@pytest.mark.parametrize("value", [b"websocket", b"WebSocket", b"SPDY/3.1"])
def test_an_upgrade_that_is_judged_passes(value: bytes) -> None:
    """Where policy is asked about it."""
    header_rules.check([(b"Connection", b"Upgrade"), (b"Upgrade", value)], upgrades=True)


@pytest.mark.parametrize(
    "fields",
    [
        [(b"Upgrade", b"h2c")],
        [(b"Upgrade", b"websocket, h2c")],
        [(b"Upgrade", b"")],
        [(b"Upgrade", b"websocket"), (b"upgrade", b"SPDY/3.1")],
        [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade, X-User")],
    ],
)
def test_no_other_upgrade_is_ever_judged(fields: list[header_rules.Field]) -> None:
    """Not even there."""
    with pytest.raises(Refusal):
        header_rules.check(fields, upgrades=True)


@pytest.mark.parametrize("name", ["Sec-WebSocket-Key", "sec_websocket_protocol", "Sec-WebSocket-Extensions", "Upgrade"])
def test_the_agents_handshake_is_not_forwarded(name: str) -> None:
    """Its nonce would also make every attempt another question to an approver."""
    assert header_rules.is_stripped(name)


def test_values_are_read_in_utf_8_where_they_are_and_else_in_latin_1() -> None:
    """No value is lost, and each is written back as it came."""
    for raw, text in ((b"caf\xc3\xa9", "café"), (b"caf\xe9", "café"), (b"\xff", "ÿ")):
        read, charset = header_rules.readable(raw)
        assert (read, read.encode(charset)) == (text, raw)
