"""Addresses inside of a company are hidden like all others; what only has their form is left."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking import detectors
from masking.edits import apply, merge
from masking.engine import MaskingEngine
from masking.plan import Plan
from masking.private_domains import ENDINGS, is_private

type MakePlan = Callable[..., Plan]

NO_ADDRESSES = [
    "root@localhost",
    "ssh root@10.0.0.1 -p 22",
    "celery@worker-1 rabbit@node",
    "registry.internal/app@sha256:7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
    "registry.corp:5000/app:1.2.local@sha256:7d865e95",
    "@scope/package@1.2.3 @scope/package@1.2.3-rc.1.internal",
    "left-pad@v1.3.0-next.local pkg@1.2.3-beta.local",
    "git.corp/x/net@v0.1.0 git.corp/x/net@v0.0.0-20210101000000-abcdef.test",
    "system:serviceaccount:kube-system:default",
    "spiffe://cluster.local/ns/x/sa/y",
    "getty@tty1.service user@1000.service user@1000.slice modprobe@drm.local.conf",
    "logo@2x.png user@foo.test.js",
    "src/@app.internal",
    "ada@mail.internals ada@mail.notatld ada@internal @corp.example ada@.local",
]
"""Of another kind, or under an ending that no list knows."""


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_every_ending_counts(ending: str, make_plan: MakePlan) -> None:
    """In every profile that asks for addresses, in any case and however many names are before it."""
    for plan in (
        make_plan("pii"),
        make_plan(spec={"entities": {"EMAIL_ADDRESS": {}}}),
        make_plan(spec={"extends": ["pii"], "guard": "boundary"}),
    ):
        for domain in (f"corp.{ending}", f"a.b-c.x_1.{ending}", f"DC1.{ending.upper()}", f"xn--80ak6aa92e.{ending}"):
            text = f"to ada.lovelace+x@{domain}, and"
            assert [text[hit.start : hit.end] for hit in plan.judge.hits(text)] == [f"ada.lovelace+x@{domain}"]


def test_no_ending_is_a_public_suffix() -> None:
    """Those that are, are Presidio's: a list that has grown is told here."""
    assert not [ending for ending in ENDINGS if detectors._suffixes()(f"ada@corp.{ending}").fqdn]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_only_looks_like_an_address_is_left(text: str, make_plan: MakePlan) -> None:
    """Versions, digests, units of systemd, module paths, files, bare hosts."""
    assert not make_plan("pii", "pci").judge.edits(text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/users/ada@mail.internal/x", "/users/<EMAIL_ADDRESS>/x"),
        ("ada%40mail.internal", "<EMAIL_ADDRESS>"),
        ("ada&#64;mail.internal", "<EMAIL_ADDRESS>"),
        ("ada\uff20mail\u3002internal", "<EMAIL_ADDRESS>"),
        ("ada@mail.internal. Bob", "<EMAIL_ADDRESS>. Bob"),
        ("ada@mail.internal_x ada@mail.internal-x", "<EMAIL_ADDRESS>_x <EMAIL_ADDRESS>-x"),
        ("Ada <ada@corp.example>", "Ada <<EMAIL_ADDRESS>>"),
        ("bXkgbWFpbCBpcyBhZGFAbWFpbC5pbnRlcm5hbCAu", "bXkgbWFpbCBpcyA8RU1BSUxfQUREUkVTUz4gLg=="),
    ],
)
def test_they_are_found_as_all_others(text: str, masked: str, make_plan: MakePlan) -> None:
    """In paths and encoded, with what touches them, and once."""
    plan = make_plan("pii")
    assert apply(text, merge(plan.judge.edits(text))) == masked
    assert not plan.judge.edits(masked)


def test_the_guard_spares_users_of_hosts(make_plan: MakePlan) -> None:
    """As on public hosts: without the guard both are hidden."""
    plain, guarded = make_plan("pii"), make_plan(spec={"extends": ["pii"], "guard": "boundary"})
    for domain in ("git.corp", "git.example.com"):
        for text in (f"git@{domain}:org/repo", f"ssh://deploy@{domain}/app"):
            assert [edit.entity for edit in plain.judge.edits(text)] == ["EMAIL_ADDRESS"]
            assert not guarded.judge.edits(text)


def test_bodies_and_streams(engine: MaskingEngine) -> None:
    """Where nothing but such an address is in a body, it is not told to be quiet."""
    body = json.dumps({"items": [{"owner": "ada@mail.internal", "unit": "getty@tty1.service"}]}).encode()
    masked = engine.mask_body(body, content_type="application/json", profiles=("pii",))
    assert json.loads(masked.body) == {"items": [{"owner": "<EMAIL_ADDRESS>", "unit": "getty@tty1.service"}]}
    assert dict(masked.counts) == {"EMAIL_ADDRESS": 1}


@given(
    st.lists(st.text("ab1-_", min_size=1, max_size=3), max_size=3).map(".".join),
    st.sampled_from([*sorted(ENDINGS), "zz", "service", "png", "Local", ""]),
)
def test_a_name_before_a_known_ending(names: str, ending: str) -> None:
    """And no version."""
    version = len(names) > 2 and names.partition(".")[0].isdecimal() and names.partition(".")[2][:1].isdecimal()
    assert is_private(f"{names}.{ending}") == (bool(names) and ending.lower() in ENDINGS and not version)


def test_the_documentation_lists_the_endings(make_plan: MakePlan) -> None:
    """And how to name another one."""
    page = (Path(__file__).parents[2] / "docs/masking.md").read_text("utf-8")
    listed, _, rest = page.partition("- **Domains of private networks** ")[2].partition(":")
    assert set(re.findall(r"`\.([a-z]+)`", listed)) == ENDINGS
    own = json.loads(re.search(r"`STAFF_MAIL: \{regex: (\"[^`]*\")\}`", rest)[1])  # type: ignore[index]
    plan = make_plan(spec={"extends": ["pii"], "entities": {"STAFF_MAIL": {"regex": own}}})
    assert [edit.entity for edit in plan.judge.edits("to ada@dc1.acme.")] == ["STAFF_MAIL"]
