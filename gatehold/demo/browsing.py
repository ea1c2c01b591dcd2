"""The console as a person uses it, by a plain HTTP client: what its pages show, and their forms sent back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import httpx2

from gatehold.demo.site import APPROVER, Site

SECONDS: Final = 20.0
_DIFF: Final = ("add", "del")


class Unexpected(Exception):
    """A page that is not what somebody would see who does this; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is on one page."""

    hidden: Mapping[str, str] = field(repr=False)
    """Fields of its forms that nobody types; the first of a name."""
    links: Sequence[str]
    diff: Sequence[str]
    """Lines of a change that add or take away."""
    text: str


class Browsing:
    """Somebody who has signed in."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def get(self, path: str) -> Page:
        """One page. Raises Unexpected."""
        return _page(self._client.get(path), 200)

    def approve(self, approval: str, page: Page, *, reason: str) -> Page:
        """Press Approve on the page of an approval; returns the inbox that follows. Raises Unexpected."""
        form = {name: page.hidden.get(name, "") for name in ("csrf", "shown", "id")}
        answer = self._client.post(f"/approvals/{approval}", data={**form, "verb": "approve", "reason": reason})
        return self.get(_next(answer))


@contextmanager
def signed_in(site: Site) -> Iterator[Browsing]:
    """The console after the form of its sign-in. Raises Unexpected."""
    url = site.console_url
    with httpx2.Client(base_url=url, trust_env=False, timeout=SECONDS, headers={"Origin": url}) as client:
        form = _page(client.get("/login"), 200).hidden
        answer = client.post("/login", data={**form, "name": APPROVER, "password": site.password})
        _next(answer)
        yield Browsing(client)


def read(text: str) -> Page:
    """What is on a page of HTML."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return Page(
        hidden=reader.hidden, links=reader.links, diff=reader.diff, text=" ".join("".join(reader.words).split())
    )


def _page(answer: httpx2.Response, status: int) -> Page:
    if answer.status_code != status:
        raise Unexpected(f"{answer.request.method} {answer.request.url.path} of the console gave {answer.status_code}")
    return read(answer.text)


def _next(answer: httpx2.Response) -> str:
    """Where a form leads that was accepted."""
    _page(answer, 303)
    return str(answer.headers["location"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.hidden: dict[str, str] = {}
        self.links: list[str] = []
        self.diff: list[str] = []
        self.words: list[str] = []
        self._in_line = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "input" and known.get("type") == "hidden":
            self.hidden.setdefault(known.get("name", ""), known.get("value", ""))
        elif tag == "a":
            self.links.append(known.get("href", ""))
        elif tag == "li" and known.get("class") in _DIFF:
            self._in_line = True
            self.diff.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_line = self._in_line and tag != "li"

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._in_line:
            self.diff[-1] += data
