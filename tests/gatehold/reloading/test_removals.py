"""Law: whatever protected and is gone is named, wherever it stood; what only moved or was added is not."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.reloading.removals import removals
from tests.gatehold.reloading.files import GATEWAY, WALLS, write

WALL = '  - {name: wall, effect: deny, http: {targets: [crm], paths: ["/orders"]}}\n'


@pytest.mark.parametrize(
    ("gateway", "walls", "gone"),
    [
        (GATEWAY, WALLS.replace(WALL, ""), "the rule wall (deny) is gone"),
        (GATEWAY, WALLS.replace("effect: deny, http: {targets: [crm], paths", "effect: deny, mode: shadow, http: {targets: [crm], paths"), "the rule wall was deny and is in shadow"),
        (GATEWAY, WALLS.replace("name: wall, effect: deny", "name: wall, effect: constrain, limit: {rate: 1/hour}"), "the rule wall was deny and is constrain"),
        (GATEWAY, WALLS.replace(", approval: {groups: [sre]}", ", limit: {rate: 1/hour}"), "the rule asks has no approval any more"),
        (GATEWAY, WALLS.replace(", mask: {profiles: [pii]}", ""), "the rule door has no mask by pii any more"),
        (GATEWAY, WALLS.replace(", dlp: {profiles: [pii]}", ""), "the rule door has no dlp by pii any more"),
        (GATEWAY.replace("profiles: [pii, names]", "profiles: [pii]"), WALLS, "the target crm has no mask by names any more"),
        (GATEWAY.replace(", dlp: {profiles: [secrets]}", ""), WALLS, "the target crm has no dlp by secrets any more"),
        (GATEWAY.replace(", {match: phone, entity: PHONE}", ""), WALLS, "the mask profile names hides no values under names like 'phone' any more"),
        (GATEWAY.replace("{EMAIL_ADDRESS: {}}", "{PHONE_NUMBER: {}}"), WALLS, "the mask profile names hides no EMAIL_ADDRESS any more"),
    ],
)  # fmt: skip
def test_what_is_gone_is_named(tmp_path: Path, gateway: str, walls: str, gone: str) -> None:
    """One at a time."""
    before = load(write(tmp_path))
    assert removals(before, load(write(tmp_path, gateway=gateway, walls=walls))) == (gone,)


def test_a_lost_file_is_named_with_what_was_in_it(tmp_path: Path) -> None:
    """Tests as well: they are walls of another kind."""
    before = load(write(tmp_path))
    assert removals(before, load(write(tmp_path, walls="", tests=""))) == (
        "the file tests.yaml is gone, and with it PolicyTest tests",
        "the file walls.yaml is gone, and with it Policy walls",
        "the rule asks (constrain) is gone",
        "the rule wall (deny) is gone",
    )


def test_what_moves_is_there(tmp_path: Path) -> None:
    """To another file, or another policy; doors may go, and shadows; new and stricter ones are no loss."""
    before = load(write(tmp_path))
    (tmp_path / "walls.yaml").rename(tmp_path / "other.yaml")
    assert not removals(before, load(tmp_path))
    stricter = WALLS.replace("name: asks, effect: constrain", "name: asks, effect: deny").replace(
        ", approval: {groups: [sre]}", ""
    )
    fewer = "\n".join(line for line in stricter.splitlines() if "door" not in line and "tried" not in line)
    assert not removals(
        before, load(write(tmp_path, walls=fewer) if not (tmp_path / "other.yaml").unlink() else tmp_path)
    )
