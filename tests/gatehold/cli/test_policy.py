"""``gatehold policy``: what the policy says of a call, one by one or in a batch, and its tests."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from gatehold.cli.main import main

CONFIG = Path(__file__).parents[2] / "cases" / "config" / "good" / "policy"
EXPLAIN = ["policy", "explain", "--config", str(CONFIG)]
READ = ["--target", "crm", "--path", "/customers/7"]
NONE = {"approval": None, "mask": [], "limit": None}


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    code, out, err = run([*EXPLAIN, *arguments, "--json"], capsys)
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    answer: dict[str, Any] = json.loads(out)
    return answer


def batch(rows: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, err = run([*EXPLAIN, "--batch", str(file)], capsys)
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    """The whole answer, with obligations, facts and the reasons rule by rule."""
    answer = explained([*READ, "--group", "planners", "--group", "x"], capsys)
    assert (answer["verdict"], answer["code"], answer["rule"]) == ("allow", "allowed", "read-customers")
    assert answer["rules"] == ["read-customers"]
    assert answer["obligations"]["mask"] == ["pii"]
    assert answer["obligations"]["limit"]
    assert (answer["action"]["method"], answer["action"]["path"]) == ("GET", "/customers/7")
    assert {step["rule"]: step["outcome"] for step in answer["trace"]}["no-v2"] == "no-match"


def test_one_call_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run([*EXPLAIN, "--target", "crm", "--path", "/v2/x"], capsys)
    assert code == 0
    assert out.startswith("deny (denied-by-rule) by no-v2\nreason: Version 2 is not for agents.\n")
    assert "action.path: /v2/x\n" in out


def test_who_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """An agent without a name, of the only issuer there is, unless said otherwise."""
    pods = ["--target", "main", "--path", "/api/v1/namespaces/dev-1/pods"]
    assert explained(pods, capsys)["verdict"] == "deny"
    assert explained([*pods, "--subject", "a1"], capsys)["verdict"] == "allow"
    post = ["--target", "crm", "--method", "POST", "--path", "/customers", "--group", "planners"]
    assert explained(post, capsys)["rule"] is None
    for issuer, reached in (("corp", "when"), ("other", "agents.issuers")):
        steps = {step["rule"]: step for step in explained([*post, "--issuer", issuer], capsys)["trace"]}
        assert steps["write-customers"]["failed"][0]["selector"] == reached


def test_header_and_body(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    post = ["--target", "crm", "--method", "POST", "--path", "/customers", "--group", "planners"]
    (tmp_path / "body").write_text('{"kind": "person"}')
    (tmp_path / "body.json").write_text('{"kind": "person"}')
    stated = [*post, "--body", str(tmp_path / "body"), "--header", "Content-Type: application/json"]
    for arguments in (stated, [*post, "--body", str(tmp_path / "body.json")]):
        answer = explained(arguments, capsys)
        assert (answer["verdict"], answer["rule"]) == ("hold", "write-customers")
        assert answer["obligations"]["approval"]["count"] == 1
        assert answer["obligations"]["approval"]["message"] == "a new person"
    assert explained([*post, "--body", str(tmp_path / "body")], capsys)["verdict"] == "deny"
    assert explained([*READ, "--group", "planners", "--header", "X-Danger: 1"], capsys)["rule"] == "header"


def test_a_body_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"kind": "person"}')))
    post = ["--target", "crm", "--method", "POST", "--path", "/customers", "--group", "planners", "--body", "-"]
    assert explained([*post, "--header", "content-type: application/json"], capsys)["verdict"] == "hold"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--target", "crm", "--path", "//x"], "malformed"),
        (["--target", "crm", "--path", "/a/../b"], "malformed"),
        (["--target", "crm", "--method", "get", "--path", "/x"], "malformed"),
        (["--target", "nowhere", "--path", "/x"], "unregistered-target"),
    ],
)
def test_calls_that_policy_does_not_get_to_see(
    arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = explained(arguments, capsys)
    assert (answer["verdict"], answer["code"], answer["rule"], answer["rules"]) == ("deny", code, None, [])
    assert (answer["obligations"], answer["action"], answer["trace"]) == (NONE, {}, [])


def test_a_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON lines in, JSON lines out, in the same order; what a row has besides is its own affair."""
    rows: list[Any] = [
        {"target": "crm", "method": "GET", "path": "/customers/7?x=1", "subject": "a", "groups": ["planners"], "id": 1},
        {"target": "crm", "method": "GET", "path": "/%2e%2e", "headers": {}, "body": None},
        {"target": "gone", "method": "GET", "path": "/"},
        {"target": "crm", "method": "POST", "path": "/customers", "groups": ["planners"], "body": {"kind": "person"}},
        {
            "target": "crm",
            "method": "POST",
            "path": "/customers",
            "groups": ["planners"],
            "headers": {"content-type": ["application/json"]},
            "body": '{"kind": "robot"}',
        },
        {"target": "crm", "method": "GET", "path": "/", "headers": {"X-Danger": ["1", "2"]}, "issuer": "other"},
        {"target": "main", "method": "GET", "path": "/api/v1/namespaces/dev-1/pods", "subject": "a1", "claims": {}},
    ]
    answers = batch(rows, tmp_path, capsys)
    found = [(answer["verdict"], answer["code"], answer["rule"]) for answer in answers]
    assert found == [
        ("allow", "allowed", "read-customers"),
        ("deny", "malformed", None),
        ("deny", "unregistered-target", None),
        ("hold", "approval-required", "write-customers"),
        ("deny", "default-deny", None),
        ("deny", "denied-by-rule", "header"),
        ("allow", "allowed", "read-pods"),
    ]
    assert all({"rules", "obligations", "action"} <= answer.keys() for answer in answers)
    assert (answers[1]["obligations"], answers[1]["action"], answers[1]["rules"]) == (NONE, {}, [])
    assert answers[6]["action"]["verb"] == "list"


def test_a_batch_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = json.dumps({"target": "crm", "method": "GET", "path": "/v2/x"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row + b"\n\n" + row)))
    code, out, _ = run([*EXPLAIN, "--batch", "-"], capsys)
    assert code == 0
    assert [json.loads(line)["rule"] for line in out.splitlines()] == ["no-v2", "no-v2"]


def test_a_batch_answers_as_single_calls_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    single = explained([*READ, "--group", "planners"], capsys)
    (row,) = batch(
        [{"target": "crm", "method": "GET", "path": "/customers/7", "groups": ["planners"]}], tmp_path, capsys
    )
    single.pop("trace")
    assert row == single


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ('{"target": "crm", "method": "GET"}', "`path` is missing"),
        ('{"target": 1, "method": "GET", "path": "/"}', "`target` is not a text"),
        ('{"target": "crm", "method": "GET", "path": "/", "headers": []}', ""),
        ('{"target": "crm", "method": "GET", "path": "/", "headers": [1]}', "`headers` is not an object"),
        ('{"target": "crm", "method": "GET", "path": "/", "headers": {"a": 1}}', "`a` is not a text"),
        ('{"target": "crm", "method": "GET", "path": "/", "groups": [1]}', "`groups` is not a text"),
        ('{"target": "crm", "method": "GET", "path": "/", "subject": 1}', "`subject` is not a text"),
        ('{"target": "crm", "method": "GET", "path": "/", "claims": [1]}', "`claims` is not an object"),
    ],
)
def test_a_row_that_is_no_call_is_wrong_usage(
    row: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is named; answers before it were given."""
    file = tmp_path / "rows.jsonl"
    file.write_text('{"target": "crm", "method": "GET", "path": "/"}\n' + row + "\n")
    code, out, err = run([*EXPLAIN, "--batch", str(file)], capsys)
    if not said:
        assert code == 0
        return
    assert code == 2
    assert out.count("\n") == 1
    assert f"{file}:2: {said}" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --target and --path, or --batch"),
        (["--target", "crm"], "give --target and --path"),
        ([*READ, "--batch", "x"], "not from --target"),
        ([*READ, "--header", "nonsense"], "write it as 'Name: value'"),
        ([*READ, "--body", "/nowhere/at/all"], "No such file"),
        (["--batch", "/nowhere/at/all"], "No such file"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run([*EXPLAIN, *arguments], capsys)
    assert (code, out) == (2, "")
    assert said in err


def test_the_tests_of_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["policy", "test", "--config", str(CONFIG)], capsys)
    assert code == 0
    assert out.startswith("ok      reads: planners may read customers\n")
    assert "\nread-customers   1        1     0      0\n" in out
    assert out.endswith("\n2 passed, 0 failed\n")


def test_a_test_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = shutil.copytree(CONFIG, tmp_path / "config")
    text = (directory / "all.yaml").read_text().replace("rule: null, code: default-deny", "rule: no-v2")
    (directory / "all.yaml").write_text(text)
    code, out, _ = run(["policy", "test", "--config", str(directory)], capsys)
    assert code == 1
    failed = (
        "FAILED  reads: nobody else may\n        want verdict deny, rule no-v2\n        got  verdict deny, rule none\n"
    )
    assert failed in out
    assert out.endswith("\n1 passed, 1 failed\n")
    code, out, _ = run(["policy", "test", "--config", str(directory), "--json"], capsys)
    report = json.loads(out)
    assert (code, report["passed"], report["failed"]) == (1, 1, 1)
    assert [item["ok"] for item in report["items"]] == [True, False]
    assert report["items"][1]["got"] == {"verdict": "deny", "rule": None}


def test_a_broken_configuration_is_told_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    broken = CONFIG.parents[1] / "broken" / "no-gateway"
    for command in (["explain", *READ], ["test"]):
        code, out, err = run(["policy", command[0], "--config", str(broken), *command[1:]], capsys)
        assert (code, out) == (2, "")
        assert "there is no document of kind Gateway" in err
