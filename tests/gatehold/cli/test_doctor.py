"""``gatehold doctor``: a line for everything that a gateway needs, what to do where it is amiss, and never a credential."""

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from gatehold.cli import checkup_services as services
from gatehold.cli.checkup import Item
from gatehold.cli.main import main
from gatehold.config import load
from gatehold.demo.serving import make_certificate, serve
from gatehold.identity.keys import keygen
from gatehold.store import open_store
from recordings import writer
from tests.e2e.harness import free_port
from tests.gatehold.identity.exchange.conftest import NOW, Site, certificate

SECRET = "planted-credential-77d1"
CONFIG = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  agentApi: {port: %(agent_api)s}
  listen: [{mode: regular, port: %(proxy)s}]
  identity: {issuers: [{name: local, issuer: "https://idp.test", audience: gatehold, jwks: {file: keys/jwks.json}, algorithms: [ES256, EdDSA]}]}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec:
  family: http
  hosts: ["crm.corp.example:443"]
  connect: 127.0.0.1:%(upstream)s
  allowPrivate: true
  tls: {ca: ca.crt}
  mask: {profiles: [pii]}
  credential: {header: Authorization, prefix: "Bearer ", value: "${env:DOCTORED_TOKEN}"}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: open}
spec: {family: http, hosts: ["open.corp.example:443"], connect: "localhost:%(upstream)s", allowPrivate: true, tls: {ca: ca.crt}}
"""

type Run = Callable[..., tuple[int, dict[str, Item], str]]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a server with TLS, and the certificate that vouches for it."""
    directory = tmp_path_factory.mktemp("upstream")
    certificate = make_certificate(directory, ("crm.corp.example",))
    with serve(Starlette(), certificate=certificate.pair) as served:
        yield served.port, Path(certificate.authority)


@pytest.fixture
def config(tmp_path: Path, upstream: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration that lacks nothing."""
    port, authority = upstream
    keygen(tmp_path / "keys")
    shutil.copy(authority, tmp_path / "ca.crt")
    text = CONFIG % {"agent_api": free_port(), "proxy": free_port(), "upstream": port}
    (tmp_path / "gatehold.yaml").write_text(text)
    monkeypatch.setenv("DOCTORED_TOKEN", SECRET)
    return tmp_path


@pytest.fixture
def run(config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives its exit code, its items by check, and all that it printed."""

    def doctor(*options: str) -> tuple[int, dict[str, Item], str]:
        with pytest.raises(SystemExit) as ended:
            main(["doctor", "--config", str(config), "--json", *options])
        out, err = capsys.readouterr()
        items = {item["check"]: Item(**item) for item in json.loads(out)["items"]}
        return int(ended.value.code or 0), items, out + err

    return doctor


def change(config: Path, old: str, new: str) -> None:
    """Another configuration."""
    file = config / "gatehold.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_all_is_well(run: Run, config: Path) -> None:
    """Exit 0; nothing was made; the credential was had and is nowhere."""
    code, items, out = run()
    assert (code, {item.status for item in items.values()}) == (0, {"ok"}), out
    assert {"python", "screen", "content codings", "store", "issuer local", "credential crm", "profile pii"} <= set(
        items
    )
    assert items["profile pii"].message.startswith("for crm: CRYPTO, EMAIL_ADDRESS")
    assert SECRET not in out
    assert not (config / "data").exists()


def test_lines_for_people(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each item; what to do stands behind what is amiss."""
    monkeypatch.delenv("DOCTORED_TOKEN")
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--config", str(config)])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert all(line.startswith(("ok ", "warning ", "FAILED ")) for line in lines)
    [told] = [line for line in lines if line.startswith("FAILED")]
    assert "credential crm" in told
    assert "${env:DOCTORED_TOKEN} is not set; calls to this target are refused" in told


def test_a_configuration_that_cannot_be_read(run: Run, config: Path) -> None:
    """Every problem; the machine is looked at all the same."""
    change(config, "family: http\n", "family: htpt\n")
    code, items, _ = run()
    assert code == 1
    assert items["configuration"].status == "failed"
    assert "gatehold.yaml:" in items["configuration"].message
    assert items["python"].status == "ok"


def test_targets_are_reached_only_on_demand(run: Run) -> None:
    """With a certificate that is for another name, or signed by nobody, it fails."""
    code, items, _ = run("--connect")
    assert code == 1
    assert items["target crm"].message == "crm.corp.example:443: reached, TLS verified"
    assert items["target open"].status == "failed"
    assert "its certificate is not trusted" in items["target open"].message
    assert "target crm" not in run()[1]


def test_a_target_that_nobody_serves(run: Run, config: Path, upstream: tuple[int, Path]) -> None:
    """The reason is told, and where to look."""
    change(config, f"connect: 127.0.0.1:{upstream[0]}", f"connect: 127.0.0.1:{free_port()}")
    item = run("--connect")[1]["target crm"]
    assert item.status == "failed"
    assert "spec.connect" in item.todo


def test_a_private_target_that_is_not_allowed(run: Run, config: Path) -> None:
    """As it would be for an agent."""
    change(config, "  allowPrivate: true\n", "")
    assert "no address that may be dialled" in run("--connect")[1]["target crm"].message


def test_ports(config: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken by a stranger: it fails. Taken while a gateway holds the data directory: it is that one."""
    port = load(config).gateway.spec.agent_api.port
    with socket.create_server(("127.0.0.1", port)):
        code, items, _ = run()
        assert (code, items[f"port {port}"].status) == (1, "failed")
        lock = writer._lock(config / "data")
        try:
            assert "served by the gateway that runs" in run()[1][f"port {port}"].message
        finally:
            writer.os.close(lock)
        assert not writer.is_in_use(config / "data")
    change(config, "agentApi: {port", "agentApi: {host: 192.0.2.1, port")
    assert "EADDRNOTAVAIL" in run()[1][f"port {port}"].message


def test_store(config: Path, run: Run) -> None:
    """It is told what it is; a foreign file is no store."""
    assert run()[1]["store"].message == "is made at the first start"
    open_store("sqlite", config / "data").close()
    assert run()[1]["store"].message == "can be used"
    (config / "data" / "gatehold.db").write_bytes(b"no database, but long enough to be one" * 100)
    assert run()[1]["store"].status == "failed"


def test_issuers(config: Path, run: Run) -> None:
    """Without keys, and without any issuer."""
    (config / "keys" / "jwks.json").write_text("{}")
    assert run()[1]["issuer local"].status == "failed"
    (config / "keys" / "jwks.json").unlink()
    assert "No such file" in run()[1]["issuer local"].message
    text = (config / "gatehold.yaml").read_text()
    line = next(line for line in text.splitlines() if "identity:" in line)
    change(config, line, "  identity: {issuers: []}")
    assert "every call is refused" in run()[1]["issuers"].message


def test_files(config: Path, run: Run) -> None:
    """That targets name."""
    (config / "ca.crt").unlink()
    assert str(config / "ca.crt") in run()[1]["files"].message


def test_a_credential_that_does_not_come(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without end."""
    from gatehold.credentials.broker import CredentialBroker

    async def never(self: CredentialBroker, target: object) -> Any:
        raise TimeoutError

    monkeypatch.setattr(CredentialBroker, "get", never)
    [crm, _] = services.credentials(load(config))
    assert crm.status == "failed"
    assert "did not come within" in crm.message


def test_a_credential_that_every_agent_has_of_its_own(config: Path, run: Run) -> None:
    """None can be had without an agent; whether the server answers can be known, and whether its secret is there."""
    form = 'header: Authorization, prefix: "Bearer ", value: "${env:DOCTORED_TOKEN}"'
    with serve(Starlette()) as server:
        exchange = f'tokenUrl: "{server.url}/token", clientId: gatehold, clientSecret: "${{env:DOCTORED_TOKEN}}"'
        change(config, form, f"from: {{exchange: {{{exchange}}}}}")
        code, items, out = run()
        assert (code, items["credential crm"].status) == (0, "ok"), out
        assert f"by exchange at 127.0.0.1:{server.port}, which answers" in items["credential crm"].message
        assert SECRET not in out
    assert "ConnectError" in run()[1]["credential crm"].message
    change(config, "DOCTORED_TOKEN", "NOT_SET_ANYWHERE")
    assert "NOT_SET_ANYWHERE" in run()[1]["credential crm"].message


def test_masking(config: Path, run: Run) -> None:
    """Nothing hidden is a warning; a model that is not there fails."""
    change(config, "  mask: {profiles: [pii]}\n", "")
    assert run()[1]["masking"].status == "warning"
    profile = {"apiVersion": "gatehold.dev/v1", "kind": "MaskProfile", "metadata": {"name": "names"}}
    ner = {"spec": {"ner": {"model": "models/en", "keys": ["name"]}}}
    (config / "profile.yaml").write_text(json.dumps({**profile, **ner}))
    item = run()[1]["model of names"]
    assert item.status == "failed"
    assert f"{config / 'models' / 'en'}: no such directory" in item.message


@pytest.mark.parametrize(
    ("days", "said"),
    [(400, "certificates count until"), (7, "the last certificate ends"), (-1, "no certificate counts")],
)
def test_certificates_of_saml_providers(tmp_path: Path, days: int, said: str) -> None:
    """Whether they verify anything now, and before they do not any more."""
    now = time.time()
    file = tmp_path / "idp.pem"
    file.write_bytes(certificate(since=now - NOW - 86400 * 2, until=now - NOW + 86400 * days))
    items = list(services.saml(_with_provider(file)))
    assert len(items) == 1
    assert said in items[0].message


def test_certificates_that_are_none(tmp_path: Path) -> None:
    """No file, or one of something else."""
    for content in (None, "no certificate"):
        if content:
            (tmp_path / "idp.pem").write_text(content)
        (item,) = services.saml(_with_provider(tmp_path / "idp.pem"))
        assert item.todo
        assert "idp.pem" in item.message


def _with_provider(file: Path) -> Any:
    identity = SimpleNamespace(saml=(Site.spec(file),))
    return SimpleNamespace(gateway=SimpleNamespace(spec=SimpleNamespace(identity=identity)))
