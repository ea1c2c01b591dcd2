"""Law: no call reaches an upstream unless the seal saw every stage; a broken gateway is a closed one."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import faulty
from tests.e2e.harness import BIN, ROOT, GatewayProcess, Installation, command_line, installation

CRM = "https://crm.corp.example"
AFTER_SENDING = ("responseheaders", "response")
"""Hooks that run when the call was forwarded already: what has to stay closed is the way back."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of its own: gateways are broken here."""
    with installation(tmp_path_factory.mktemp("broken")) as made:
        made.configure()
        yield made


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation of the gateway whose stages are made to fail."""
    with installation(tmp_path_factory.mktemp("fragile")) as made:
        made.configure()
        yield made


@pytest.fixture(scope="module")
def breakable(fragile: Installation) -> Iterator[tuple[GatewayProcess, Path]]:
    """A gateway in which any hook can be made to raise, and the file that says which."""
    fault = fragile.directory / "fault"
    fault.write_text("")
    os.environ["GATEHOLD_FAULT"] = str(fault)
    process = GatewayProcess(
        fragile, [sys.executable, str(ROOT / "tests/e2e/faulty.py"), "run", "--config", fragile.config]
    )
    try:
        process.wait_ready()
        yield process, fault
    finally:
        process.stop()
        del os.environ["GATEHOLD_FAULT"]


@pytest.mark.parametrize("fault", faulty.faults())
def test_a_stage_that_raises_refuses(breakable: tuple[GatewayProcess, Path], fragile: Installation, fault: str) -> None:
    """Raise in each hook of each stage: nothing is forwarded, or nothing of the answer comes back."""
    process, file = breakable
    fragile.customers.received.clear()
    file.write_text(fault)
    try:
        answer = fragile.curl(f"{CRM}/customers/1")
    finally:
        file.write_text("")
    assert answer.status in (0, 400, 421, 502, 503), answer
    assert b"@" not in answer.body
    if fault.split(".")[1] not in AFTER_SENDING:
        assert not list(fragile.customers.received)
    assert fragile.curl(f"{CRM}/customers/1").status == 200, "it does not work without the fault either"
    assert faulty.PLANTED not in process.output


REMOVABLE = (
    "lifecycle",
    "guard",
    "certificates",
    "authenticate",
    "classify",
    "decide",
    "upgrades",
    "hold",
    "inject",
    "seal",
    "redact",
    "record",
    "websockets",
    "rejudge",
)


@pytest.mark.parametrize("name", REMOVABLE)
def test_a_stage_that_is_removed_closes_the_door(site: Installation, name: str) -> None:
    """Take an addon out of the running proxy: no call passes any more, and the proxy ends."""
    script = site.directory / "removing.py"
    script.write_text(
        "import os, signal, sys\n"
        "from addons import launcher, chain\n"
        "original = chain.install\n"
        "def install(proxy, gateway):\n"
        "    runtime = original(proxy, gateway)\n"
        f"    remove = lambda *_: proxy.addons.remove(proxy.addons.get({name!r}))\n"
        "    import asyncio\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, remove)\n"
        "    return runtime\n"
        "chain.install = install\n"
        "from gatehold.cli.main import main\n"
        "main()\n"
    )
    process = GatewayProcess(site, [sys.executable, script, "run", "--config", site.config])
    try:
        process.wait_ready()
        site.customers.received.clear()
        process.process.send_signal(signal.SIGUSR1)
        answer = site.curl(f"{CRM}/customers/1")
        assert answer.status in (0, 400, 421, 502, 503), answer
        assert not list(site.customers.received)
        assert process.process.wait(timeout=30) is not None
    finally:
        process.stop()
    assert "was removed" in process.output


@pytest.mark.parametrize("damage", ["syntax error", "deleted"])
def test_a_bundle_script_that_is_damaged_closes_the_door(site: Installation, tmp_path: Path, damage: str) -> None:
    """mitmproxy unloads a script that was broken or deleted; the proxy must not go on without it."""
    script = tmp_path / "bundle.py"
    shutil.copy(ROOT / "addons" / "bundle.py", script)
    process = GatewayProcess(site, [BIN / "mitmdump", "-s", script, "--set", f"gatehold_config={site.config}"])
    try:
        process.wait_ready()
        assert site.curl(f"{CRM}/customers/1").status == 200
        site.customers.received.clear()
        if damage == "deleted":
            script.unlink()
        else:
            script.write_text("def broken(:\n")
            os.utime(script, (2**31, 2**31))
        assert process.process.wait(timeout=30) is not None
        assert site.curl(f"{CRM}/customers/1").status == 0
        assert not list(site.customers.received)
    finally:
        process.stop()


@pytest.mark.parametrize(
    "option",
    ["ssl_insecure=true", "ignore_hosts=crm", "map_remote=/a/b/c", "stream_large_bodies=1", "save_stream_file=/tmp/x",
     "validate_inbound_headers=false", "modify_headers=/~q/X/y", "proxyauth=any", "listen_port=1", "mode=socks5"],
)  # fmt: skip
def test_an_option_that_opens_the_gateway_refuses_to_start(site: Installation, option: str) -> None:
    """Any option outside the allow-list: named, exit 1, nothing started."""
    process = GatewayProcess(site, [*command_line("bundle", site.config), "--set", option])
    try:
        assert process.process.wait(timeout=30) == 1, process.output
    finally:
        process.stop()
    assert option.split("=", maxsplit=1)[0] in process.output


def test_a_second_script_refuses_to_start(site: Installation, tmp_path: Path) -> None:
    """An addon beside the gateway could change what was judged."""
    other = tmp_path / "other.py"
    other.write_text("def request(flow): flow.request.path = '/report.csv'\n")
    process = GatewayProcess(site, [*command_line("bundle", site.config), "-s", str(other)])
    try:
        assert process.process.wait(timeout=30) == 1, process.output
    finally:
        process.stop()


@pytest.mark.parametrize("way", ["run", "bundle"])
def test_a_missing_credential_starts_nothing(site: Installation, tmp_path: Path, way: str) -> None:
    """A target whose credential is not there: named, exit 2."""
    for file in site.config.glob("*.yaml"):
        text = file.read_text().replace("${env:CRM_TOKEN}", "${env:NOT_SET_ANYWHERE}")
        (tmp_path / file.name).write_text(text)
    process = GatewayProcess(site, command_line(way, tmp_path))
    try:
        assert process.process.wait(timeout=30) == 2, process.output
    finally:
        process.stop()
    assert "NOT_SET_ANYWHERE" in process.output


@pytest.mark.parametrize("way", ["run", "bundle"])
def test_a_broken_configuration_starts_nothing(site: Installation, tmp_path: Path, way: str) -> None:
    """Every problem with file and line, exit 2."""
    for file in site.config.glob("*.yaml"):
        shutil.copy(file, tmp_path / file.name)
    (tmp_path / "broken.yaml").write_text(
        "apiVersion: gatehold.dev/v1\nkind: Policy\nmetadata: {name: broken}\nrules:\n"
        "  - name: x\n    effect: alow\n    http: {targets: [nowhere], methods: [GET], paths: ['/a']}\n    when: http.pth == 1\n"
    )
    process = GatewayProcess(site, command_line(way, tmp_path))
    code = process.stop() if process.process.poll() is not None else process.process.wait(timeout=30)
    process.stop()
    assert code == 2, process.output
    assert "broken.yaml:6" in process.output
