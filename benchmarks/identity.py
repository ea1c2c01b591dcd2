"""What verifying an agent's token costs: one that was verified before, and one that was not.

Run it with ``python -m benchmarks.identity [--tokens N] [--json FILE]``. A cold token is new each time and takes the
whole way: taken apart, its key found, its signature verified, its claims read. Keys come from a file and are there
already; the time to fetch some is the issuer's. PyJWT, with the key at hand and the same claims required, is beside it.
"""

import argparse
import asyncio
import base64
import gc
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.verifier import TokenVerifier

ISSUER = "https://idp.corp.example"
KEYS: dict[str, Any] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
}
BOUNDS = {"cached": 20.0, "cold": 300.0}
"""Microseconds."""


def claims(number: int) -> dict[str, Any]:
    """What an access token of a person says, in about a kilobyte."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": ["gatehold", "account"],
        "sub": f"planner-{number}",
        "azp": "runner",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": base64.urlsafe_b64encode(number.to_bytes(16)).decode(),
        "groups": [f"team-{at}" for at in range(20)],
        "email": f"planner-{number}@corp.example",
        "realm_access": {"roles": ["offline_access", "uma_authorization", "planners"]},
        "scope": "openid profile email",
    }


def microseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / 1000


def figures(times: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(times)
    return {"p50": round(statistics.median(ordered), 1), "p99": round(ordered[int(len(ordered) * 0.99)], 1)}


def finished(verifier: TokenVerifier, token: str) -> None:
    """The whole way of a token, without a loop's own time: nothing in it waits while the keys are known."""
    way = verifier.verify(token)
    try:
        way.send(None)
    except StopIteration:
        return
    raise RuntimeError("a token with a known key waited")


async def measured(algorithm: str, count: int, directory: Path) -> dict[str, dict[str, float]]:
    """Figures of one algorithm."""
    private = KEYS[algorithm]()
    encoder = jwt.get_algorithm_by_name(algorithm)
    jwk = {**json.loads(encoder.to_jwk(private.public_key())), "kid": "k1"}
    jwk.pop("key_ops", None)
    (directory / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    document = {"name": "corp", "issuer": ISSUER, "audience": "gatehold", "jwks": {"file": "jwks.json"}}
    document |= {"algorithms": [algorithm], "clients": ["runner"], "require": {"email": ["*@corp.example"]}}
    spec = IssuerSpec.model_validate(document, context={"base": str(directory)})
    # The clock of the keys stands still: reading the file again is not what is measured.
    verifier = TokenVerifier([spec], monotonic=lambda: 0.0)
    tokens = [jwt.encode(claims(at), private, algorithm, headers={"kid": "k1"}) for at in range(count + 50)]
    for token in tokens[:50]:
        await verifier.verify(token)
    gc.collect()
    gc.freeze()
    fresh = tokens[50:]
    cold = [microseconds(lambda token=token: finished(verifier, token)) for token in fresh]
    known = fresh[-min(count, 1000) :]
    cached = [microseconds(lambda token=token: verifier.verify_cached(token)) for _ in range(10) for token in known]
    public, needed = private.public_key(), {"require": ["exp", "iat", "nbf"]}
    alone = [
        microseconds(
            lambda token=token: jwt.decode(
                token, public, [algorithm], audience="gatehold", issuer=ISSUER, options=needed
            )
        )
        for token in fresh
    ]
    await verifier.close()
    return {"cached": figures(cached), "cold": figures(cold), "PyJWT": figures(alone)}


def main() -> None:
    """Print the figures, and whether they are within their bounds."""
    parser = argparse.ArgumentParser(description="What verifying an agent's token costs.")
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    print(f"{platform.python_version()} on {platform.machine()}, {arguments.tokens} tokens each; microseconds")
    with tempfile.TemporaryDirectory() as directory:
        for algorithm in KEYS:
            found[algorithm] = asyncio.run(measured(algorithm, arguments.tokens, Path(directory)))
            for name, told in found[algorithm].items():
                bound = BOUNDS.get(name)
                verdict = "" if bound is None else f"  of {bound:g}: {'ok' if told['p50'] <= bound else 'TOO SLOW'}"
                print(f"{algorithm:6} {name:7} p50 {told['p50']:7.1f}  p99 {told['p99']:7.1f}{verdict}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
