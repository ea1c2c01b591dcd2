"""Law: what a mask hides never leaves, nor does the gateway's own credential; what cannot be masked is withheld."""

import dataclasses
import gzip
import json
from typing import Any

import pytest
from mitmproxy import http

from addons import answers
from addons.handshakes import Handshake
from addons.record import Recording
from addons.redact import Redact
from addons.runtime import Runtime
from masking.errors import Unmaskable
from policy.codes import Code
from policy.errors import Refusal
from policy.model import MaskObligation, Obligations
from tests.addons.conftest import CREDENTIAL
from tests.addons.support import make_flow, make_request, make_response, sealed
from tests.addons.test_handshakes import answered

EMAIL = "ada.lovelace@example.com"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def redact(runtime: Runtime) -> Redact:
    return Redact(runtime, Recording(runtime))


async def _answered(redact: Redact, response: http.Response, *, method: str = "GET", **more: Any) -> http.HTTPFlow:
    flow = make_flow(make_request(method=method))
    sealed(redact.runtime, flow, **({"profiles": ("pii",)} | more))
    flow.response = response
    await redact.responseheaders(flow)
    await redact.response(flow)
    return flow


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_body_is_masked(redact: Redact, encoding: str) -> None:
    """Decoded, with its new length, and the counts in a header."""
    body = _body({"email": EMAIL, "n": 1})
    headers = JSON | ({"Content-Encoding": encoding} if encoding else {})
    flow = await _answered(redact, make_response(gzip.compress(body) if encoding else body, headers))
    response = flow.response
    assert response is not None
    raw = response.raw_content or b""
    assert EMAIL.encode() not in raw
    assert json.loads(raw)["n"] == 1
    assert response.headers["Content-Length"] == str(len(raw))
    assert "content-encoding" not in response.headers
    assert response.headers[answers.MASKED] == "EMAIL_ADDRESS=1"


async def test_headers_are_masked_and_cleaned(redact: Redact) -> None:
    """Validators of the unmasked bytes, cookies and a forged mark are not passed on."""
    planted = {"X-Owner": EMAIL, "ETag": '"a"', "Set-Cookie": "a=b", "Alt-Svc": "h3", "Gatehold-Decision": "fake",
               "Last-Modified": "x", "Content-MD5": "x"}  # fmt: skip
    flow = await _answered(redact, make_response(b"{}", JSON | planted))
    assert flow.response is not None
    assert EMAIL not in str(flow.response.headers)
    assert flow.response.headers.get_all(answers.DECISION) == [redact.runtime.call(flow).id]
    assert not {"etag", "set-cookie", "alt-svc", "last-modified", "content-md5"} & {
        name.lower() for name in flow.response.headers
    }


@pytest.mark.parametrize("profiles", [(), ("pii",)])
@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_the_credential_never_comes_back(redact: Redact, profiles: tuple[str, ...], encoding: str) -> None:
    """In a body or a header, masked or not, however the body is encoded."""
    body = _body({"sent": f"Key {CREDENTIAL}"})
    headers = JSON | {"X-Echo": CREDENTIAL} | ({"Content-Encoding": encoding} if encoding else {})
    raw = gzip.compress(body) if encoding else body
    headers["Content-Length"] = str(len(raw))
    flow = await _answered(redact, make_response(raw, headers), profiles=profiles)
    assert flow.response is not None
    assert CREDENTIAL.encode() not in (flow.response.raw_content or b"") + str(flow.response.headers).encode()
    assert b"sent" in (flow.response.raw_content or b"")


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b'{"email": "' + EMAIL.encode(), JSON), (_body([EMAIL] * 400), JSON), (b"\x89PNG\x00", {"Content-Type": "image/png"}),
     (b"not gzip", JSON | {"Content-Encoding": "gzip"}), (b"x", JSON | {"Content-Encoding": "unheard-of"})],
    ids=["cut", "large", "image", "not gzip", "unknown coding"],
)  # fmt: skip
async def test_what_cannot_be_masked_is_withheld(redact: Redact, body: bytes, headers: dict[str, str]) -> None:
    """502 in our own words; not a byte of it remains."""
    flow = await _answered(redact, make_response(body, headers))
    assert flow.response is not None
    assert flow.response.status_code == 502
    assert json.loads(flow.response.content or b"")["code"] == "unmaskable"
    assert body not in (flow.response.raw_content or b"") or body == b"x"
    call = redact.runtime.call(flow)
    assert call.refusal is not None
    assert call.refusal.code is Code.UNMASKABLE


async def test_an_answer_without_evidence_is_not_touched_and_not_let_go(redact: Redact) -> None:
    """It raises, which dispatch turns into a killed flow or a refusal."""
    flow = make_flow()
    flow.response = http.Response.make(200, b"planted")
    with pytest.raises(KeyError):
        await redact.responseheaders(flow)
    with pytest.raises(KeyError):
        await redact.response(flow)


async def test_a_switch_of_protocols_is_refused(redact: Redact) -> None:
    """Nothing was asked for; what follows could not be masked."""
    flow = make_flow()
    sealed(redact.runtime, flow)
    flow.response = http.Response.make(101)
    with pytest.raises(Refusal):
        await redact.responseheaders(flow)


async def test_trailers_are_dropped(redact: Redact) -> None:
    """They are never masked."""
    response = make_response(b"{}", JSON)
    response.trailers = http.Headers(x_owner=EMAIL)
    flow = await _answered(redact, response)
    assert flow.response is not None
    assert flow.response.trailers is None


async def test_a_refusal_passes_as_it_is(redact: Redact) -> None:
    """Our own answers are not masked and keep their headers."""
    flow = make_flow()
    redact.runtime.ledger.open(flow)
    redact.runtime.refuse(flow, Refusal(Code.DENIED_BY_RULE, rule="wall"))
    before = flow.response
    await redact.responseheaders(flow)
    await redact.response(flow)
    assert flow.response is before
    assert flow.response.headers[answers.RULE] == "wall"  # type: ignore[union-attr]


async def test_an_accepted_handshake_is_marked_and_nothing_else_of_it_passes(redact: Redact) -> None:
    """Extensions, cookies and the target's own words are not the agent's."""
    flow, handshake = make_flow(), Handshake(key="k", protocols=("v5.channel.k8s.io",))
    sealed(redact.runtime, flow).handshake = handshake
    flow.response = answered(handshake, Sec_WebSocket_Protocol="v5.channel.k8s.io", Set_Cookie="a=b")
    await redact.responseheaders(flow)
    assert flow.response.headers[answers.DECISION] == redact.runtime.call(flow).id
    assert "set-cookie" not in flow.response.headers


@pytest.mark.parametrize("asked", [True, False])
async def test_a_switch_of_protocols_that_does_not_fit_is_refused(redact: Redact, asked: bool) -> None:
    """Raised, so that the flow is killed: nothing of it may pass."""
    flow, handshake = make_flow(), Handshake(key="k", protocols=("v5.channel.k8s.io",))
    sealed(redact.runtime, flow).handshake = handshake if asked else None
    flow.response = answered(handshake, Upgrade="SPDY/3.1")
    with pytest.raises(Refusal):
        await redact.responseheaders(flow)


async def test_a_redirect_of_an_upgrade_leads_nowhere(redact: Redact) -> None:
    """Whereto it may lead, a tunnel was not judged for it (CVE-2018-1002105)."""
    flow = make_flow()
    sealed(redact.runtime, flow).handshake = Handshake(key="k", protocols=("v5.channel.k8s.io",))
    flow.response = make_response(headers={"Location": "https://crm.corp.example/"})
    flow.response.status_code = 302
    await redact.responseheaders(flow)
    assert "location" not in flow.response.headers


@pytest.mark.parametrize("status", [200, 201, 400, 401, 404, 409, 500, 503])
async def test_errors_are_masked_as_anything_else(redact: Redact, status: int) -> None:
    """An error that quotes what was asked for is an answer."""
    response = make_response(_body({"message": f"no user {EMAIL}"}), JSON)
    response.status_code = status
    flow = await _answered(redact, response)
    assert flow.response is not None
    assert flow.response.status_code == status
    assert EMAIL.encode() not in (flow.response.raw_content or b"")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/byteranges; boundary=x"])
@pytest.mark.parametrize("status", [200, 206, 226])
async def test_a_part_is_withheld(redact: Redact, status: int, content_type: str) -> None:
    """It is cut where somebody chose; a part of a value has not its form."""
    response = make_response(b"ada.lovelace@exam", {"Content-Type": content_type, "Content-Length": "17"})
    response.status_code = status
    flow = await _answered(redact, response)
    assert flow.response is not None
    if (status, content_type) != (200, "application/json"):
        assert redact.runtime.call(flow).refusal is not None
    assert b"ada.lovelace" not in (flow.response.raw_content or b"")


@pytest.mark.parametrize("choice", ["drop", "pass"])
async def test_what_a_rule_does_instead_of_withholding(redact: Redact, choice: str) -> None:
    """``drop`` empties it, ``pass`` lets it through; credentials stay here in any case."""
    flow = make_flow()
    call = sealed(redact.runtime, flow)
    mask = MaskObligation(profiles=("pii",), on_unmaskable=choice)  # type: ignore[arg-type]
    call.decision = dataclasses.replace(call.decision, obligations=Obligations(mask=mask))  # type: ignore[type-var]
    flow.response = make_response(b"\x89PNG\r\n" + CREDENTIAL.encode(), {"Content-Type": "image/png"})
    await redact.responseheaders(flow)
    await redact.response(flow)
    assert flow.response.raw_content == (b"" if choice == "drop" else b"\x89PNG\r\n***")
    assert call.refusal is None


async def test_a_stream_that_cannot_be_masked_is_withheld_where_it_ends(redact: Redact) -> None:
    """With a known length it is waited for; else raised, which aborts it."""
    headers = {"Content-Type": "text/event-stream; charset=utf-7", "Content-Length": "3"}
    flow = await _answered(redact, make_response(b"a\n\n", headers))
    assert flow.response is not None
    assert flow.response.status_code == 502
    with pytest.raises(Unmaskable):
        await _answered(redact, make_response(b"a\n\n", {"Content-Type": "text/event-stream; charset=utf-7"}))
