"""Law: whatever a link says, one stays in the console after the sign-in."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.console.returning import HOME, is_host_of, page_after, with_next

HERE = "https://gatehold.example"


@pytest.mark.parametrize("page", ["/", "/approvals/apr_1", "/recordings?agent=a&from=2026-01-01T00:00:00Z", "/a/b%20c"])
def test_pages_of_the_console(page: str) -> None:
    """Lead there."""
    assert page_after(page) == page
    assert with_next("/login", page).startswith("/login")


@pytest.mark.parametrize(
    "link",
    ["", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil",
     "javascript:alert(1)", "/a\r\nX: y", "/a b", "/\t/evil.example", "/a#b", "/\u2215evil", "/login", "/login?next=/x",
     "/login/oidc", "/logout", "/" + "a" * 1024],
)  # fmt: skip
def test_other_places(link: str) -> None:
    """Lead to the first page."""
    assert page_after(link) == HOME


@given(st.text(alphabet="/\\:?#@.%ab\t\n \x00", max_size=12) | st.text(max_size=30))
def test_no_link_leads_out(link: str) -> None:
    """As browsers read it, with backslashes as slashes and without tabs and line breaks."""
    read = page_after(link).replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    assert urlsplit(urljoin(f"{HERE}/login", read))[:2] == ("https", "gatehold.example")


@pytest.mark.parametrize(
    ("host", "url", "same"),
    [
        ("gatehold.example", HERE, True),
        ("Gatehold.example:443", HERE, True),
        ("gatehold.example", f"{HERE}:443", True),
        ("gatehold.example:80", HERE, False),
        ("127.0.0.1:8081", "http://127.0.0.1:8081", True),
        ("localhost:8081", "http://127.0.0.1:8081", False),
        ("[::1]:8081", "http://[::1]:8081", True),
        ("[broken", HERE, False),
        ("a:b", HERE, False),
        ("", HERE, False),
    ],
)
def test_hosts(host: str, url: str, same: bool) -> None:
    """The usual port may be left out."""
    assert is_host_of(host, url) is same
