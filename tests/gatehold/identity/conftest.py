"""A mint for tokens of any shape, a clock that moves when it is told to, and a small HTTP server on loopback."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.keys import public_jwk

NOW = 1_800_000_000.0


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Mint:
    """Signs whatever it is given, with one Ed25519 key."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    issuer: str = "https://idp.corp.example"

    @property
    def jwk(self) -> dict[str, Any]:
        return public_jwk(self.key.public_key())

    def jwks(self) -> bytes:
        return json.dumps({"keys": [self.jwk]}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims = {
            "iss": self.issuer,
            "aud": "gatehold",
            "sub": "planner-1",
            "azp": "runner",
            "iat": int(NOW) - 10,
            "exp": int(NOW) + 600,
            "jti": "j-1",
            "sid": "s-1",
            "groups": ["planners"],
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token; a claim given as ``...`` is left out."""
        top = {"alg": "EdDSA", "typ": "JWT", "kid": self.jwk["kid"], **(header or {})}
        top = {name: value for name, value in top.items() if value is not ...}
        return self.sealed(json.dumps(top).encode(), json.dumps(self.claims(**changes)).encode())

    def sealed(self, header: bytes, payload: bytes) -> str:
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.key.sign(signed.encode()))}"

    def shared_secret_token(self, secret: bytes, **header: Any) -> str:
        """HS256 with the public key as the secret: the classic algorithm confusion."""
        top = {"alg": "HS256", "typ": "JWT", "kid": self.jwk["kid"], **header}
        signed = f"{b64(json.dumps(top).encode())}.{b64(json.dumps(self.claims()).encode())}"
        return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def other_mint() -> Mint:
    return Mint()


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., IssuerSpec]:
    """Makes an issuer as a configuration describes it; keywords are its YAML keys."""

    def make(jwks: dict[str, Any] | None = None, **keys: Any) -> IssuerSpec:
        document = {
            "name": "corp",
            "issuer": "https://idp.corp.example",
            "audience": "gatehold",
            "jwks": jwks or {"file": "jwks.json"},
            "algorithms": ["EdDSA"],
            **keys,
        }
        return IssuerSpec.model_validate(document, context={"base": str(tmp_path)})

    return make


@dataclass
class Site:
    """What the server answers, and what it was asked."""

    address: str = ""
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)

    def gives(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"content_length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer

    def hangs(self, path: str) -> None:
        """Nothing is answered until the test is over."""
        self.answers[path] = lambda _handler: (self.hanging.wait(30), None)[1]


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            answer = state.answers.get(self.path)
            if answer is None:
                self.send_error(404)
            else:
                answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients of these tests hang up
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.hanging.set()
    server.shutdown()
    thread.join()
    server.server_close()
