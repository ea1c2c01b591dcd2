"""Method, framing and headers, before anything is read from them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.wire import CREDENTIALS, METHODS, read_headers
from policy.codes import Code
from policy.errors import Refusal
from policy.model import UNKNOWN, WireRequest


def request(*headers: tuple[str, str], method: str = "POST", body: bytes | None = b"") -> WireRequest:
    return WireRequest(method=method, path="/", headers=headers, body=body)


@pytest.mark.parametrize("method", ["get", "Get", "TRACE", "CONNECT", "PROPFIND", "", "GET ", "G\u0415T", "*"])
def test_methods_outside_the_list_are_refused(method: str) -> None:
    """Only the known methods in upper case: what is matched is what stands on the wire."""
    with pytest.raises(Refusal, match="method") as refusal:
        read_headers(request(method=method))
    assert refusal.value.code is Code.MALFORMED


@pytest.mark.parametrize("method", sorted(METHODS))
def test_methods_of_the_list_pass(method: str) -> None:
    """Each of the seven."""
    assert read_headers(request(method=method)).fields == {}


@pytest.mark.parametrize(
    "name",
    [
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X_HTTP_Method_Override",
        "X-Original-URL",
        "x_rewrite_url",
    ],
)
def test_overrides_are_refused(name: str) -> None:
    """No header makes another method or path of it, in any spelling."""
    with pytest.raises(Refusal, match="overridden"):
        read_headers(request((name, "DELETE")))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((), b"x"),
        ((("Content-Length", "1"),), b""),
        ((("Content-Length", "0"), ("Content-Length", "5")), None),
        ((("Content_Length", "1"),), b""),
        ((("Transfer-Encoding", "chunked"),), None),
    ],
)
def test_reads_have_no_body(method: str, headers: tuple[tuple[str, str], ...], body: bytes | None) -> None:
    """A body where none belongs may be read upstream as another request."""
    with pytest.raises(Refusal, match="has a body"):
        read_headers(request(*headers, method=method, body=body))


@pytest.mark.parametrize("body", [b"", None])
def test_a_get_without_body_passes(body: bytes | None) -> None:
    """A length of zero is no body, and neither is one that was not read."""
    assert read_headers(request(("Content-Length", "0"), method="GET", body=body)).names == {"content-length"}


def test_a_delete_may_have_a_body() -> None:
    """Kubernetes sends DeleteOptions."""
    read_headers(request(method="DELETE", body=b"{}"))


def test_names_are_lower_case_and_values_lists() -> None:
    """All values of a name, in order, under one spelling."""
    headers = read_headers(request(("X-A", "1"), ("x-a", "2"), ("X_A", "3")))
    assert headers.fields == {"x-a": ("1", "2"), "x_a": ("3",)}
    assert headers.names == {"x-a"}


@pytest.mark.parametrize("name", [*sorted(CREDENTIALS), "Authorization", "X_API_Key", "COOKIE"])
def test_credentials_are_left_out(name: str) -> None:
    """No rule sees a credential, and no repr shows one."""
    headers = read_headers(request((name, "planted-value")))
    assert headers.fields == {}
    assert "planted-value" not in repr(headers)


def test_values_are_not_in_the_repr() -> None:
    """Other headers may hold secrets too."""
    assert "planted-value" not in repr(read_headers(request(("X-Custom", "planted-value"))))


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        ((), ""),
        ((("Content-Type", "a/b"),), "a/b"),
        ((("content-type", " a/b\t"),), "a/b"),
        ((("Content-Type", "a/b"), ("Content-Type", "a/b")), UNKNOWN),
        ((("Content-Type", "a/b"), ("Content_Type", "c/d")), UNKNOWN),
        ((("Content_Type", "c/d"),), UNKNOWN),
    ],
)
def test_content_type_is_one(headers: tuple[tuple[str, str], ...], value: object) -> None:
    """Two content types, or one that only some servers see, are none that can be known."""
    assert read_headers(request(*headers)).content_type == value


def test_upgrade_and_encoding() -> None:
    """What the request wants to become, and whether its body is encoded."""
    headers = read_headers(request(("Upgrade", "websocket"), ("upgrade", "h2c"), ("Content-Encoding", "gzip")))
    assert (headers.upgrade, headers.encoded) == ("websocket, h2c", True)
    assert (read_headers(request()).upgrade, read_headers(request()).encoded) == ("", False)


@given(st.text(), st.lists(st.tuples(st.text(), st.text())), st.one_of(st.none(), st.binary()))
def test_never_raises_but_a_refusal(method: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
    """Whatever stands on the wire."""
    for candidate in (method, "GET", "POST"):
        with contextlib.suppress(Refusal):
            read_headers(request(*headers, method=candidate, body=body))
