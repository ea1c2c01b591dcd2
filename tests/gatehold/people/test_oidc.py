"""Law: a sign-in ends in the browser that began it, once, and only for whom the provider that was asked vouches."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import jwt
import pytest
from authlib.oidc.core.util import create_half_hash
from cryptography.hazmat.primitives.asymmetric import ec

from gatehold.config.console import OidcSpec
from gatehold.people import provider
from gatehold.people.oidc import OidcLogin
from gatehold.people.refusals import SignInRefused, Why
from tests.gatehold.people.conftest import Clock

ISSUER = "https://idp.example"
BACK = "https://gatehold.example/login/oidc/callback"


@dataclass
class Idp:
    """A provider that signs what it is told to."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    sign: Callable[[dict[str, Any]], str] | None = None
    codes: dict[str, str] = field(default_factory=dict)
    """Code to nonce; one that was redeemed is gone."""
    answers: dict[str, httpx2.Response] = field(default_factory=dict)
    """Path to what is said instead."""
    seen: list[tuple[str, dict[str, str], Mapping[str, str]]] = field(default_factory=list)
    now: float = field(default_factory=time.time)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        made = self.respond(request)
        return httpx2.Response(made.status_code, headers=made.headers, stream=httpx2.ByteStream(made.content))

    def respond(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        form = dict(parse_qsl(request.content.decode()))
        self.seen.append((path, form, dict(request.headers)))
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return httpx2.Response(200, json=self.document())
            case "/jwks":
                public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
                return httpx2.Response(200, json={"keys": [{**public, "kid": "k1", "use": "sig"}]})
            case "/token":
                nonce = self.codes.pop(form.get("code", ""), None)
                if nonce is None:
                    return httpx2.Response(400, json={"error": "invalid_grant", "error_description": "<b>"})
                return httpx2.Response(
                    200, json={"id_token": self.id_token(nonce), "access_token": "at", "token_type": "Bearer"}
                )
            case "/me":
                return httpx2.Response(200, json=self.userinfo)
        return httpx2.Response(404)

    def document(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        document: dict[str, Any] = {"issuer": ISSUER, **{key: ISSUER + path for key, path in places.items()}}
        if self.userinfo is not None:
            document["userinfo_endpoint"] = f"{ISSUER}/me"
        return {**document, "authorization_response_iss_parameter_supported": True, **self.metadata}

    def id_token(self, nonce: str) -> str:
        claims = {
            "iss": ISSUER, "sub": "u-1", "aud": "gatehold", "iat": int(self.now), "exp": int(self.now) + 300, "nonce": nonce,
            "at_hash": create_half_hash("at", "ES256").decode(), "preferred_username": "ada", "groups": ["sre"],
        } | self.claims  # fmt: skip
        claims = {key: value for key, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode(claims, self.key, "ES256", {"kid": "k1", **self.header})


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Idp:
    made = Idp()
    real = httpx2.AsyncClient

    def client(**options: Any) -> httpx2.AsyncClient:
        assert options.pop("verify") is not None
        return real(transport=httpx2.MockTransport(made), **options)

    monkeypatch.setattr(provider.httpx2, "AsyncClient", client)
    return made


@pytest.fixture
def login(idp: Idp, oidc: OidcSpec) -> OidcLogin:
    return OidcLogin(oidc, BACK, clock=lambda: idp.now, monotonic=Clock(0.0))


@dataclass
class Trip:
    """A browser on its way."""

    cookie: str
    answer: dict[str, str]


async def begin(login: OidcLogin, idp: Idp, then: str = "/") -> Trip:
    """Goes to the provider, signs in there, and is about to come back."""
    begun = await login.begin(then)
    asked = parse_qs(urlsplit(begun.address).query)
    code = f"code-{len(idp.seen)}"
    idp.codes[code] = asked["nonce"][0]
    return Trip(begun.cookie_value, {"code": code, "state": asked["state"][0], "iss": ISSUER})


async def refusal(login: OidcLogin, trip: Trip) -> SignInRefused:
    """Why somebody is not let in."""
    with pytest.raises(SignInRefused) as refused:
        await login.finish(trip.cookie, trip.answer)
    return refused.value


async def test_there_and_back(login: OidcLogin, idp: Idp) -> None:
    """Code, PKCE with S256, state and nonce; the client's secret goes to the token endpoint and nowhere else."""
    begun = await login.begin("/approvals/1")
    parts = urlsplit(begun.address)
    asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/auth"
    assert asked.keys() == {
        "client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    }  # fmt: skip
    assert (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]) == ("code", "S256", BACK)
    idp.codes["c"] = asked["nonce"]
    arrived = await login.finish(begun.cookie_value, {"code": "c", "state": asked["state"], "iss": ISSUER})
    assert (arrived.then, arrived.claims["sub"], arrived.claims["groups"]) == ("/approvals/1", "u-1", ["sre"])
    _, form, headers = next(each for each in idp.seen if each[0] == "/token")
    assert (form["grant_type"], form["redirect_uri"], len(form["code_verifier"])) == ("authorization_code", BACK, 43)
    assert headers["authorization"].startswith("Basic ")
    assert form["code_verifier"] not in begun.address + begun.cookie_value
    assert "s3cret" not in f"{begun.address}{login!r}{[each for each in idp.seen if each[0] != '/token']}"


async def test_another_browser_gets_nowhere(login: OidcLogin, idp: Idp) -> None:
    """A stolen callback, or one that somebody is lured to, has no cookie, or the cookie of another sign-in."""
    stolen, own = await begin(login, idp), await begin(login, idp)
    for cookie, why in (("", Why.NO_LOGIN), ("x" * 200, Why.NO_LOGIN), (own.cookie, Why.STATE)):
        assert (await refusal(login, Trip(cookie, stolen.answer))).why is why
    assert "/token" not in [path for path, *_ in idp.seen]


async def test_a_callback_counts_once(login: OidcLogin, idp: Idp) -> None:
    """The same state, even with another code, is refused before anybody is asked; so is a code of before."""
    trip = await begin(login, idp)
    await login.finish(trip.cookie, trip.answer)
    idp.codes["another"] = "n"
    asked = len(idp.seen)
    for code in (trip.answer["code"], "another"):
        assert (await refusal(login, Trip(trip.cookie, {**trip.answer, "code": code}))).why is Why.STATE
    assert len(idp.seen) == asked
    fresh = await begin(login, idp)
    fresh.answer["code"] = trip.answer["code"]
    assert (await refusal(login, fresh)).detail == "idp.example: status 400, invalid_grant"


async def test_a_failed_callback_is_spent_too(login: OidcLogin, idp: Idp) -> None:
    """Nobody tries codes with one state."""
    trip = await begin(login, idp)
    assert (await refusal(login, Trip(trip.cookie, {**trip.answer, "code": "guess"}))).why is Why.PROVIDER_ERROR
    assert (await refusal(login, trip)).why is Why.STATE


async def test_a_sign_in_does_not_wait_for_ever(login: OidcLogin, idp: Idp) -> None:
    """Ten minutes."""
    trip = await begin(login, idp)
    idp.now += 600
    assert (await refusal(login, trip)).why is Why.NO_LOGIN


async def test_what_another_gateway_sealed_is_nothing(login: OidcLogin, idp: Idp, oidc: OidcSpec) -> None:
    """Each has a key of its own."""
    other = OidcLogin(oidc, BACK, clock=lambda: idp.now, monotonic=Clock(0.0))
    assert (await refusal(other, await begin(login, idp))).why is Why.NO_LOGIN


@pytest.mark.parametrize("iss", ["https://evil.example", "https://idp.example/", "", None])
async def test_providers_are_not_mixed_up(login: OidcLogin, idp: Idp, iss: str | None) -> None:
    """RFC 9207: the answer names who gives it; one that does not, of a provider that does, is refused."""
    trip = await begin(login, idp)
    trip.answer = {key: value for key, value in {**trip.answer, "iss": iss}.items() if value is not None}
    assert (await refusal(login, trip)).why is Why.MIXED_UP


async def test_a_provider_may_not_name_itself(login: OidcLogin, idp: Idp) -> None:
    """As long as it does not say that it would."""
    idp.metadata = {"authorization_response_iss_parameter_supported": False}
    trip = await begin(login, idp)
    del trip.answer["iss"]
    assert (await login.finish(trip.cookie, trip.answer)).claims["sub"] == "u-1"


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"iss": "https://evil.example"}, "invalid_claim"),
        ({"iss": None}, "missing_claim"),
        ({"aud": "another"}, "missing_claim"),
        ({"aud": "another", "azp": "gatehold"}, "aud"),
        ({"aud": ["gatehold", "another"], "azp": "gatehold"}, "aud"),
        ({"aud": None}, "missing_claim"),
        ({"azp": "another"}, "invalid_claim"),
        ({"nonce": "another"}, "invalid_claim"),
        ({"nonce": None}, "missing_claim"),
        ({"exp": 1}, "expired_token"),
        ({"exp": None}, "missing_claim"),
        ({"exp": "soon"}, "claim"),
        ({"iat": 4_000_000_000}, "invalid_"),
        ({"nbf": 4_000_000_000}, "invalid_"),
        ({"at_hash": "AAAA"}, "invalid_claim"),
        ({"sub": None}, "missing_claim"),
        ({"sub": 7}, "invalid_claim"),
        ({"sub": ["u-1"]}, "invalid_claim"),
    ],
)
async def test_wrong_claims(login: OidcLogin, idp: Idp, claims: dict[str, Any], detail: str) -> None:
    """OpenID Connect Core 1.0, section 3.1.3.7."""
    idp.claims = claims
    refused = await refusal(login, await begin(login, idp))
    assert (refused.why, detail in refused.detail) == (Why.ID_TOKEN, True), refused.detail


def _with_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "s3cret" * 8, "HS256")


def _unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, "none")


def _by_another(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "k1"})


def _tampered(claims: dict[str, Any]) -> str:
    head, _, signature = _by_another(claims).split(".")
    return f"{head}.eyJzdWIiOiJyb290In0.{signature}"


@pytest.mark.parametrize(
    ("sign", "detail"),
    [(_with_secret, "unknown-key"), (_unsigned, "algorithm"), (_by_another, "signature"), (_tampered, "signature"),
     (lambda _: "nonsense", "malformed"), (lambda _: "x" * 20_000, "too-large")],
)  # fmt: skip
async def test_wrong_signatures(login: OidcLogin, idp: Idp, sign: Callable[[dict[str, Any]], str], detail: str) -> None:
    """A symmetric algorithm, none at all, another key, another payload, no token."""
    idp.sign = sign
    refused = await refusal(login, await begin(login, idp))
    assert (refused.why, refused.detail) == (Why.ID_TOKEN, detail)


async def test_claims_may_be_elsewhere(login: OidcLogin, idp: Idp) -> None:
    """In the userinfo answer, as long as it is about the same person; what the ID token says goes first."""
    idp.claims = {"groups": None}
    idp.userinfo = {"sub": "u-1", "groups": ["sre"], "preferred_username": "root"}
    trip = await begin(login, idp)
    claims = (await login.finish(trip.cookie, trip.answer)).claims
    assert (claims["groups"], claims["preferred_username"]) == (["sre"], "ada")
    idp.userinfo["sub"] = "u-2"
    refused = await refusal(login, await begin(login, idp))
    assert (refused.why, refused.detail) == (Why.ID_TOKEN, "userinfo is about somebody else")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://idp.example/token"},
        {"token_endpoint": "https://user@idp.example/token"},
        {"jwks_uri": None},
        {"jwks_uri": ["https://idp.example/jwks"]},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "file:///etc/passwd"},
    ],
)
async def test_metadata_that_leads_elsewhere(login: OidcLogin, idp: Idp, metadata: dict[str, Any]) -> None:
    """Nobody is sent, and nothing is asked, by it."""
    idp.metadata = metadata
    with pytest.raises(SignInRefused):
        await login.begin("/")
    assert len(idp.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(302, headers={"location": "https://evil.example/"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, content=b"[]"),
        httpx2.Response(200, content=b'{"a": 1, "a": 2}'),
        httpx2.Response(200, content=b"[" * 100_000),
        httpx2.Response(200, content=b" " * 300_000),
        httpx2.Response(500),
    ],
    ids=["redirect", "html", "list", "twice", "deep", "large", "500"],
)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token"])
async def test_answers_that_are_none(login: OidcLogin, idp: Idp, path: str, answer: httpx2.Response) -> None:
    """Every one is a refusal, in words for people that tell nothing."""
    trip = await begin(login, idp)
    login._provider._metadata = None
    idp.answers[path] = answer
    refused = await refusal(login, trip)
    assert refused.why in {Why.PROVIDER_SILENT, Why.PROVIDER_ERROR}
    assert "evil" not in f"{refused}{refused.detail}"


async def test_errors_are_not_repeated(login: OidcLogin, idp: Idp) -> None:
    """Codes of the standard are told to the audit trail; any other text is not."""
    for error, detail in (("access_denied", "access_denied"), ("<script>", "an unknown error")):
        trip = await begin(login, idp)
        refused = await refusal(
            login, Trip(trip.cookie, {"error": error, "state": trip.answer["state"], "iss": ISSUER})
        )
        assert (refused.why, refused.detail) == (Why.PROVIDER_ERROR, detail)
        assert error not in str(refused)


async def test_a_public_client_has_no_secret(idp: Idp) -> None:
    """PKCE is what binds its code."""
    spec = OidcSpec.model_validate({"issuer": ISSUER, "clientId": "gatehold", "allow": ["*"]})
    login = OidcLogin(spec, BACK, clock=lambda: idp.now, monotonic=Clock(0.0))
    trip = await begin(login, idp)
    await login.finish(trip.cookie, trip.answer)
    _, form, headers = next(each for each in idp.seen if each[0] == "/token")
    assert form["client_id"] == "gatehold"
    assert "authorization" not in headers
