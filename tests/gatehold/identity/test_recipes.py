"""The issuers of ``docs/identity.md``, as they are configured there, meet tokens of the shapes that they make.

A file describes one token, the agent that it is, and what is next to it and refused. ``...`` as a value leaves a member
out. ``times`` are seconds from now.
"""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gatehold.config.issuers import IssuerSpec, JwksSpec
from gatehold.identity.paths import steps
from gatehold.identity.refusals import Reason
from gatehold.identity.verifier import TokenVerifier
from policy.codes import Code
from policy.errors import Refusal

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "identity.md").read_text()
RECIPES = {
    file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / "tests/cases/identity/recipes").glob("*.yaml")
}
REFUSED = [(name, row) for name, recipe in RECIPES.items() for row in recipe["refused"]]
ACCEPTED = [(name, row) for name, recipe in RECIPES.items() for row in ({}, *recipe.get("accepted", ()))]
NOW = 1_800_000_000
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def merged(*members: Mapping[str, Any] | None) -> dict[str, Any]:
    """Later ones win; what is ``...`` is left out."""
    both = {name: value for each in members for name, value in (each or {}).items()}
    return {name: value for name, value in both.items() if value != "..."}


def configured(section: str) -> dict[str, Any]:
    """The issuer that a section of the page shows."""
    found = re.search(rf"^### {re.escape(section)}\n.*?^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"the page has no section {section}"
    (issuer,) = yaml.safe_load(found[1])
    return dict(issuer)


class Cluster:
    """Accepts whatever it is asked about."""

    async def keys(self, target: str) -> bytes:
        raise AssertionError(target)

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:
        assert target == "main"
        payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        user = {"username": payload["sub"]}
        return {"kind": "TokenReview", "status": {"authenticated": True, "audiences": [audience], "user": user}}


class Example:
    """One row of a recipe: its verifier and its token."""

    def __init__(self, recipe: dict[str, Any], row: dict[str, Any], directory: Path) -> None:
        self.algorithm = recipe.get("algorithm", "RS256")
        jwk = merged({"kid": "k1", **self.public()}, recipe.get("key"), row.get("key"))
        (directory / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
        context = {"base": str(directory)}
        spec = IssuerSpec.model_validate(configured(recipe["section"]), context=context)
        local = JwksSpec.model_validate({"file": "jwks.json"}, context=context)
        self.spec = spec.model_copy(update={"jwks": local})
        self.verifier = TokenVerifier([self.spec], lambda: NOW, monotonic=lambda: 0.0, clusters=Cluster())
        times = {name: NOW + offset for name, offset in {**recipe["times"], **row.get("times", {})}.items()}
        self.payload = merged(recipe["payload"], times, row.get("payload"), dict.fromkeys(row.get("drop", ()), "..."))
        header = {"alg": self.algorithm, "typ": "JWT", "kid": "k1"}
        self.header = merged(header, recipe.get("header"), row.get("header"))

    def token(self, payload: dict[str, Any] | None = None) -> str:
        signed = f"{b64(json.dumps(self.header).encode())}.{b64(json.dumps(payload or self.payload).encode())}"
        return f"{signed}.{b64(self.signature(signed.encode()))}"

    def public(self) -> dict[str, str]:
        if self.algorithm == "ES256":
            point = EC_KEY.public_key().public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32)), "y": b64(point.y.to_bytes(32))}
        numbers = RSA_KEY.public_key().public_numbers()
        return {"kty": "RSA", "n": b64(numbers.n.to_bytes(256)), "e": "AQAB"}

    def signature(self, signed: bytes) -> bytes:
        if self.algorithm == "ES256":
            pair = decode_dss_signature(EC_KEY.sign(signed, ec.ECDSA(hashes.SHA256())))
            return b"".join(number.to_bytes(32) for number in pair)
        return RSA_KEY.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def named(row: object) -> str:
    return row if isinstance(row, str) else row.get("name", "as it is") if isinstance(row, dict) else repr(row)


@pytest.mark.parametrize(("name", "row"), ACCEPTED, ids=named)
async def test_tokens_of_the_issuer_are_their_agents(name: str, row: dict[str, Any], tmp_path: Path) -> None:
    """Subject, groups, purpose and session are where the recipe says they are."""
    recipe = RECIPES[name]
    example = Example(recipe, row, tmp_path)
    agent = await example.verifier.verify(example.token())
    assert agent.issuer == example.spec.name
    if not row:
        told = recipe["agent"]
        assert (agent.subject, list(agent.groups)) == (told["subject"], sorted(told["groups"]))
        assert agent.purpose == told.get("purpose", "")
    await example.verifier.close()


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if "session" in recipe["agent"]])
async def test_the_claim_of_the_recipe_makes_the_session(name: str, tmp_path: Path) -> None:
    """Another token with the same value is the same session, one with another value is another."""
    example = Example(RECIPES[name], {}, tmp_path)
    payload, other = example.payload, json.loads(json.dumps(example.payload))
    place = other
    *path, last = steps(RECIPES[name]["agent"]["session"])
    for step in path:
        place = place[step]
    place[last] = "another"
    first = await example.verifier.verify(example.token())
    again = await example.verifier.verify(example.token({**payload, "iat": NOW - 1}))
    assert (await example.verifier.verify(example.token(other))).session != first.session == again.session
    await example.verifier.close()


@pytest.mark.parametrize(("name", "row"), REFUSED, ids=named)
async def test_what_is_next_to_them_is_refused(name: str, row: dict[str, Any], tmp_path: Path) -> None:
    """With its word."""
    example = Example(RECIPES[name], row, tmp_path)
    with pytest.raises(Refusal) as refusal:
        await example.verifier.verify(example.token())
    assert (refusal.value.code, refusal.value.reason) == (Code.UNAUTHENTICATED, row["word"])
    await example.verifier.close()


def test_every_recipe_of_the_page_is_tested() -> None:
    """And every file has its section."""
    shown = re.findall(r"^### (.*)$", PAGE.split("\n## Recipes\n")[1], re.MULTILINE)
    assert sorted(shown) == sorted(recipe["section"] for recipe in RECIPES.values())


def test_every_word_is_explained() -> None:
    """In the table of the page, and no other."""
    section = PAGE.split("\n## What is verified\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert set(told) == {reason.value for reason in Reason}
