"""Tokens become agents only if everything about them is right."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.jose import UnverifiedToken
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.sources import SourceError
from gatehold.identity.verifier import CACHE_SIZE, TokenVerifier
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent
from tests.gatehold.identity.conftest import b64

HOSTILE = yaml.safe_load((Path(__file__).parents[2] / "cases/identity/hostile_tokens.yaml").read_text())

Make = Callable[..., IssuerSpec]


RSA = rsa.generate_private_key(65537, 2048)
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


class DenyingClusters:
    """Say no to every token."""

    async def keys(self, target: str) -> bytes:
        raise SourceError(target)

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:
        return {"kind": "TokenReview", "status": {"authenticated": False}}


@pytest.fixture
def verifier(spec: Make, mint: Any, clock: Any, tmp_path: Path) -> TokenVerifier:
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    numbers = RSA.public_key().public_numbers()
    jwk = {"kty": "RSA", "kid": "rsa", "n": b64(numbers.n.to_bytes(256)), "e": b64(numbers.e.to_bytes(3))}
    (tmp_path / "rsa.json").write_text(json.dumps({"keys": [jwk]}))
    specs = [
        spec(
            maxAge="1h",
            require={"owner": ["acme", "umbrella-*"]},
            clients=["runner"],
            claims={"purpose": "task"},
            groups={"allow": ["*"]},
        ),
        spec({"file": "rsa.json"}, name="rsa", issuer="https://rsa.corp.example", algorithms=["RS256"]),
        spec(name="later", issuer="https://later.corp.example", use="exchange"),
        spec(name="cluster", issuer="https://cluster.corp.example", tokenReview="main"),
    ]
    return TokenVerifier(specs, clock, monotonic=clock, clusters=DenyingClusters())


def hostile(row: dict[str, Any], mint: Any, other: Any) -> str:
    """The token that a row of the table describes."""
    if "raw" in row:
        return str(row["raw"])
    header = {"alg": "EdDSA", "typ": "JWT", "kid": mint.jwk["kid"], **_expanded(row.get("header", {}))}
    if row.get("embed") == "jwk":
        header["jwk"] = other.jwk
    payload = {**mint.claims(owner="acme"), **_expanded(row.get("payload", {}))}
    payload |= {name: int(mint.claims()["exp"]) - 600 + offset for name, offset in row.get("times", {}).items()}
    header = {name: value for name, value in header.items() if name not in row.get("drop_header", ())}
    payload = {name: value for name, value in payload.items() if name not in row.get("drop", ())}
    top = row.get("header_text", written(header)).encode("utf-8", "surrogatepass")
    body = row.get("payload_text", written(payload)).encode("utf-8", "surrogatepass")
    if str(row.get("sign", "")).startswith("rsa"):
        return rsa_token(row["sign"].removeprefix("rsa "), {**payload, "iss": "https://rsa.corp.example"})
    signer = other if row.get("sign") == "other" else mint
    token: str = signer.sealed(b"\xff" if top == b"\0" else top, body)
    return resigned(row.get("sign"), token, mint)


def resigned(how: str | None, token: str, mint: Any) -> str:
    """The token with something else in place of its signature, or of what it signs."""
    signed, _, signature = token.rpartition(".")
    value = base64.urlsafe_b64decode(signature + "==")
    match how:
        case "nothing it holds":
            return f"{signed.partition('.')[0]}..{signature}"
        case "nobody":
            return f"{signed}."
        case "short":
            return f"{signed}.{signature[:40]}"
        case "swapped":
            return f"{signed}.{mint.token(owner='acme', sub='else').rpartition('.')[2]}"
        case "shared":
            secret = json.dumps(mint.jwk).encode()
            return str(mint.shared_secret_token(secret))
        case "empty secret":
            return str(mint.shared_secret_token(b""))
        case "longer":
            return f"{signed}.{b64(value + b'x')}"
        case "zeros":
            return f"{signed}.{b64(bytes(64))}"
        case "added order":
            scalar = int.from_bytes(value[32:], "little") + ED25519_ORDER
            return f"{signed}.{b64(value[:32] + scalar.to_bytes(32, 'little'))}"
        case _:
            return token


def rsa_token(how: str, payload: dict[str, Any]) -> str:
    """A token that is signed with, or with the help of, an RSA key in some way but by RS256."""
    public = RSA.public_key()
    secrets = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "modulus": public.public_numbers().n.to_bytes(256),
    }
    algorithm = "HS256" if how in secrets else how.removeprefix("as ") if how.startswith("as ") else "RS256"
    header = {"alg": algorithm, "typ": "JWT", "kid": "rsa"}
    signed = ".".join(b64(json.dumps(part).encode()) for part in (header, payload))
    if how in secrets:
        signature = hmac.digest(secrets[how], signed.encode(), "sha256")
    elif how in {"ones", "zero"}:
        signature = (1 if how == "ones" else 0).to_bytes(256)
    else:
        digest = {"as RS512": hashes.SHA512(), "by SHA-1": hashes.SHA1()}.get(how, hashes.SHA256())
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signature = RSA.sign(signed.encode(), pss if how == "as PS256" else padding.PKCS1v15(), digest)
    return f"{signed}.{b64(signature)}"


def _expanded(members: dict[str, Any]) -> dict[str, Any]:
    def value(given: Any) -> Any:
        if isinstance(given, list):
            return [value(each) for each in given]
        if not isinstance(given, dict):
            return given
        if "repeat" in given:
            return "x" * given["repeat"]
        return [f"g{number}" for number in range(given["many"])] if "many" in given else given

    made = {name: value(given) for name, given in members.items() if name not in {"pad", "deep", "digits"}}
    if "pad" in members:
        made["pad"] = "x" * members["pad"]
    if "deep" in members:
        made["deep"] = Written("[" * members["deep"] + "]" * members["deep"])
    if "digits" in members:
        made["digits"] = Written("9" * members["digits"])
    return made


class Written(str):
    """JSON that no writer would write."""

    __slots__ = ()


def written(members: dict[str, Any]) -> str:
    """The members as a JSON object."""
    pairs = (f"{json.dumps(k)}:{v if isinstance(v, Written) else json.dumps(v)}" for k, v in members.items())
    return "{" + ",".join(pairs) + "}"


@pytest.mark.parametrize("row", HOSTILE, ids=lambda row: row["name"])
async def test_hostile_tokens_are_refused_with_their_word(
    row: dict[str, Any], verifier: TokenVerifier, mint: Any, other_mint: Any
) -> None:
    """Each is refused as unauthenticated, its reason is the stable word, and no part of it is repeated."""
    token = hostile(row, mint, other_mint)
    for _ in range(2):
        assert verifier.verify_cached(token) is None
        with pytest.raises(Refusal) as refusal:
            await verifier.verify(token)
        assert (refusal.value.code, refusal.value.reason) == (Code.UNAUTHENTICATED, row["word"])
        assert refusal.value.__cause__ is None
        told = f"{refusal.value!r} {refusal.value} {refusal.value.detail}"
        assert not any(part in told for part in token.split(".") if len(part) > 8)


async def test_the_table_starts_from_a_good_token(verifier: TokenVerifier, mint: Any, other_mint: Any) -> None:
    """A row that changes nothing is accepted, so that each refusal is the row's own."""
    assert await verifier.verify(hostile({}, mint, other_mint))


@given(at=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.=+/ e"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_character_of_a_token_can_be_changed(verifier: TokenVerifier, mint: Any, at: int, character: str) -> None:
    """Header, payload and signature alike."""
    token = mint.token(owner="acme")
    at %= len(token)
    if token[at] != character:
        with pytest.raises(Refusal):
            asyncio.run(verifier.verify(token[:at] + character + token[at + 1 :]))


def test_every_word_has_its_hostile_token() -> None:
    """The table knows every reason; ``missing`` is for callers who have no token at all."""
    assert {row["word"] for row in HOSTILE} == {reason.value for reason in Reason} - {"missing"}


async def test_a_good_token_is_its_agent(verifier: TokenVerifier, mint: Any, clock: Any) -> None:
    """Issuer by name, subject, sorted groups, claims, a session and an end; the second time from memory."""
    token = mint.token(owner=["x", "umbrella-7"], groups=["zeta", "planners", "zeta"], iat=int(clock()) + 60)
    assert verifier.verify_cached(token) is None
    agent = await verifier.verify(token)
    assert (agent.issuer, agent.subject, agent.groups) == ("corp", "planner-1", ("planners", "zeta"))
    assert agent.claims["owner"] == ["x", "umbrella-7"]
    assert agent.expires_at == clock() + 600
    assert verifier.verify_cached(token) is agent
    assert await verifier.verify(token) is agent


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", ...])
async def test_access_token_types_are_accepted(verifier: TokenVerifier, mint: Any, kind: Any) -> None:
    """RFC 9068 access tokens and plain JWTs, however the type is spelled."""
    assert await verifier.verify(mint.token({"typ": kind}, owner="acme"))


async def test_a_key_brought_along_is_ignored_where_the_signature_is_right(
    verifier: TokenVerifier, mint: Any, other_mint: Any
) -> None:
    """``jwk``, ``jku``, ``x5u`` and ``x5c`` neither help nor harm."""
    header = {"jwk": other_mint.jwk, "jku": "https://evil.example", "x5u": "https://evil.example", "x5c": ["AAAA"]}
    assert await verifier.verify(mint.token(header, owner="acme"))


async def test_known_tokens_end_with_the_clock(verifier: TokenVerifier, mint: Any, clock: Any) -> None:
    """The cache answers until the token's last instant, not beyond it; nor does the whole way."""
    token = mint.token(owner="acme")
    await verifier.verify(token)
    clock.now += 599.9
    assert verifier.verify_cached(token) is not None
    clock.now += 0.1
    assert verifier.verify_cached(token) is None
    with pytest.raises(Refusal, match="expired"):
        await verifier.verify(token)


async def test_known_tokens_end_with_their_age(verifier: TokenVerifier, mint: Any, clock: Any) -> None:
    """``maxAge`` ends a long-lived token early, in the cache as well."""
    token = mint.token(owner="acme", exp=int(clock()) + 10**6)
    agent = await verifier.verify(token)
    assert agent.expires_at == clock() - 10 + 3600
    clock.now += 3590
    assert verifier.verify_cached(token) is None
    with pytest.raises(Refusal, match="too-old"):
        await verifier.verify(token)


async def test_a_key_that_is_taken_away_takes_its_tokens_with_it(
    verifier: TokenVerifier, mint: Any, other_mint: Any, clock: Any, tmp_path: Path
) -> None:
    """After rotation in the file, old tokens are refused although they were verified, new ones accepted at once."""
    token, new = mint.token(owner="acme"), other_mint.token(owner="acme")
    await verifier.verify(token)
    (tmp_path / "jwks.json").write_bytes(other_mint.jwks())
    clock.now += 2
    assert await verifier.verify(new)
    assert verifier.verify_cached(token) is None
    with pytest.raises(Refusal, match="unknown-key"):
        await verifier.verify(token)


async def test_the_cache_is_bounded(verifier: TokenVerifier, mint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token not seen for longest goes first; nobody can fill the gateway's memory."""
    assert CACHE_SIZE < 100_000
    monkeypatch.setattr("gatehold.identity.verifier.CACHE_SIZE", 2)
    first, second, third = (mint.token(owner="acme", sub=name) for name in "abc")
    await verifier.verify(first)
    await verifier.verify(second)
    assert verifier.verify_cached(first)
    await verifier.verify(third)
    assert verifier.verify_cached(first)
    assert verifier.verify_cached(second) is None


async def test_issuers_do_not_share_keys(spec: Make, mint: Any, other_mint: Any, clock: Any, tmp_path: Path) -> None:
    """A key of one issuer proves nothing about another, whatever ``kid`` the token names."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    (tmp_path / "other.json").write_bytes(other_mint.jwks())
    other_mint.issuer = "https://ci.corp.example"
    verifier = TokenVerifier(
        [spec(), spec({"file": "other.json"}, name="ci", issuer=other_mint.issuer)], clock, monotonic=clock
    )
    assert (await verifier.verify(mint.token())).issuer == "corp"
    assert (await verifier.verify(other_mint.token())).issuer == "ci"
    for header, word in (({}, "unknown-key"), ({"kid": mint.jwk["kid"]}, "bad-signature")):
        with pytest.raises(Refusal, match=word):
            await verifier.verify(other_mint.token(header, iss=mint.issuer))


async def test_the_same_subject_of_two_issuers_is_two_agents(spec: Make, mint: Any, clock: Any, tmp_path: Path) -> None:
    """Identity and session are (issuer, subject): equal subjects and session claims do not make one agent of two."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    verifier = TokenVerifier([spec(), spec(name="ci", issuer="https://ci")], clock, monotonic=clock)
    one = await verifier.verify(mint.token())
    two = await verifier.verify(mint.token(iss="https://ci"))
    assert (one.subject, one.issuer, one.session) != (two.subject, two.issuer, two.session)
    assert one.session != two.session


async def test_groups_count_only_where_listed_once_there_are_several_issuers(
    spec: Make, mint: Any, clock: Any, tmp_path: Path
) -> None:
    """One issuer cannot put its agents into a group that is meant for another's."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    verifier = TokenVerifier(
        [spec(groups={"allow": ["plan*"]}), spec(name="ci", issuer="https://ci")], clock, monotonic=clock
    )
    assert (await verifier.verify(mint.token(groups=["planners", "admins"]))).groups == ("planners",)
    assert (await verifier.verify(mint.token(iss="https://ci"))).groups == ()


async def test_unknown_issuers_cause_no_fetch(spec: Make, mint: Any, clock: Any, site: Any) -> None:
    """Neither ``iss`` nor ``jku`` of a stranger's token makes the gateway go anywhere."""
    verifier = TokenVerifier([spec({"url": f"{site.address}/jwks"})], clock, monotonic=clock)
    with pytest.raises(Refusal, match="unknown-issuer"):
        await verifier.verify(mint.token({"jku": f"{site.address}/jku"}, iss=site.address))
    await verifier.close()
    assert site.asked == []


async def test_nothing_shows_tokens_or_keys(verifier: TokenVerifier, mint: Any) -> None:
    """Repr of the verifier and of an agent tell names, never token or claim values."""
    token = mint.token(owner="acme", hidden="planted-value")
    agent = await verifier.verify(token)
    shown = f"{verifier!r} {agent!r} {verifier.__dict__!r}"
    assert "planted-value" not in shown
    assert not any(part in shown for part in token.split("."))


async def test_started_verifier_has_keys_before_the_first_token(spec: Make, mint: Any, clock: Any, site: Any) -> None:
    """``start`` fetches beside the traffic; ``close`` leaves no task behind."""
    site.gives("/jwks", mint.jwks())
    async with TokenVerifier([spec({"url": f"{site.address}/jwks"})], clock, monotonic=clock) as verifier:
        verifier.start()
        assert await verifier.verify(mint.token())
        assert verifier.problems == ()
    assert site.asked == ["/jwks"]


async def test_unreachable_issuers_are_told(spec: Make, mint: Any, clock: Any, site: Any) -> None:
    """Without keys every token is refused, and readiness can say whose keys are missing."""
    verifier = TokenVerifier([spec({"url": f"{site.address}/gone"})], clock, monotonic=clock)
    with pytest.raises(Refusal, match="unknown-key"):
        await verifier.verify(mint.token())
    assert verifier.problems == ("issuer corp: 127.0.0.1: status 404",)
    await verifier.close()


class Revoking:
    """Revokes whoever is named."""

    def __init__(self) -> None:
        self.subjects: set[str] = set()

    def check(self, agent: Agent) -> None:
        if agent.subject in self.subjects:
            raise Refusal(Code.REVOKED, "Access was revoked.")


async def test_a_revoked_agent_is_nobody(spec: Make, mint: Any, clock: Any, tmp_path: Path) -> None:
    """A token that was known is not good any more, nor is a new one; for the record it is still known whose it was."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    revoking = Revoking()
    verifier = TokenVerifier([spec()], clock, monotonic=clock, revocations=revoking)
    known, fresh = mint.token(), mint.token(jti="another")
    agent = await verifier.verify(known)
    revoking.subjects.add(agent.subject)
    assert verifier.verify_cached(known) is None
    assert verifier.recall(known) == agent
    for token in (known, fresh):
        with pytest.raises(Refusal) as refusal:
            await verifier.verify(token)
        assert refusal.value.code is Code.REVOKED
    revoking.subjects.clear()
    assert verifier.verify_cached(known) == agent


async def test_tokens_are_for_what_their_issuer_says(spec: Make, mint: Any, clock: Any, tmp_path: Path) -> None:
    """One for exchange is never one for calls, not even after it was verified for exchange; and the other way round."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    specs = [
        spec(),
        spec(name="later", issuer="https://later", use="exchange"),
        spec(name="now", issuer="https://now", use="calls"),
    ]
    verifier = TokenVerifier(specs, clock, monotonic=clock)
    later, now, both = mint.token(iss="https://later"), mint.token(iss="https://now"), mint.token()
    assert (await verifier.verify(later, use="exchange")).issuer == "later"
    assert verifier.verify_cached(later) is None
    with pytest.raises(Refusal, match="wrong-use"):
        await verifier.verify(later)
    assert await verifier.verify(now)
    assert verifier.verify_cached(now)
    with pytest.raises(Refusal, match="wrong-use"):
        await verifier.verify(now, use="exchange")
    assert await verifier.verify(both, use="exchange") == verifier.verify_cached(both)


class Keys:
    """One API key, and how often it was looked up."""

    def __init__(self) -> None:
        self.known: dict[str, Agent] = {}
        self.asked = 0

    def find_cached(self, key: str) -> Agent | None:
        return self.known.get(key)

    async def find(self, key: str) -> Agent:
        self.asked += 1
        if key != "ghk_right":
            raise refused(Reason.UNKNOWN_KEY)
        self.known[key] = Agent(issuer="api-keys", subject="batch")
        return self.known[key]


async def test_api_keys_are_found_elsewhere(clock: Any) -> None:
    """For calls only, revocations included; they are never parsed, nor remembered here."""
    keys, revoking = Keys(), Revoking()
    verifier = TokenVerifier([], clock, monotonic=clock, api_keys=keys, revocations=revoking)
    assert verifier.verify_cached("ghk_right") is None
    assert (await verifier.verify("ghk_right")).issuer == "api-keys"
    assert verifier.verify_cached("ghk_right") == verifier.recall("ghk_right") == keys.known["ghk_right"]
    for key, word in (("ghk_wrong", "unknown-key"), ("ghk_", "unknown-key")):
        with pytest.raises(Refusal, match=word):
            await verifier.verify(key)
    with pytest.raises(Refusal, match="wrong-use"):
        await verifier.verify("ghk_right", use="exchange")
    assert keys.asked == 3
    revoking.subjects.add("batch")
    assert verifier.verify_cached("ghk_right") is None
    with pytest.raises(Refusal) as refusal:
        await verifier.verify("ghk_right")
    assert refusal.value.code is Code.REVOKED
    keys.known.clear()
    assert verifier.recall("ghk_right") is None


class Own:
    """Vouches for whatever says that it comes from the gateway, until told otherwise."""

    def __init__(self) -> None:
        self.counts = True

    async def verify(self, token: UnverifiedToken, *, now: float) -> tuple[Agent, Callable[[], bool]]:
        subject = str(token.payload["sub"])
        return Agent(issuer="corp", subject=subject, expires_at=now + 60), lambda: self.counts


async def test_the_gateways_own_tokens_are_vouched_for_by_itself(
    spec: Make, mint: Any, clock: Any, tmp_path: Path
) -> None:
    """For calls only; remembered while their key counts. Without that part they are an unknown issuer's."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    own = Own()
    token = mint.token(iss="gatehold:exchange")
    verifier = TokenVerifier([spec()], clock, monotonic=clock, own_tokens=own)
    assert (await verifier.verify(token)).issuer == "corp"
    assert verifier.verify_cached(token)
    with pytest.raises(Refusal, match="wrong-use"):
        await verifier.verify(token, use="exchange")
    own.counts = False
    assert verifier.verify_cached(token) is None
    with pytest.raises(Refusal, match="unknown-issuer"):
        await TokenVerifier([spec()], clock, monotonic=clock).verify(token)
