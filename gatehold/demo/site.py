"""The directory of a demonstration: configuration, keys, credentials, an agent's token and kubeconfig, an approver
with a new password.

```
config/       gateway.yaml and targets.yaml, written at each start; policy.yaml, written once
keys/         the issuer's pair            upstream/    certificate of the two upstreams
secrets/      the upstreams' credentials   data/        the gateway's own: CA, store, recordings, journal
agent.token   good for eight hours         kubeconfig   for the agent's kubectl
agent-home/   HOME of the clients in a session that is played
```
"""

import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import jwt

from gatehold.config import load
from gatehold.demo.certificates import make_certificate
from gatehold.demo.customers import CustomersApi
from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.serving import serve
from gatehold.identity.claims import session_id
from gatehold.identity.keys import PRIVATE_FILE, PUBLIC_FILE, keygen
from gatehold.identity.tokens import issue
from gatehold.people.passwords import Passwords
from gatehold.store import open_store
from gatehold.store.users import add_user

HOST = "127.0.0.1"
PREFERRED: Mapping[str, int] = {"proxy": 8080, "console": 8081, "agent_api": 8082, "cluster_proxy": 8443}
CRM_URL = "https://crm.corp.example"
NAMES = ("crm.corp.example", "kubernetes.corp.example", "localhost", HOST)
ISSUER = AUDIENCE = "gatehold"
"""What ``gatehold token issue`` says too where it is not told otherwise."""
SUBJECT, AGENT_GROUP = "planner-1", "planners"
APPROVER, APPROVER_GROUP = "you", "sre"
TOKEN_SECONDS = 8 * 3600.0

_ISSUER_NAME = "demo"
_KEPT = ("policy.yaml",)
_TEMPLATES = ("gateway.yaml", "targets.yaml", *_KEPT)


class SiteInUse(Exception):
    """Another demonstration runs in this directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the gateway listens, all on the loopback interface."""

    proxy: int
    cluster_proxy: int
    console: int
    agent_api: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A demonstration whose upstreams serve and whose files are written."""

    directory: Path
    ports: Ports
    customers: CustomersApi
    cluster: Cluster
    password: str = field(repr=False)
    """The approver's, made at this start; no file has it."""

    @property
    def console_url(self) -> str:
        """Where approvals are answered in a browser."""
        return f"http://{HOST}:{self.ports.console}"

    @property
    def config(self) -> Path:
        """The configuration directory."""
        return self.directory / "config"

    @property
    def ca(self) -> Path:
        """The certificate that agents trust; the gateway writes it when it first starts."""
        return self.directory / "data" / "ca" / "ca.pem"

    @property
    def token_file(self) -> Path:
        """The agent's token."""
        return self.directory / "agent.token"

    @property
    def kubeconfig(self) -> Path:
        """For the agent's kubectl."""
        return self.directory / "kubeconfig"

    @property
    def token(self) -> str:
        """The agent's token itself."""
        return self.token_file.read_text(encoding="ascii")

    @property
    def session(self) -> str:
        """The session under which everything is recorded that is done with this token."""
        claims = jwt.decode(self.token, options={"verify_signature": False})
        return session_id(_ISSUER_NAME, SUBJECT, "sid", claims["sid"])


def free_ports(preferred: Mapping[str, int]) -> Ports:
    """The preferred port of each listener, another one where that is in use or 0."""
    with ExitStack() as held:
        found = {name: _free_port(preferred.get(name, 0), held) for name in PREFERRED}
    return Ports(**found)


@contextmanager
def site(directory: Path, *, preferred: Mapping[str, int] = PREFERRED) -> Iterator[Site]:
    """Make or renew the directory and serve both upstreams. Raises ``SiteInUse``, ``OSError``."""
    directory = directory.absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone(directory))
        certificate = make_certificate(directory / "upstream", NAMES)
        customers = CustomersApi(credential=_credential(directory, "crm"))
        cluster = Cluster(token=_credential(directory, "cluster"))
        crm = stack.enter_context(serve(customers.app(), certificate=certificate.pair))
        api = stack.enter_context(serve(kubernetes_app(cluster), certificate=certificate.pair))
        made = Site(
            directory=directory,
            ports=free_ports(preferred),
            customers=customers,
            cluster=cluster,
            password=secrets.token_urlsafe(12),
        )
        _write_configuration(made, crm_port=crm.port, cluster_port=api.port)
        _equip_agent(made)
        _register_approver(made)
        yield made


def _write_configuration(made: Site, *, crm_port: int, cluster_port: int) -> None:
    values = {
        "PROXY": made.ports.proxy,
        "CLUSTER_PROXY": made.ports.cluster_proxy,
        "CONSOLE": made.ports.console,
        "AGENT_API": made.ports.agent_api,
        "CRM": crm_port,
        "CLUSTER": cluster_port,
        "NAME": _ISSUER_NAME,
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
    }
    made.config.mkdir(exist_ok=True)
    for name in _TEMPLATES:
        if name in _KEPT and (made.config / name).exists():
            continue
        text = (files("gatehold.demo") / "configuration" / name).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        (made.config / name).write_text(text, encoding="utf-8")


def _equip_agent(made: Site) -> None:
    """Key pair, token, kubeconfig."""
    keys = made.directory / "keys"
    if not ((keys / PUBLIC_FILE).exists() and (keys / PRIVATE_FILE).exists()):
        keygen(keys, force=True)
    token = issue(
        keys / PRIVATE_FILE,
        issuer=ISSUER,
        audience=AUDIENCE,
        subject=SUBJECT,
        groups=[AGENT_GROUP],
        ttl=TOKEN_SECONDS,
    )
    _write_secret(made.token_file, token)
    server = f"https://{HOST}:{made.ports.cluster_proxy}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "demo",
        "clusters": [{"name": "demo", "cluster": {"server": server, "certificate-authority": str(made.ca)}}],
        "users": [{"name": "agent", "user": {"token": token}}],
        "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "agent", "namespace": "prod"}}],
    }
    _write_secret(made.kubeconfig, json.dumps(document, indent=2) + "\n")


def _register_approver(made: Site) -> None:
    configuration = load(made.config)
    with open_store(configuration.gateway.spec.store.url, configuration.data_dir) as store:
        with store.writing() as connection:
            add_user(connection, APPROVER, [APPROVER_GROUP], by="demo", now=time.time())
        Passwords(store, time.time).set(APPROVER, made.password, by="demo")


def _credential(directory: Path, name: str) -> str:
    """A new credential of an upstream, in the file that the configuration names."""
    value = f"{name}-{secrets.token_urlsafe(24)}"
    (directory / "secrets").mkdir(mode=0o700, exist_ok=True)
    _write_secret(directory / "secrets" / f"{name}.token", value)
    return value


def _write_secret(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def _free_port(preferred: int, held: ExitStack) -> int:
    """A port nobody listens on; held until all are found, so that none is found twice."""
    try:
        probe = socket.create_server((HOST, preferred))
    except OSError:
        probe = socket.create_server((HOST, 0))
    return int(held.enter_context(probe).getsockname()[1])


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Keeps a second demonstration from writing over the files of one that runs."""
    with (directory / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SiteInUse(f"a demonstration runs in {directory} already") from None
        yield
