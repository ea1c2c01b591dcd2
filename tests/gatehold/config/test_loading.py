"""A directory becomes a configuration, or the whole list of what is wrong with it."""

from pathlib import Path

import pytest

from gatehold.config import Configuration, compile_engine, load, load_profiles
from gatehold.config.values import Secret
from policy.errors import ConfigurationError
from policy.model import Family, TargetName

CASES = Path(__file__).parents[2] / "cases" / "config"
GATEWAY = "apiVersion: gatehold.dev/v1\nkind: Gateway\nmetadata: {name: default}\nspec: {}\n"
POLICY = "apiVersion: gatehold.dev/v1\nkind: Policy\nmetadata: {name: p}\nrules: [{name: r, effect: deny, http: {}}]\n"


@pytest.mark.parametrize("case", sorted(path.name for path in (CASES / "broken").iterdir()))
def test_every_problem_is_told_at_once(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted by file and line, and as recorded beside the files."""
    monkeypatch.chdir(CASES / "broken" / case)
    with pytest.raises(ConfigurationError) as caught:
        load(Path())
    assert str(caught.value) == Path("problems.txt").read_text(encoding="utf-8").rstrip("\n")
    assert [(p.file, p.line) for p in caught.value.problems] == sorted((p.file, p.line) for p in caught.value.problems)


@pytest.mark.parametrize("case", ["credentials", "credential-sources"])
def test_no_problem_repeats_a_credential(case: str) -> None:
    """What stands in a credential field is secret, even if it is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        load(CASES / "broken" / case)
    assert "sekrit" not in str(caught.value)
    assert "sekrit" not in repr(caught.value)


@pytest.fixture
def example() -> Configuration:
    return load(CASES / "good" / "example")


def test_the_example(example: Configuration) -> None:
    spec = example.gateway.spec
    assert example.data_dir == CASES / "good" / "example" / "data"
    assert (spec.agent_api.host, spec.agent_api.port) == ("127.0.0.1", 8082)
    assert [(listener.mode, listener.port, listener.target) for listener in spec.listen] == [
        ("regular", 8080, None),
        ("reverse", 8443, "main"),
    ]
    assert (spec.approvals.hold, spec.approvals.expire, spec.approvals.max_open_per_agent) == (50, 900, 20)
    assert (spec.recordings.retain, spec.limits.max_request_body) == (90 * 86400, 10 << 20)
    issuer = spec.identity.issuers[0]
    assert (issuer.claims.groups, issuer.groups.allow, issuer.max_age) == ("groups", ("planners", "ci-*"), 3600)
    assert sorted(example.targets) == ["crm", "github", "main"]
    crm, main = example.targets["crm"].spec, example.targets["main"].spec
    assert (crm.connect, crm.allow_private, crm.identity, main.identity) == ("10.0.0.7:8443", True, "proxy", "either")
    assert crm.tls is not None
    assert crm.tls.ca == CASES / "good" / "example" / "ca.crt"
    assert [policy.metadata.name for policy in example.policies] == [
        "platform-baseline",
        "kubernetes-discovery",
        "kubernetes-read-only",
    ]
    assert sorted(example.profiles) == ["customer-data"]
    assert len(example.tests) == 1


def test_what_policy_knows_of_targets(example: Configuration) -> None:
    traits = example.traits["crm"]
    assert (traits.name, traits.family, traits.mask) == (TargetName("crm"), Family.HTTP, ("pii",))
    assert compile_engine(example).targets == example.traits


def test_credentials_stay_unresolved_and_hidden(example: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading needs no secret; what is shown of a configuration holds none."""
    monkeypatch.setenv("CRM_TOKEN", "hunter2")
    credential = load(example.directory).targets["crm"].spec.credential
    assert credential is not None
    assert credential.value is not None
    for shown in (repr(credential), str(example.targets), credential.model_dump_json(), str(credential.model_dump())):
        assert "hunter2" not in shown
        assert "CRM_TOKEN" not in shown
    assert credential.value.resolve() == Secret("hunter2")


def test_a_gateway_needs_next_to_nothing() -> None:
    spec = load(CASES / "good" / "minimal").gateway.spec
    assert [(listener.mode, listener.host, listener.port) for listener in spec.listen] == [
        ("regular", "127.0.0.1", 8080)
    ]
    assert (spec.recordings.mode, spec.store.url, spec.approvals.local) == ("required", "sqlite", "users")
    assert spec.identity.issuers == ()


def test_documents_may_be_spread_over_files() -> None:
    configuration = load(CASES / "good" / "split")
    wiki = configuration.targets["wiki"].spec
    assert configuration.gateway.spec.approvals.local == "off"
    assert configuration.gateway.spec.agent_api.port == 9001
    assert configuration.data_dir == Path("/var/lib/gatehold")
    assert [str(network) for network in wiki.allow_private or ()] == ["10.0.0.0/8", "fd00::/8"]  # type: ignore[union-attr]
    assert configuration.traits["wiki"].mask == ("house", "pci")
    assert configuration.traits["wiki"].on_unmaskable == "drop"
    assert configuration.traits["wiki"].paths.encoded_slash == "segment"
    assert configuration.traits["wiki"].paths.suffixes == (".json",)


def test_only_yaml_files_of_the_directory_itself_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GATEWAY)
    before = load(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("sub/b.yaml", ".c.yaml", "d.yaml~", "e.txt"):
        (tmp_path / name).write_text("[")
    assert load(tmp_path).revision == before.revision


def test_files_that_a_target_names_are_no_documents(tmp_path: Path) -> None:
    """A kubeconfig or API description may lie beside the documents; a file with documents is one all the same."""
    target = (
        "apiVersion: gatehold.dev/v1\nkind: Target\nmetadata: {name: main}\n"
        "spec: {family: kubernetes, hosts: ['k:443'], credential: {kubernetes: {kubeconfig: ./kube.yaml}}}\n"
    )
    (tmp_path / "a.yaml").write_text(f"{GATEWAY}---\n{target}")
    (tmp_path / "kube.yaml").write_text("apiVersion: v1\nkind: Config\nusers: &a [*a, {{{\n")
    revision = load(tmp_path).revision
    (tmp_path / "kube.yaml").write_text("apiVersion: v1\nkind: Config\n")
    assert load(tmp_path).revision == revision
    (tmp_path / "kube.yaml").write_text(POLICY)
    assert [policy.metadata.name for policy in load(tmp_path).policies] == ["p"]


@pytest.mark.parametrize("change", ["content", "name", "new"])
def test_the_revision_changes_with_any_file(tmp_path: Path, change: str) -> None:
    (tmp_path / "a.yaml").write_text(GATEWAY)
    before = load(tmp_path).revision
    assert load(tmp_path).revision == before
    if change == "content":
        (tmp_path / "a.yaml").write_text(GATEWAY + "# a comment counts\n")
    elif change == "name":
        (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    else:
        (tmp_path / "b.yaml").write_text(POLICY)
    assert load(tmp_path).revision != before


def test_the_order_of_files_changes_no_decision(tmp_path: Path) -> None:
    for first, second in (("a", "b"), ("b", "a")):
        directory = tmp_path / first
        directory.mkdir()
        (directory / f"{first}.yaml").write_text(GATEWAY)
        (directory / f"{second}.yaml").write_text(POLICY)
    assert load(tmp_path / "a").engine.revision == load(tmp_path / "b").engine.revision


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such directory"):
        load(tmp_path / "nowhere")


def test_profiles_alone(tmp_path: Path) -> None:
    """They need no Gateway and no rules; what is wrong with them is told all the same."""
    profile = "apiVersion: gatehold.dev/v1\nkind: MaskProfile\nmetadata: {name: staff}\nspec: {extends: [pii]}\n"
    (tmp_path / "staff.yaml").write_text(profile, encoding="utf-8")
    profiles, data_dir = load_profiles(tmp_path)
    assert (sorted(profiles), data_dir) == (["staff"], None)
    (tmp_path / "gateway.yaml").write_text(GATEWAY, encoding="utf-8")
    assert load_profiles(tmp_path)[1] == tmp_path / "data"
    (tmp_path / "staff.yaml").write_text(profile.replace("pii", "nosuch"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"staff.yaml:4: .*nosuch"):
        load_profiles(tmp_path)
