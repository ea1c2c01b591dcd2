"""Laws of the audit page: it says whether the record is intact when somebody asks, and what was written last."""

import asyncio
import re
from typing import Any

import pytest

from gatehold.console.pages import audit


async def verified(browser: Any) -> str:
    """The state, once nothing runs."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "gatehold verify"))
    return str((await browser.get("/audit/verified", **{"HX-Request": "true"})).text)


async def test_the_record_is_verified_when_somebody_asks(ann: Any, recorded: None, office: Any) -> None:
    """Counts where it is intact, the first bad place where it is not; who asked, and the last one is remembered."""
    assert "Nobody asked" in (await ann.get("/audit")).text
    done = await ann.post("/audit/verify")
    assert (done.status_code, done.headers["location"]) == (303, "/audit")
    assert (await ann.post("/audit/verify")).status_code == 303
    part = await verified(ann)
    assert re.search(r'tag good">intact</span> <span class="">\d+ events, 3 flows, \d+ checkpoints: intact', part)
    assert "asked by alice" in part
    assert "no end is known of" in part
    [path, *_] = (office.data / "journal" / "main").glob("*.jsonl")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"GET /customers/1", b"GET /customers/7"))
    await ann.post("/audit/verify")
    part = await verified(ann)
    assert 'tag bad">altered' in part
    assert f"journal/main/{path.name}:" in part
    assert 'tag bad">altered' in (await ann.get("/audit")).text


async def test_events_are_shown(ann: Any, recorded: None) -> None:
    """The newest first, by kind; calls and approvals lead to their pages."""
    page = (await ann.get("/audit")).text
    kinds = re.findall(r'<span class="tag">([a-z-]+)</span></td>', page)
    assert kinds[0] == "journal-seal"
    assert kinds[-1] == "journal-open"
    assert {"intent", "outcome", "refusal", "approval"} <= set(kinds)
    assert "/recordings/call?id=d-1" in page
    assert 'href="/approvals/apr_1"' in page
    refusals = (await ann.get("/audit?kind=refusal")).text
    assert set(re.findall(r'<span class="tag">([a-z-]+)</span></td>', refusals)) == {"refusal"}
    assert (await ann.get("/audit?kind=none")).status_code == 400
    assert (await ann.get("/audit?at=none")).status_code == 400


async def test_older_events_are_on_other_pages(ann: Any, recorded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, once."""
    monkeypatch.setattr(audit, "NEWEST", 4)
    url, numbers = "/audit", list[int]()
    while url:
        page = (await ann.get(url)).text
        numbers += map(int, re.findall(r'faint rare">(\d+)<', page))
        url = next(iter(re.findall(r'<a href="([^"]*)">Older', page)), "").replace("&amp;", "&")
    assert numbers == list(range(len(numbers), 0, -1))


async def test_a_page_without_a_record(ann: Any) -> None:
    """Before anything was written."""
    assert "No event was written yet" in (await ann.get("/audit")).text
    assert "Nothing was recorded yet" in (await ann.get("/recordings")).text
