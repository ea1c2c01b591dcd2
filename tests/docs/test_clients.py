"""Law: what the page for clients shows works: its commands and programs are run against a gateway, a cluster and a git server."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.demo.serving import make_certificate, serve
from tests.docs.pages import Block, blocks
from tests.e2e.harness import BIN, Installation, clean_environment, installation, require, running

PAGE = [block for block in blocks("sh", "python") if block.page == "clients.md"]
GIT = """
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: git}
spec:
  family: http
  hosts: ["git.corp.example:443"]
  connect: 127.0.0.1:%s
  allowPrivate: true
  tls: {ca: "%s"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: git}
rules:
  - name: clone
    effect: allow
    http: {targets: [git], methods: [GET], paths: ["/shop.git/**"]}
  - name: fetch
    effect: allow
    http: {targets: [git], methods: [POST], paths: ["/shop.git/git-upload-pack"]}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A directory to work in, and a gateway that serves."""

    installed: Installation
    directory: Path

    def run(self, *command: str, text: str) -> str:
        """Run what the page shows, with the ports and places of this installation; returns what it printed."""
        places = {
            "127.0.0.1:8080": f"127.0.0.1:{self.installed.proxy_port}",
            "127.0.0.1:6443": f"127.0.0.1:{self.installed.cluster_proxy_port}",
            "127.0.0.1:8082": f"127.0.0.1:{self.installed.agent_api_port}",
            "--config DIR": f"--config {self.installed.config}",
        }
        for shown, real in places.items():
            text = text.replace(shown, real)
        done = subprocess.run(
            [*command, text],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environment(self) -> Mapping[str, str]:
        """A token, and nothing of the machine's own proxies and accounts."""
        return clean_environment(
            GATEHOLD_TOKEN=self.installed.token(),
            HTTPS_PROXY=f"http://agent:{self.installed.token()}@127.0.0.1:{self.installed.proxy_port}",
            HOME=str(self.directory),
            PATH=f"{BIN}:{os.environ['PATH']}",
        )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One installation for the whole page."""
    directory = tmp_path_factory.mktemp("clients")
    git = Path(require("git"))
    repositories = make_repository(directory, git)
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("installation")))
        certificate = make_certificate(directory / "upstream", ("git.corp.example",))
        served = stack.enter_context(serve(backend(git, repositories), certificate=certificate.pair))
        installed.configure()
        installed.write("zz-git.yaml", GIT % (served.port, certificate.authority))
        stack.enter_context(running(installed))
        client = Client(installed=installed, directory=directory)
        client.run("bash", "-ec", text=PAGE[0].text)
        yield client


def make_repository(directory: Path, git: Path) -> Path:
    """A bare repository with one commit."""
    work, bare = directory / "work", directory / "repositories" / "shop.git"
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@corp.example")
    for command in (
        ["init", "--quiet", str(work)],
        ["-C", str(work), *identity, "commit", "--quiet", "--allow-empty", "-m", "first"],
        ["clone", "--quiet", "--bare", str(work), str(bare)],
    ):
        subprocess.run([git, *command], check=True, env=clean_environment(HOME=str(directory)), timeout=30)
    return bare.parent


def backend(git: Path, repositories: Path) -> Starlette:
    """git's own server for smart HTTP."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        environment = {
            "GIT_PROJECT_ROOT": str(repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH": os.environ["PATH"],
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
        }
        done = subprocess.run(  # noqa: ASYNC221 - one client, one request at a time
            [git, "http-backend"], input=body, capture_output=True, env=environment, timeout=30, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        return Response(content, status_code=status, headers=headers)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@pytest.mark.parametrize("block", PAGE[1:], ids=[f"{block.language}-{block.line}" for block in PAGE[1:]])
def test_the_page_works(client: Client, block: Block) -> None:
    """Every block ends well, and masks hold."""
    if "kubectl" in block.text:
        require("kubectl")
    command = (sys.executable, "-c") if block.language == "python" else ("bash", "-ec")
    printed = client.run(*command, text=block.text)
    assert "@" not in printed
    if "customers" in block.text:
        assert "<EMAIL_ADDRESS>" in printed
    if "pod" in block.text:
        assert "web" in printed


def test_the_environment_alone_is_enough(client: Client) -> None:
    """For code that cannot be changed: requests and httpx take proxy and trust from it."""
    for library, variable in (("requests", "REQUESTS_CA_BUNDLE"), ("httpx", "SSL_CERT_FILE")):
        program = (
            f"import os; os.environ['{variable}'] = 'gatehold-ca.pem'; import {library}; "
            f"print({library}.get('https://crm.corp.example/customers/1').json()['email'])"
        )
        assert client.run(sys.executable, "-c", text=program) == "<EMAIL_ADDRESS>\n"
