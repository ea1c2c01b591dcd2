"""Law: a call goes upstream only where every stage stamped it once, in order, and none refused; evidence dies with it."""

import gc
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addons.calls import BEFORE_SEAL, Ledger, Stage, need
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Obligations
from tests.addons.support import make_call, make_client, make_flow


def test_the_stages_stand_in_order() -> None:
    """A call is judged by who it is before by what it asks, and is sealed last."""
    names = ["GUARD", "AUTHENTICATE", "CLASSIFY", "DLP", "DECIDE"]
    names += ["SESSION", "UPGRADE", "HOLD", "RESTORE", "INJECT", "SEAL"]
    assert [stage.name for stage in Stage] == names
    assert tuple(stage.name for stage in BEFORE_SEAL) == tuple(names[:-1])


@given(st.lists(st.sampled_from(list(Stage)), max_size=9))
def test_only_the_whole_row_counts(stamps: list[Stage]) -> None:
    """Missing, doubled, swapped or surplus stamps are no evidence."""
    call = make_call()
    for stage in stamps:
        call.stamp(stage)
    assert call.ready_for_seal is (stamps == list(BEFORE_SEAL))
    assert call.sealed is (stamps == list(Stage))


def test_each_prefix_and_each_swap_is_refused() -> None:
    """The whole row passes; a row cut anywhere, or with two neighbours swapped, does not."""
    rows = [list(Stage)[:end] for end in range(len(Stage))]
    rows += [[*row[:at], row[at + 1], row[at], *row[at + 2 :]] for row in [list(Stage)] for at in range(len(Stage) - 1)]
    assert not any(make_call(stamps=row).sealed for row in rows)
    assert make_call(stamps=list(Stage)).sealed
    assert make_call(stamps=list(BEFORE_SEAL)).ready_for_seal


@pytest.mark.parametrize("stamps", [list(BEFORE_SEAL), list(Stage)])
def test_a_refusal_outweighs_every_stamp(stamps: list[Stage]) -> None:
    """However late it comes."""
    call = make_call(stamps=stamps, refusal=Refusal(Code.GATEWAY_ERROR))
    assert not call.ready_for_seal
    assert not call.sealed


def test_evidence_belongs_to_one_flow() -> None:
    """Another flow with the same content has none; what is not open is not sealed."""
    ledger, flow = Ledger(), make_flow()
    call = ledger.open(flow)
    call.stamps = list(Stage)
    assert ledger.get(flow) is call
    assert ledger.sealed(flow)
    copied = flow.copy()
    assert ledger.get(copied) is None
    assert not ledger.sealed(copied)
    assert not ledger.sealed(make_flow())


def test_opening_again_throws_the_evidence_away() -> None:
    """A flow that begins again has to pass every stage again, under another id."""
    ledger, flow = Ledger(), make_flow()
    first = ledger.open(flow)
    first.stamps = list(Stage)
    assert ledger.open(flow).id != first.id
    assert not ledger.sealed(flow)
    assert len(ledger) == 1


def test_evidence_dies_with_its_flow() -> None:
    """Nothing has to be cleaned up, and no later flow inherits it."""
    ledger = Ledger()
    flows = [make_flow() for _ in range(3)]
    for flow in flows:
        ledger.open(flow)
    assert len(ledger) == 3
    del flow
    flows.clear()
    gc.collect()
    assert len(ledger) == 0


def test_the_calls_of_a_client() -> None:
    """Those of its connection, and no others."""
    ledger, one, other = Ledger(), make_client(), make_client()
    flows = [make_flow(client=client) for client in (one, one, other)]
    calls = [ledger.open(flow) for flow in flows]
    assert ledger.of_client(one.id) == calls[:2]
    assert ledger.of_client(other.id) == calls[2:]
    assert ledger.of_client("nobody") == []


def test_ids_are_never_given_twice() -> None:
    """They name a decision in the journal."""
    ledger, flow = Ledger(), make_flow()
    ids = [ledger.open(flow).id for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(each.startswith("dec_") for each in ids)


def test_what_an_earlier_stage_left_out_refuses() -> None:
    """``need`` raises, which dispatch turns into a refusal; values that are false are values."""
    with pytest.raises(LookupError):
        need(None)
    with pytest.raises(LookupError):
        _ = make_call().known_action
    assert need(0) == 0
    assert need("") == ""


def test_before_a_decision_nothing_is_asked() -> None:
    """A call without one has no obligations; it has no seal either."""
    assert make_call().obligations == Obligations()


def test_what_is_hidden_adds_up() -> None:
    """Headers, body, stream: one count for each kind of value."""
    call = make_call()
    for counts in itertools.repeat({"EMAIL": 2}, 2):
        call.count(counts)
    call.count({"PHONE": 1})
    assert call.masked == {"EMAIL": 4, "PHONE": 1}
