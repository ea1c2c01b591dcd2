"""Law: no header of an answer, by name or value, says what a mask hides or lets a client get around it."""

from typing import Any

import pytest
from mitmproxy import http

from addons.answer_headers import AnswerHeaders
from addons.calls import Call
from addons.runtime import Runtime
from tests.addons.conftest import CREDENTIAL
from tests.addons.support import make_flow, make_request, make_response, sealed

EMAIL = "ada.lovelace@example.com"


def cleaned(
    runtime: Runtime, headers: dict[str, str], *, method: str = "GET", status: int = 200, **more: Any
) -> tuple[http.Headers, Call]:
    """What is left of some headers."""
    flow = make_flow(make_request(method=method))
    call = sealed(runtime, flow, **({"profiles": ("pii",)} | more))
    response = make_response(b"", headers)
    response.status_code = status
    AnswerHeaders(runtime.gateway).clean(call, flow.request, response, None)
    return response.headers, call


@pytest.mark.parametrize("name", [f"X-{EMAIL.replace('@', '%40')}", "x-536-22-1234", f"x-{CREDENTIAL}", f"x-{CREDENTIAL.encode().hex()}"])  # fmt: skip
async def test_a_name_that_holds_data_goes(runtime: Runtime, name: str) -> None:
    """It cannot be masked: another name is another header."""
    kept, _ = cleaned(runtime, {name: "1", "X-Request-Id": "r1"})
    assert name.lower() not in [each.lower() for each in kept]
    assert kept["x-request-id"] == "r1"


@pytest.mark.parametrize("name", ["Location", "Link", "Content-Location", "WWW-Authenticate", "X-Any", "Content-Type",
                                  "Date", "Retry-After", "Server", "Content-Disposition", "Warning", "Via"])  # fmt: skip
async def test_every_value_is_masked(runtime: Runtime, name: str) -> None:
    """Also that of a header which holds no data when it is what it should be."""
    kept, call = cleaned(runtime, {name: f"/users/{EMAIL}"})
    assert EMAIL not in str(kept)
    assert call.masked == {"EMAIL_ADDRESS": 1}


@pytest.mark.parametrize("profiles", [(), ("pii",)])
@pytest.mark.parametrize("disguise", [lambda raw: raw, bytes.hex, lambda raw: raw.hex().upper(), lambda raw: raw[::-1]])
async def test_the_credential_is_in_no_value(runtime: Runtime, profiles: tuple[str, ...], disguise: Any) -> None:
    """Masked or not, in any spelling."""
    hidden = disguise(CREDENTIAL.encode())
    hidden = hidden.decode() if isinstance(hidden, bytes) else hidden
    kept, _ = cleaned(runtime, {"X-Echo": f"a {hidden} b"}, profiles=profiles)
    assert kept["x-echo"] == "a *** b"


async def test_plain_headers_stay_as_they_are(runtime: Runtime) -> None:
    """Byte for byte, in order."""
    plain = {"Content-Type": "application/json; charset=utf-8", "Date": "Sat, 21 Nov 2026 12:00:00 GMT",
             "Content-Length": "10", "Retry-After": "3"}  # fmt: skip
    kept, call = cleaned(runtime, plain)
    assert {name: kept[name] for name in plain} == plain
    assert not call.masked


async def test_a_changed_answer_is_for_no_cache(runtime: Runtime) -> None:
    """Another agent would get this one's pseudonyms; an unmasked answer keeps what the target says."""
    said = {"Cache-Control": "public, max-age=60", "Age": "1", "Expires": "0", "CDN-Cache-Control": "max-age=9"}
    kept, _ = cleaned(runtime, said)
    assert dict(kept) == {"Cache-Control": "private, no-store"}
    kept, _ = cleaned(runtime, said, profiles=())
    assert dict(kept) == said


@pytest.mark.parametrize("name", ["ETag", "Last-Modified", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest",
                                  "Accept-Ranges", "Content-Range", "Signature"])  # fmt: skip
async def test_what_describes_other_bytes_goes(runtime: Runtime, name: str) -> None:
    """It stays where nothing was changed."""
    assert name not in cleaned(runtime, {name: "x"})[0]
    assert name in cleaned(runtime, {name: "x"}, profiles=())[0]


@pytest.mark.parametrize("name", ["Set-Cookie", "Alt-Svc", "Refresh", "NEL", "Report-To", "Trailer", "Gatehold-Rule",
                                  "Gatehold-Masked-Request"])  # fmt: skip
async def test_what_is_never_an_agents_goes(runtime: Runtime, name: str) -> None:
    """Masked or not."""
    assert name not in cleaned(runtime, {name: "x"})[0]
    assert name not in cleaned(runtime, {name: "x"}, profiles=())[0]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
async def test_an_answer_without_a_body_tells_no_size(runtime: Runtime, method: str, status: int) -> None:
    """It would be the size before masking."""
    kept, _ = cleaned(runtime, {"Content-Length": "123", "X-A": "b"}, method=method, status=status)
    assert "content-length" not in kept


@pytest.mark.parametrize(
    ("location", "stays"),
    [("/next", True), ("https://crm.corp.example/next", True), ("https://evil.example/x", False),
     ("//evil.example/x", False), ("https://crm.corp.example:99999/", False)],
)  # fmt: skip
async def test_a_redirect_leads_to_registered_hosts_only(runtime: Runtime, location: str, stays: bool) -> None:
    """Presigned addresses are keys to places where nobody judges."""
    assert ("location" in cleaned(runtime, {"Location": location}, profiles=())[0]) is stays


async def test_a_folded_value_is_read_as_one(runtime: Runtime) -> None:
    """As a client does it; no line break goes on."""
    kept, _ = cleaned(runtime, {"X-Card": "4111 1111\r\n\t 1111 1111"}, profiles=("pci",))
    assert kept["x-card"] == "<CREDIT_CARD>"


@pytest.mark.parametrize("name", ["Gatehold-Masked", "Gatehold_Masked", "GATEHOLD-Rule", "Gatehold-Anything"])
async def test_nobody_else_speaks_for_the_gateway(runtime: Runtime, name: str) -> None:
    """In no spelling."""
    assert name not in cleaned(runtime, {name: "EMAIL_ADDRESS=0"})[0]


@pytest.mark.parametrize(
    "location",
    ["https:evil.example/a", "http:///evil.example/a", "///evil.example/a", "/\\evil.example/a", "\\\\evil.example",
     "https://crm.corp.example\\@evil.example/", "ftp://crm.corp.example:443/", "javascript:x", " //evil.example/a"],
)  # fmt: skip
async def test_disguised_hosts_lead_astray(runtime: Runtime, location: str) -> None:
    """Browsers and some clients find another host in them."""
    assert "location" not in cleaned(runtime, {"Location": location}, profiles=())[0]


@pytest.mark.parametrize("location", ["/a?b=//c", "a/b", "?x=https://evil.example", "https://crm.corp.example/a"])
async def test_redirects_within_stay(runtime: Runtime, location: str) -> None:
    """Relative, and to registered hosts."""
    assert cleaned(runtime, {"Location": location}, profiles=())[0]["location"] == location


async def test_a_credential_in_a_redirects_query_is_masked(runtime: Runtime) -> None:
    """The rest of it stays."""
    kept, _ = cleaned(runtime, {"Location": f"/next?page=2&api_key={CREDENTIAL}"}, profiles=())
    assert kept["location"] == "/next?page=2&api_key=***"


@pytest.mark.parametrize("name", ["Set-Cookie", "Authorization", "X-Auth-Token", "x_auth_token", "X-Amz-Security-Token",
                                  "X-Access-Token", "X-Vault-Token"])  # fmt: skip
async def test_keys_that_a_target_gives_away_go(runtime: Runtime, name: str) -> None:
    """They would be good without the gateway."""
    kept, _ = cleaned(runtime, {name: "session=minted", "X-Request-Id": "r1"}, profiles=())
    assert list(kept) == ["X-Request-Id"]
