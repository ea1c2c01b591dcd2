"""Law: a token stands for a value in its own session only, for a bounded time, in bounded memory, and shows it nowhere."""

import base64
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from gatehold.pseudonyms import SessionPseudonyms
from gatehold.vault import GROUP, LONGEST, SessionEchoes, SessionVault, SessionVaults, VaultFullError
from masking.literals import Literals, LiteralStream
from policy.model import Agent, SessionId

VALUE = "jane.doe@example.com"
ONE, OTHER = SessionId("s1"), SessionId("s2")
AGENT = Agent(issuer="corp", subject="a", session=ONE, expires_at=1000.0)


def test_a_token_is_found_with_its_value_and_shown_nowhere() -> None:
    """The first spelling stays; a repr tells how many there are."""
    vault = SessionVault()
    vault.keep("<E:1>", "E", VALUE)
    vault.keep("<E:1>", "E", VALUE.upper())
    kept = vault.find("<E:1>")
    assert kept is not None
    assert (kept.entity, kept.value) == ("E", VALUE)
    assert vault.find("<E:2>") is None
    vault.put_back({VALUE: "<E:1>"})
    held = SessionVaults().of(ONE, now=0)
    for each in (vault, kept, vault.echoes, SessionEchoes(lambda: Literals(()), vault), held):
        assert VALUE not in repr(each)


@pytest.mark.parametrize("value", ["short", "x" * (LONGEST + 1), "lone \ud800 surrogate"])
def test_what_could_not_be_found_in_answers_is_not_kept(value: str) -> None:
    """Short values would hit ordinary text."""
    vault = SessionVault()
    vault.keep("<E:1>", "E", value)
    assert vault.find("<E:1>") is None


def test_memory_is_bounded_by_count_and_by_bytes() -> None:
    """The tokens that were made longest ago go, many at once, and whoever remembers tokens is told by the generation."""
    for vault in (SessionVault(tokens=8), SessionVault(size=8 * 10)):
        before = vault.generation
        for number in range(8):
            vault.keep(f"<E:{number}>", "E", f"value-{number:04}")
        assert vault.generation == before
        vault.keep("<E:0>", "E", "value-0000")
        vault.keep("<E:8>", "E", "value-0008")
        assert vault.generation != before
        assert vault.count == 6
        assert vault.find("<E:1>") is None
        assert vault.find("<E:0>") is not None


def test_what_was_put_back_is_replaced_in_every_form() -> None:
    """Raw, percent-encoded, base64 at any offset, hexadecimal, escaped; also where a stream is cut."""
    vault = SessionVault()
    vault.put_back({VALUE: "<E:1>", 'Zoë & "Co"': "<N:2>"})
    raw = VALUE.encode()
    forms = [raw, raw.replace(b"@", b"%40"), raw.hex().encode(), raw.hex().upper().encode()]
    forms += [base64.b64encode(bytes(offset) + raw)[4:-4] for offset in range(3)]
    forms += [b'Zo\\u00eb & \\"Co\\"', "Zoë &amp; &quot;Co&quot;".encode(), b"Zo%C3%AB%20%26%20%22Co%22"]
    for form in forms[:4] + forms[7:]:
        data = b"it is " + form + b"!"
        assert form not in vault.echoes.replace(data)
        for cut in range(len(data)):
            stream = LiteralStream(vault.echoes)
            assert form not in stream.feed(data[:cut]) + stream.feed(data[cut:]) + stream.end()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw + b"tail")
        assert vault.echoes.replace(encoded) != encoded


@pytest.mark.parametrize("value", [VALUE, "Jürgen.Müller+a@example.com"])
@pytest.mark.parametrize(
    "spelled",
    [
        str.upper, str.lower, str.title, str.swapcase, lambda value: value[::-1],
        lambda value: value.replace("@", "\\u0040"), lambda value: value.replace("@", "&#64;"),
        lambda value: value.replace("@", "&#x40;").replace("+", "&#x2B;"), lambda value: value.replace("@", "=40"),
        lambda value: "".join(f"\\u{ord(each):04X}" for each in value),
        lambda value: "".join(f"&#{ord(each)};" for each in value),
        lambda value: quote(quote(value, safe=""), safe=""),
    ],
)  # fmt: skip
def test_a_target_may_write_a_value_in_another_way(value: str, spelled: Callable[[str], str]) -> None:
    """In other letters, with some characters escaped or with all of them, escaped twice."""
    vault = SessionVault()
    vault.put_back({value: "<E:1>"})
    assert vault.echoes.replace(f"it is {spelled(value)}.".encode()) == b"it is <E:1>."


def test_very_many_values_are_found_as_well() -> None:
    """Up to a bound; past it none of the new ones is put back."""
    vault = SessionVault(put_back=100)
    values = {f"value-{number:05}": f"<E:{number}>" for number in range(100)}
    vault.put_back(values)
    assert vault.echoes.replace(b"a value-00007 b value-00099") == b"a <E:7> b <E:99>"
    vault.put_back({"value-00001": "<E:1>"})
    with pytest.raises(VaultFullError):
        vault.put_back({"value-00001": "<E:1>", "value-00100": "<E:100>"})
    assert vault.echoes.replace(b"value-00100") == b"value-00100"


def test_a_stream_that_is_open_learns_of_new_values() -> None:
    """What is put back while it goes on does not come back through it."""
    vault = SessionVault()
    stream = LiteralStream(SessionEchoes(lambda: Literals([b"credential"]), vault))
    assert stream.feed(f"{VALUE} ".encode()) == f"{VALUE} ".encode()
    vault.put_back({VALUE: "<E:1>"})
    assert stream.feed(f"{VALUE} credential ".encode()) == b"<E:1> *** "


def test_sessions_have_vaults_of_their_own() -> None:
    """Equal for one session, another for the next."""
    vaults = SessionVaults()
    assert vaults.of(ONE, now=0) is vaults.of(ONE, now=1)
    assert vaults.of(ONE, now=0) is not vaults.of(OTHER, now=0)


def test_idle_sessions_are_forgotten_but_for_what_is_looked_for_in_answers() -> None:
    """Tokens go; a value that was put back stays hidden."""
    vaults = SessionVaults(idle=10)
    one, other = vaults.of(ONE, now=0), vaults.of(OTHER, now=0)
    assert one
    assert other
    for vault in (one, other):
        vault.keep("<E:1>", "E", VALUE)
    one.put_back({VALUE: "<E:1>"})
    vaults.sweep(lambda _: False, now=10)
    assert (one.count, vaults.of(ONE, now=0)) == (1, one)
    generation = one.generation
    vaults.sweep(lambda _: False, now=21)
    assert one.count == 0
    assert one.generation != generation
    assert vaults.of(ONE, now=21) is one
    assert one.echoes
    assert vaults.of(OTHER, now=21) is not other


def test_there_is_room_for_so_many_sessions() -> None:
    """The one that was used longest ago goes, never one whose values are looked for: then there is no vault at all."""
    vaults = SessionVaults(sessions=2)
    one, other = vaults.of(ONE, now=0), vaults.of(OTHER, now=1)
    assert one
    one.put_back({VALUE: "<E:1>"})
    third = vaults.of(SessionId("s3"), now=2)
    assert third
    assert vaults.of(ONE, now=3) is one
    third.put_back({VALUE: "<E:1>"})
    assert vaults.of(OTHER, now=4) is None
    assert other is not None


def test_a_session_is_forgotten_when_it_ends_or_is_revoked() -> None:
    """It ends with the token of it that lasts longest."""
    now = 0.0
    pseudonyms = SessionPseudonyms(b"k" * 32, SessionVaults(), lambda: now)
    first = pseudonyms.vault(AGENT)
    pseudonyms.of(ONE, replace(AGENT, expires_at=2000.0))
    now = 1500.0
    pseudonyms.forget(lambda _: False)
    assert pseudonyms.vault(AGENT) is first
    pseudonyms.forget(lambda agent: agent.session == ONE)
    second = pseudonyms.vault(replace(AGENT, expires_at=2000.0))
    assert second is not first
    now = 2001.0
    pseudonyms.forget(lambda _: False)
    assert pseudonyms.vault(AGENT) is not second


def test_an_owner_is_another_one_once_tokens_were_given_up() -> None:
    """What an engine remembers for the owner before would be tokens that stand for nothing."""
    pseudonyms = SessionPseudonyms(b"k" * 32, SessionVaults(), lambda: 0.0)
    before = pseudonyms.of(ONE)
    vault = pseudonyms.vault(AGENT)
    assert vault
    assert pseudonyms.of(ONE) == before
    vault.forget()
    after = pseudonyms.of(ONE)
    assert after.owner != before.owner
    assert after.key == before.key
    plain = SessionPseudonyms(b"k" * 32)
    assert (plain.of(ONE).vault, plain.vault(AGENT)) == (None, None)
    assert plain.of(ONE).owner == ONE


def test_a_value_put_back_early_is_found_after_many_others() -> None:
    """Whatever group it is in, also where two of different groups overlap."""
    vault = SessionVault()
    vault.put_back({"early-value": "<E:early>"})
    for number in range(3 * GROUP):
        vault.put_back({f"value-{number:05}": f"<E:{number}>"})
    vault.put_back({"00000 more": "<E:more>", "see value-00001": "<E:see>"})
    data = b"EARLY-value, see value-00001, value-00149; value-00000 more"
    assert vault.echoes.replace(data) == b"<E:early>, <E:see>, <E:149>; <E:0>"
    assert vault.echoes.held_back(b"it is Early-val") == 9
    assert vault.echoes.replace(b"other") == b"other"
