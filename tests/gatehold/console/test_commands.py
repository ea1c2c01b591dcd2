"""Laws of commands: a shell reads from them exactly the words that are meant, or there is none."""

import shlex
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gatehold.console import commands


@given(st.text(min_size=1), st.sampled_from(["open", "export"]))
def test_names_are_one_word(name: str, verb: str) -> None:
    """Never an option, and nothing that a terminal obeys."""
    made = commands.recordings(verb, name, Path("/etc/gate hold"), "--asciicast")
    if not made:
        assert not (name.isascii() and name.isprintable() and not name.startswith(" "))
        return
    words = shlex.split(made)
    assert words[:3] == ["gatehold", "recordings", verb] if not name.startswith("-") else words[-2:] == ["--", name]
    assert name in words
    assert "/etc/gate hold" in words
    assert made.isprintable()


def test_as_it_is_written() -> None:
    """The name, then where the configuration is."""
    assert commands.recordings("open", "s-1", Path("/etc/g")) == "gatehold recordings open s-1 --config /etc/g"
    assert commands.verify(Path("/etc/g")) == "gatehold audit verify --config /etc/g --key KEY.pem"
    wanted = "gatehold reload --config '/etc/gate hold' --accept-removals"
    assert commands.accept_removals(Path("/etc/gate hold")) == wanted
