import random
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gatehold.approvals.fingerprint import VOLATILE, BoundCall, KeyFileError, approval_key, fingerprint
from gatehold.approvals.model import RuleRef
from policy.model import RuleName

KEY = bytes(range(32))

_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)
_VOLATILE_NAME = st.sampled_from([*sorted(name.decode() for name in VOLATILE), "kubectl-command", "Kubectl-Session"])
_NAME = st.sampled_from(["content-type", "x-a", "x-b", "accept", "if-match"]) | st.text(
    "abcdefgh-", min_size=1, max_size=8
)
_HEADERS = st.lists(st.tuples(_NAME, _TEXT), max_size=5).map(tuple)
_RULES = st.lists(st.builds(lambda n, d: RuleRef(name=RuleName(n), digest=d), _TEXT, _TEXT), max_size=3).map(tuple)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_PARTS: dict[str, st.SearchStrategy[Any]] = {
    "issuer": _TEXT,
    "subject": _TEXT,
    "target": _TEXT,
    "scheme": st.sampled_from(["http", "https"]),
    "host": _TEXT,
    "port": st.integers(1, 65535),
    "credential": _TEXT,
    "method": st.sampled_from(["GET", "POST", "PATCH"]),
    "path": _TEXT,
    "headers": _HEADERS,
    "body": st.binary(max_size=20),
    "rules": _RULES,
    "facts": st.dictionaries(st.text(max_size=5), _JSON, max_size=3),
    "change": st.sampled_from(["", "ab" * 32, "cd" * 32]),
}
CALLS = st.builds(BoundCall, **_PARTS)


def _same_headers(one: BoundCall, other: BoundCall) -> bool:
    def grouped(call: BoundCall) -> list[tuple[str, str]]:
        return sorted(((name.lower(), value) for name, value in call.headers), key=lambda pair: pair[0])

    return grouped(one) == grouped(other)


def _same(one: BoundCall, other: BoundCall) -> bool:
    parts = [field.name for field in fields(BoundCall) if field.name not in {"headers", "facts"}]
    alike = all(getattr(one, part) == getattr(other, part) for part in parts)
    return alike and repr(_sorted(one.facts)) == repr(_sorted(other.facts)) and _same_headers(one, other)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _sorted(value[name])) for name in sorted(value)]
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def test_every_part_has_a_strategy() -> None:
    """A part that is added to the call must be added to these laws."""
    assert set(_PARTS) == {field.name for field in fields(BoundCall)}


@given(CALLS, st.data())
def test_any_changed_part_changes_it(call: BoundCall, data: st.DataObject) -> None:
    """Whatever part is another one: another fingerprint. Equal calls: the same."""
    part = data.draw(st.sampled_from(sorted(_PARTS)))
    other = replace(call, **{part: data.draw(_PARTS[part])})
    assert (fingerprint(KEY, call) == fingerprint(KEY, other)) is _same(call, other)


@given(CALLS, CALLS)
def test_two_calls_are_told_apart(one: BoundCall, other: BoundCall) -> None:
    """No two different calls are encoded alike."""
    assert (fingerprint(KEY, one) == fingerprint(KEY, other)) is _same(one, other)


@given(CALLS, st.sampled_from(["issuer", "subject", "target", "host", "credential", "path", "body"]), st.data())
def test_one_changed_byte_changes_it(call: BoundCall, part: str, data: st.DataObject) -> None:
    """Any one byte or character, anywhere in a part."""
    value = getattr(call, part)
    assume(len(value))
    place = data.draw(st.integers(0, len(value) - 1))
    new = bytes([value[place] ^ 1]) if isinstance(value, bytes) else chr(ord(value[place]) ^ 1)
    changed = replace(call, **{part: value[:place] + new + value[place + 1 :]})
    assert fingerprint(KEY, call) != fingerprint(KEY, changed)


@given(CALLS, st.data())
def test_one_changed_byte_of_a_header_changes_it(call: BoundCall, data: st.DataObject) -> None:
    """Names but for their case, and values."""
    assume(any(value for _, value in call.headers))
    place = data.draw(st.sampled_from([number for number, (_, value) in enumerate(call.headers) if value]))
    name, value = call.headers[place]
    changed = (name, value[:-1] + chr(ord(value[-1]) ^ 1))
    headers = (*call.headers[:place], changed, *call.headers[place + 1 :])
    assert fingerprint(KEY, call) != fingerprint(KEY, replace(call, headers=headers))


@given(CALLS)
def test_moving_a_border_changes_it(call: BoundCall) -> None:
    """The end of one part is never the beginning of the next."""
    assume(call.subject)
    moved = replace(call, issuer=call.issuer + call.subject[0], subject=call.subject[1:])
    assert fingerprint(KEY, call) != fingerprint(KEY, moved)


@given(CALLS, st.lists(st.tuples(_VOLATILE_NAME, _TEXT), min_size=1), st.randoms())
def test_volatile_headers_do_not_matter(call: BoundCall, noise: list[tuple[str, str]], chance: random.Random) -> None:
    """Neither their values nor their presence, in any case of letters."""
    headers = list(call.headers)
    for name, value in noise:
        headers.insert(chance.randrange(len(headers) + 1), (chance.choice([name, name.upper(), name.title()]), value))
    assert fingerprint(KEY, call) == fingerprint(KEY, replace(call, headers=headers))


@given(CALLS, st.randoms())
def test_order_between_names_does_not_matter(call: BoundCall, chance: random.Random) -> None:
    """Clients that send the same headers in another order ask for the same; values of one name keep theirs."""
    names = sorted({name.lower() for name, _ in call.headers})
    chance.shuffle(names)
    headers = [(name.upper(), value) for wanted in names for name, value in call.headers if name.lower() == wanted]
    assert fingerprint(KEY, call) == fingerprint(KEY, replace(call, headers=headers))


def _call(**changes: Any) -> BoundCall:
    call = BoundCall(
        issuer="corp",
        subject="a1",
        target="crm",
        scheme="https",
        host="crm.corp.example",
        port=443,
        credential="header:authorization",
        method="PATCH",
        path="/customers/1?x=1",
        headers=(("Content-Type", "application/merge-patch+json"), ("Accept", "a"), ("Accept", "b")),
        body=b"{}",
        rules=(RuleRef(name=RuleName("r"), digest="d"),),
        facts={"k8s.replicas": 12},
    )
    return replace(call, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("Content-Type", "application/json-patch+json"), ("Accept", "a"), ("Accept", "b"))},
        {"headers": (("Content-Type", "application/merge-patch+json"), ("Accept", "b"), ("Accept", "a"))},
        {"headers": (("Content-Type", "application/merge-patch+json"), ("Accept", "a"))},
        {"headers": (*_call().headers, ("If-Match", "1"))},
        {"headers": (*_call().headers, ("X-Kubectl-Command", "scale"))},
        {"headers": (*_call().headers, ("\u212aubectl-x", "1"))},
        {"rules": (RuleRef(name=RuleName("r"), digest="edited"),)},
        {"rules": ()},
        {"facts": {"k8s.replicas": "12"}},
        {"facts": {"k8s.replicas": 12.0}},
        {"facts": {"k8s.replicas": 13}},
        {"path": "/customers/1?x=1&"},
        {"port": 8443},
    ],
)
def test_what_matters(changes: dict[str, Any]) -> None:
    """Patch type, order of one header's values, edited rules, types of facts: each makes another call."""
    assert fingerprint(KEY, _call()) != fingerprint(KEY, _call(**changes))


def test_it_is_keyed() -> None:
    """64 hexadecimal digits that another installation does not get."""
    assert len(fingerprint(KEY, _call())) == 64
    assert fingerprint(KEY, _call()) != fingerprint(bytes(32), _call())


def test_bytes_of_the_call_are_not_in_its_repr() -> None:
    """Bodies and headers may hold what a log must not."""
    assert "merge-patch" not in repr(_call())


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """0600 in a directory 0700, 32 random bytes, the same ever after; another directory has another."""
    key = approval_key(tmp_path)
    path = tmp_path / "keys" / "approval.key"
    assert approval_key(tmp_path) == key == path.read_bytes()
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["approval.key"]
    assert approval_key(tmp_path / "other") != key


def _shorten(path: Path) -> None:
    path.write_bytes(b"short")


def _open_to_others(path: Path) -> None:
    path.chmod(0o640)


@pytest.mark.parametrize(("spoil", "message"), [(_shorten, "32 bytes"), (_open_to_others, "0640")])
def test_a_key_that_is_not_secret_is_refused(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    """Too short, or readable by others: nothing is bound by it."""
    approval_key(tmp_path)
    spoil(tmp_path / "keys" / "approval.key")
    with pytest.raises(KeyFileError, match=message):
        approval_key(tmp_path)


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """Faults of the file system come with the path."""
    (tmp_path / "keys").touch()
    with pytest.raises(KeyFileError, match=r"approval\.key"):
        approval_key(tmp_path)


def test_processes_that_make_the_key_together_agree(tmp_path: Path) -> None:
    """Two replicas on one directory: one key."""
    script = (
        "import sys; from pathlib import Path; from gatehold.approvals.fingerprint import approval_key; "
        "sys.stdin.readline(); print(approval_key(Path(sys.argv[1])).hex())"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(keys) == 1
    assert keys == {approval_key(tmp_path).hex()}
