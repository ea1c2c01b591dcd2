"""A cluster of a few lines: it answers what a test says, over real TLS, and remembers what it was asked."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from gatehold.config.values import Secret
from gatehold.credentials.fields import Asker
from gatehold.credentials.injection import Injection, origins
from gatehold.lookups.requests import Place
from tests.addons.support import make_target

HOST = "kubernetes.corp.example"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, list[str]]
    body: bytes
    peer: int


@dataclass
class Answer:
    """One answer as it is sent."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ScriptedCluster:
    """Answers by ``METHOD path``; everything else is 404."""

    port: int = 0
    ca: Path = Path()
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    askers: list[Asker | None] = field(default_factory=list)
    """For whom its credential was asked."""
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Done before an answer is given."""
    injection: Injection = field(
        default_factory=lambda: Injection(
            bound=origins("https", [(HOST, 443)]), headers=(("Authorization", Secret("Bearer planted")),)
        )
    )

    def place(self, **more: Any) -> Place:
        """The target that this cluster is."""
        options = {"connect": f"127.0.0.1:{self.port}", "allowPrivate": True, "tls": {"ca": str(self.ca)}} | more
        return Place(target=make_target("main", f"{HOST}:443", family="kubernetes", **options), host=HOST, port=443)

    def get_cached(self, _target: str, asker: Asker | None = None) -> Injection | None:
        """As the credential broker."""
        self.askers.append(asker)
        return self.injection

    async def get(self, _target: str, asker: Asker | None = None) -> Injection:
        """As the credential broker."""
        self.askers.append(asker)
        return self.injection

    @property
    def lines(self) -> list[str]:
        """Method and path of everything that was asked."""
        return [f"{each.method} {each.path}" for each in self.asked]


@contextmanager
def serving(directory: Path) -> Iterator[ScriptedCluster]:
    """A cluster that runs until the block ends."""
    authority = trustme.CA()
    state = ScriptedCluster(ca=directory / "ca.pem")
    authority.cert_pem.write_to_path(str(state.ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients of these tests hang up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: ScriptedCluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            headers = {name.lower(): self.headers.get_all(name) or [] for name in self.headers}
            state.asked.append(Asked(self.command, self.path, headers, body, self.client_address[1]))
            state.before.get(f"{self.command} {self.path}", lambda: None)()
            answer = state.answers.get(f"{self.command} {self.path}", Answer(404, {"kind": "Status"}))
            raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"content-type": answer.content_type, **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
