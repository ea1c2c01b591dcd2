"""Laws of ``gatehold keys``: a key is printed once and alone; nothing else that is printed opens anything."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehold.cli.keys import app


def run(config: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, and what was printed where."""
    done = CliRunner().invoke(app, [*arguments, "--config", config])
    return done.exit_code, done.stdout, done.stderr


def create(config: str, *more: str) -> tuple[str, str]:
    """A new key, and its id."""
    code, out, _ = run(config, "create", "--subject", "ci", "--group", "planners", "--json", *more)
    assert code == 0
    made = json.loads(out)
    return made["key"], made["id"]


def listed(config: str, *more: str) -> list[dict[str, object]]:
    """As programs read it."""
    items: list[dict[str, object]] = json.loads(run(config, "list", "--json", *more)[1])["items"]
    return items


def test_create_prints_the_key_alone(config: str) -> None:
    """On standard output, so that it can be put where it belongs; what is said of it goes elsewhere."""
    code, out, err = run(
        config, "create", "--subject", "ci", "-g", "planners", "-g", "ci", "--ttl", "30d", "--label", "runner"
    )
    assert code == 0
    assert out.startswith("ghk_")
    assert out.count("\n") == 1
    assert out.strip() not in err
    assert "not shown again" in err


def test_a_group_that_an_issuer_may_assert(config: str) -> None:
    """The issuer has to say which groups are its own, before a key is given one; a key without groups is not asked."""
    file = Path(config) / "gateway.yaml"
    text = file.read_text()
    issuer = '[{name: corp, issuer: "https://idp", audience: g, jwks: {file: k.json}, algorithms: [EdDSA]GROUPS}]'
    file.write_text(text.replace("[]", issuer.replace("GROUPS", "")))
    code, out, err = run(config, "create", "--subject", "ci", "--group", "planners")
    assert (code, out) == (2, "")
    assert "groups.allow" in err
    assert run(config, "create", "--subject", "ci")[0] == 0
    file.write_text(text.replace("[]", issuer.replace("GROUPS", ", groups: {allow: [sre]}")))
    create(config)


def test_list_shows_whose_they_are(config: str) -> None:
    """And not what they are."""
    text, key = create(config, "--label", "runner", "--purpose", "builds")
    (item,) = listed(config)
    assert (item["id"], item["subject"], item["groups"]) == (key, "ci", ["planners"])
    assert (item["label"], item["purpose"], item["revoked"], item["lastUsed"]) == ("runner", "builds", None, None)
    assert str(item["createdBy"]).startswith("os:")
    table = run(config, "list")[1]
    assert key in table
    assert text not in table + json.dumps(item)


def test_revoke_and_rotate(config: str) -> None:
    """Both keys are good until the old one is revoked; a revoked one is listed on request only."""
    old_text, old = create(config)
    code, out, err = run(config, "rotate", old)
    assert code == 0
    assert out.strip() not in ("", old_text)
    assert f"gatehold keys revoke {old}" in err
    assert len(listed(config)) == 2
    assert run(config, "revoke", old)[:2] == (0, f"{old} of ci revoked\n")
    assert [item["id"] for item in listed(config)] != [old]
    assert len(listed(config, "--all")) == 2
    assert run(config, "revoke", old)[0] == 1
    assert run(config, "rotate", old)[0] == 1


def test_who_does_it(config: str) -> None:
    """Somebody who is not known cannot be named."""
    from gatehold.cli.users import app as users

    assert run(config, "create", "--subject", "ci", "--as", "ada")[0] == 2
    assert CliRunner().invoke(users, ["add", "ada", "--config", config]).exit_code == 0
    create(config, "--as", "ada")
    assert str(listed(config)[0]["createdBy"]).startswith("ada (os:")


@pytest.mark.parametrize("ttl", ["", "x", "0s", "367d", "-1d"])
def test_lives_that_are_none(config: str, ttl: str) -> None:
    """No key is made."""
    assert run(config, "create", "--subject", "ci", "--ttl", ttl)[0] in (1, 2)
    assert listed(config) == []
