"""Law: the directory of a demonstration is all that it needs, renewed at each start without touching what is people's."""

import json
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gatehold.config import load
from gatehold.config.resolving import missing
from gatehold.demo import site as module
from gatehold.demo.guide import TRIES, exports, guide
from gatehold.demo.site import APPROVER, PREFERRED, Site, SiteInUse, free_ports, site
from gatehold.people.passwords import Passwords
from gatehold.store import open_store
from gatehold.store.users import all_users


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on any free ports."""
    with site(tmp_path_factory.mktemp("demo") / "site", preferred={}) as made:
        yield made


def test_the_configuration_loads_and_nothing_is_missing(made: Site) -> None:
    configuration = load(made.config)
    assert not missing(configuration)
    listeners = {listener.mode: listener.port for listener in configuration.gateway.spec.listen}
    assert listeners == {"regular": made.ports.proxy, "reverse": made.ports.cluster_proxy}
    assert configuration.data_dir == made.directory / "data"
    assert set(configuration.targets) == {"crm", "main"}


def test_no_placeholder_is_left(made: Site) -> None:
    for file in made.config.glob("*.yaml"):
        assert "@" not in file.read_text(encoding="utf-8"), file.name


def test_secrets_are_their_owners(made: Site) -> None:
    files = [made.token_file, made.kubeconfig, made.directory / "keys/private.pem", *made.directory.glob("secrets/*")]
    assert len(files) == 5
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700


def test_you_may_approve(made: Site) -> None:
    configuration = load(made.config)
    with open_store("sqlite", configuration.data_dir) as store, store.reading() as connection:
        [user] = all_users(connection)
        assert Passwords(store, time.time).fits(APPROVER, made.password)
    assert (user.name, user.groups, user.has_password) == (APPROVER, ("sre",), True)


def test_the_upstreams_serve_those_who_have_their_credential(made: Site) -> None:
    crm = load(made.config).targets["crm"].spec
    context = str(made.directory / "upstream" / "ca.pem")
    with httpx2.Client(verify=ssl.create_default_context(cafile=context), trust_env=False) as client:
        url = f"https://{crm.connect}/customers/1"
        assert client.get(url).status_code == 401
        assert client.get(url, headers={"Authorization": f"Bearer {made.customers.credential}"}).status_code == 200


def test_the_kubeconfig_leads_to_the_reverse_listener(made: Site) -> None:
    document = json.loads(made.kubeconfig.read_text(encoding="utf-8"))
    [cluster] = document["clusters"]
    assert cluster["cluster"] == {
        "server": f"https://127.0.0.1:{made.ports.cluster_proxy}",
        "certificate-authority": str(made.ca),
    }
    assert document["users"][0]["user"] == {"token": made.token}


def test_the_guide_shows_no_secret(made: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens stay in their files; what would make clients ignore the exports is unset. The password is told here only."""
    monkeypatch.setenv("https_proxy", "http://proxy.corp.example:3128")
    text = guide(made)
    assert made.token not in text
    assert made.customers.credential not in text
    assert text.count(made.password) == 1
    assert made.password not in repr(made)
    assert text.index(made.console_url) < text.index(made.password)
    assert f"recordings open {made.session} " in text
    assert exports(made)[0].startswith("unset https_proxy")
    assert str(made.token_file) in exports(made)[1]
    for command, _ in TRIES:
        assert command in text


def test_a_second_demonstration_keeps_away(made: Site) -> None:
    before = (made.config / "gateway.yaml").read_bytes()
    with pytest.raises(SiteInUse, match="runs in"), site(made.directory, preferred={}):
        pass
    assert (made.config / "gateway.yaml").read_bytes() == before


def test_a_start_keeps_what_is_peoples(tmp_path: Path) -> None:
    """Policy and keys stay; credentials, ports and the approver's password are new."""
    with site(tmp_path, preferred={}) as first:
        keys = (tmp_path / "keys" / "jwks.json").read_bytes()
        policy = first.config / "policy.yaml"
        policy.write_text(policy.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    with site(tmp_path, preferred={}) as second:
        assert policy.read_text(encoding="utf-8").endswith("# mine\n")
        assert (tmp_path / "keys" / "jwks.json").read_bytes() == keys
        assert second.customers.credential != first.customers.credential
        assert second.password != first.password
        assert not missing(load(second.config))


def test_ports_in_use_are_not_taken() -> None:
    """And no port twice, whatever is preferred."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = dict.fromkeys(PREFERRED, taken.getsockname()[1])
        ports = free_ports(wanted)
        found = {ports.proxy, ports.cluster_proxy, ports.console, ports.agent_api}
        assert len(found) == 4
        assert taken.getsockname()[1] not in found


def test_half_a_key_pair_is_replaced(tmp_path: Path) -> None:
    with site(tmp_path, preferred={}):
        pass
    (tmp_path / "keys" / module.PUBLIC_FILE).unlink()
    with site(tmp_path, preferred={}) as made:
        assert not missing(load(made.config))
