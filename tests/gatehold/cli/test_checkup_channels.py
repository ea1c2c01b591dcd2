"""Law: each channel has a line that says whether its secrets are there and of the right form, and never what they are."""

from pathlib import Path

import pytest

from gatehold.cli.checkup_channels import channels
from gatehold.config import load

GATEWAY = """apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: g}
spec:
  notify:
    - {name: ops, webhook: {url: "https://hooks.example/path-secret", secret: "${env:HOOK}"}}
    - {name: chat, slack: {botToken: "${env:BOT}", appToken: "${env:APP}", channel: C1}}
    - {name: back, slack: {botToken: "${env:BOT}", signingSecret: "${env:SIGNING}", channel: C2}}
"""
GOOD = {"HOOK": "whsec_" + "QUFB" * 10, "BOT": "xoxb-planted", "APP": "xapp-planted", "SIGNING": "planted"}


def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: dict[str, str]) -> list[tuple[str, str, str]]:
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    items = list(channels(load(tmp_path)))
    assert not any(value in repr(items) for value in [*GOOD.values(), "path-secret", "planted"])
    return [(item.check, item.status, item.message) for item in items]


def test_all_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(tmp_path, monkeypatch, GOOD) == [
        ("channel ops", "ok", "webhook to hooks.example"),
        ("channel chat", "ok", "Slack channel C1, answers by Socket Mode"),
        ("channel back", "ok", "Slack channel C2, answers by HTTP to the console/hooks/slack/back"),
    ]


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"HOOK": "whsec_short"}, "channel ops", "base64 after whsec_"),
        ({"BOT": "xoxp-planted"}, "channel chat", "begins with xoxb-"),
        ({"APP": "xoxb-planted"}, "channel chat", "begins with xapp-"),
        ({"SIGNING": ""}, "channel back", "${env:SIGNING} is empty"),
    ],
)
def test_what_is_amiss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], check: str, words: str
) -> None:
    found = {name: (status, detail) for name, status, detail in lines(tmp_path, monkeypatch, GOOD | changes)}
    assert found[check][0] == "failed"
    assert words in found[check][1]
