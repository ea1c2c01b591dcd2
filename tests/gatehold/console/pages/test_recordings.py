"""Laws of the recordings' pages: what was recorded is found and read, as text, and only so much of it at once."""

import re
from html import unescape
from typing import Any

import pytest

from gatehold.console import calls
from gatehold.console.pages import recordings
from recordings.events import outcome
from recordings.scanning import Budget
from tests.gatehold.console.pages.conftest import a_flow, a_recorded_call


def links(page: str, start: str) -> list[str]:
    """Addresses on a page that begin so, in order."""
    return [unescape(each) for each in re.findall(rf'href="({re.escape(start)}[^"]*)"', page)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["d-3", "d-2", "d-1"]), ("agent=a1", ["d-2", "d-1"]), ("target=crm&rule=never", ["d-3"]),
        ("verdict=hold", ["d-2"]), ("text=/CUSTOMERS/1%3Fx", ["d-1"]), ("since=2020-01-01", ["d-3", "d-2", "d-1"]),
        ("until=2020-01-01", []), ("since=1h&until=2020-01-01", []), ("agent=nobody", []),
    ],
)  # fmt: skip
async def test_calls_are_found(ann: Any, recorded: None, query: str, found: list[str]) -> None:
    """By everything that the form asks for, the newest first; only calls that ended."""
    page = await ann.get(f"/recordings?{query}")
    assert page.status_code == 200
    assert re.findall(r'<li id="call-([^"]*)"', page.text) == found


@pytest.mark.parametrize(
    ("query", "status"),
    [("since=yesterday", 422), ("verdict=maybe", 422), ("at=../x:1", 400), (f"agent={'x' * 600}", 400)],
)
async def test_what_cannot_be_asked_is_told(ann: Any, recorded: None, query: str, status: int) -> None:
    """And nothing is searched."""
    page = await ann.get(f"/recordings?{query}")
    assert page.status_code == status
    assert "<li id" not in page.text


async def test_a_search_has_pages(ann: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is on one of them."""
    monkeypatch.setattr(recordings, "PAGE", 3)
    write(*(outcome(a_recorded_call(number), status=200, time=1.0) for number in range(8)))
    url, found = "/recordings?agent=a1", list[str]()
    while url:
        page = (await ann.get(url)).text
        found += re.findall(r'<li id="call-([^"]*)"', page)
        url = next(iter(re.findall(r'<a href="([^"]*)">Older', page)), "").replace("&amp;", "&")
    assert found == [f"d-{number}" for number in reversed(range(8))]


async def test_a_session_is_told_in_order(ann: Any, recorded: None, office: Any) -> None:
    """Every call once, with what else happened, and how to open it in mitmweb."""
    page = (await ann.get("/recordings/session?session=s-1&agent=a1")).text
    assert re.findall(r'<li id="call-([^"]*)"', page) == ["d-1", "d-2", "d-4"]
    assert page.index("d-1") < page.index("approval pending") < page.index("call-d-2")
    for told in ("3 calls: 2 allowed, 1 held, 0 denied; 3 values masked", "no end known", "approval-pending", 'href="/approvals/apr_1"',
                 f"gatehold recordings open s-1 --config {office.config}", "3 masked", "429"):  # fmt: skip
        assert told in page, told
    assert (await ann.get("/recordings/session?session=none")).status_code == 404
    assert (await ann.get("/recordings/session")).status_code == 404


async def test_a_call_is_read_in_place(ann: Any, recorded: None) -> None:
    """Both bodies, JSON laid out, what was masked by kind; the link on a list and its bare id lead there."""
    search = (await ann.get("/recordings?agent=a1")).text
    for url in (links(search, "/recordings/call?id=d-1")[0], "/recordings/call?id=d-1"):
        page = (await ann.get(url)).text
        for told in ("<li>{</li>", "<li>  &#34;n&#34;: 1.50</li>", "EMAIL_ADDRESS 1, PERSON 2", "<li>fine</li>", "200 OK", "GET /customers/1 HTTP",
                     "gatehold recordings open d-1", "/recordings/session?session=s-1", "/policy?target=crm&amp;method=GET&amp;path=%2Fcustomers%2F1"):  # fmt: skip
            assert told in page, told
    held = (await ann.get("/recordings/call?id=d-2")).text
    assert 'href="/approvals/apr_1"' in held
    assert "nothing of it is in a flow file" in (await ann.get("/recordings/call?id=d-4")).text
    assert (await ann.get("/recordings/call?id=d-9")).status_code == 404


async def test_what_is_not_text_or_too_long_is_said(ann: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary as bytes, long ones cut with the count, records that are too large not at all."""
    one, two, three = (a_recorded_call(number) for number in (1, 2, 3))
    write(
        (outcome(one, status=200, time=1.0), a_flow(b"\0\xff", answer=b"")),
        (outcome(two, status=200, time=1.0), a_flow(b"x" * 300_000)),
        (outcome(three, status=200, time=1.0), a_flow(b"x" * 300_001)),
    )
    page = (await ann.get("/recordings/call?id=d-1")).text
    assert "Binary: 2 B" in page
    assert "00000000  00 ff" in page
    assert "No body." in page
    assert "37.0 KiB more are not shown here" in (await ann.get("/recordings/call?id=d-2")).text
    monkeypatch.setattr(calls, "MOST_BYTES", 300_000)
    assert "which is more than is read here" in (await ann.get("/recordings/call?id=d-3")).text


async def test_an_altered_record_is_told(ann: Any, recorded: None, office: Any) -> None:
    """It is not shown as if it were what happened."""
    for path in (office.data / "recordings").rglob("*.flow"):
        path.chmod(0o600)
        path.write_bytes(path.read_bytes().replace(b"1.50", b"9.50"))
    page = (await ann.get("/recordings/call?id=d-1")).text
    assert "not as the journal says" in page
    assert "9.50" not in page


async def test_a_stream_in_pieces_is_one_call(ann: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, as many pieces as fit; values that were masked count once."""
    monkeypatch.setattr(calls, "MOST_PARTS", 2)
    call = a_recorded_call(1)
    write(
        *(
            (
                outcome(call, status=200, time=1.0, part=part, masked={"PERSON": part}),
                a_flow(answer=f"piece {part}".encode()),
            )
            for part in (1, 2, 3)
        )
    )
    page = (await ann.get("/recordings/call?id=d-1")).text
    assert page.index("piece 1") < page.index("piece 2")
    assert "piece 3" not in page
    assert "1 more piece is not shown here" in page
    assert (await ann.get("/recordings")).text.count("<li id=") == 1
    assert "3 masked" in (await ann.get("/recordings/session?session=s-1")).text


async def test_hostile_texts_are_texts(ann: Any, recorded: None) -> None:
    """Paths, agents, sessions, reasons, facts, header fields and bodies; what cannot be seen is shown as code points."""
    search = (await ann.get("/recordings?verdict=deny")).text
    call = (await ann.get(links(search, "/recordings/call?id=d-3")[0])).text
    session = (await ann.get(links(call, "/recordings/session?")[0])).text
    for page in (search, call, session, (await ann.get("/audit")).text):
        assert "&lt;U+202E&gt;" in page
        assert not re.search(r"<img|<script>alert|</textarea><|\u202e|\x1b", page)
    assert "does not fit into a shell" in session


async def test_a_search_that_ran_out_of_time_says_so(ann: Any, recorded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leads further back: texts are searched for in the journal itself, the index knows none."""
    monkeypatch.setattr(recordings, "BUDGET", Budget(bytes=1))
    page = (await ann.get("/recordings?text=nowhere")).text
    assert "Looked through" in page
    assert "Look further back" in page


async def test_the_newest_calls_come_by_themselves(ann: Any, recorded: None, write: Any) -> None:
    """The first page asks for its list again when something was recorded; later pages, and searches in texts, stay."""
    page = (await ann.get("/recordings?agent=a1")).text
    assert 'id="calls" hx-get="/recordings?agent=a1" hx-trigger="recorded from:body" hx-select="#calls"' in page
    write(outcome(a_recorded_call(9), status=200, time=1.0))
    assert re.findall(r'<li id="call-([^"]*)"', (await ann.get("/recordings?agent=a1")).text)[0] == "d-9"
    for query in ("text=x", "at=main/000001-20260131.jsonl:1", "since=yesterday"):
        assert "hx-trigger" not in (await ann.get(f"/recordings?{query}")).text.partition('<div class="card" id')[2]


async def test_a_session_and_the_audit_trail_go_on_by_themselves(ann: Any, recorded: None) -> None:
    """Their newest page; earlier ones stay as they are. What comes is the page itself, for who is still signed in."""
    for path, part in (
        ("/recordings/session?session=s-1&agent=a1", "happened"),
        ("/audit", "events"),
        ("/audit?kind=gateway", "events"),
    ):
        page = (await ann.get(path)).text
        url, trigger = re.findall(
            rf'hx-get="([^"]*)" hx-trigger="(recorded from:body[^"]*)" hx-select="#{part}"', page
        )[0]
        assert f'id="{part}"' in (await ann.get(unescape(url), **{"HX-Request": "true"})).text, trigger
        joint = "&" if "?" in path else "?"
        assert "recorded from:body" not in (await ann.get(f"{path}{joint}at=main/000001-20260131.jsonl:1")).text
    ann.client.cookies.clear()
    assert (await ann.get("/audit", **{"HX-Request": "true"})).status_code == 401
