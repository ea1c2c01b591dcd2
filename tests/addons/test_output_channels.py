"""Law: a stream of output is masked, then freed of credentials; a rule may let what cannot be masked pass, credentials never."""

import pytest

from addons.output_channels import OutputChannel
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.literals import Literals
from masking.profiles import resolve

ENGINE = MaskingEngine(resolve({}), key=b"k" * 32)
SECRET = b"cluster-credential-81c4be"


def channel(*profiles: str, on_unmaskable: str = "block") -> OutputChannel:
    """One channel of a target whose credential is known."""
    mask = ENGINE.open_terminal(profiles=profiles) if profiles else None
    return OutputChannel(mask=mask, literals=Literals([SECRET]), on_unmaskable=on_unmaskable)


@pytest.mark.parametrize("profiles", [(), ("pci",)])
@pytest.mark.parametrize("cut", range(0, len(SECRET), 5))
def test_the_credential_is_taken_out_wherever_it_is_cut(profiles: tuple[str, ...], cut: int) -> None:
    """With and without a mask."""
    one = channel(*profiles)
    shown = one.feed(b"token " + SECRET[:cut]) + one.feed(SECRET[cut:] + b" end\n") + one.end()
    assert shown == b"token *** end\n"


def test_what_passes_unmasked_holds_no_credential_either() -> None:
    """``onUnmaskable: pass`` speaks of masks only."""
    one = channel("pci", on_unmaskable="pass")
    assert one.feed(b"\0" + SECRET + b"\0") + one.end() == b"\0***\0"


def test_a_prompt_does_not_wait_for_its_last_letter() -> None:
    """Although it may begin a credential; more than a few letters of it do."""
    one = channel()
    assert one.feed(b"c") + one.flush() == b"c"
    assert one.feed(b"\n" + SECRET[:12]) + one.flush() == b"\n"
    assert one.feed(SECRET[12:]) == b"***"


def test_a_blocked_channel_stays_blocked() -> None:
    """Nothing that follows is given on by itself."""
    one = channel("pci")
    with pytest.raises(Unmaskable):
        one.feed(b"\0\n")
    with pytest.raises(Unmaskable):
        one.feed(b"text\n")
