"""Law: pages are read as a browser reads them: fields, links, and lines of a change with their characters put back."""

import httpx2
import pytest

from gatehold.demo.browsing import Browsing, Unexpected, read

PAGE = """<!doctype html><title>One</title>
<a href="/approvals/apr_1?a=1&amp;b=2">one</a>
<form><input type="hidden" name="csrf" value="&quot;c&#39;"><input type="hidden" name="shown" value="d1">
<input type="hidden" name="id" value="apr_1"><input name="reason" value="typed"></form>
<form><input type="hidden" name="csrf" value="another"></form>
<ol><li>@@ 1 @@</li><li class="del">-  replicas: 3</li><li class="add">+  name: &lt;b&gt;</li><li>  same</li></ol>"""


def test_a_page_is_read() -> None:
    """The first field of a name counts; what people type does not."""
    page = read(PAGE)
    assert page.hidden == {"csrf": "\"c'", "shown": "d1", "id": "apr_1"}
    assert page.links == ["/approvals/apr_1?a=1&b=2"]
    assert page.diff == ["-  replicas: 3", "+  name: <b>"]
    assert "one @@ 1 @@" in page.text
    assert "another" not in repr(page), "nobody sees tokens in a report"


def test_an_answer_repeats_what_was_shown() -> None:
    """The form goes back with its token and digest, and the page that follows is returned."""
    seen = []

    def console(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.method, request.url.path, dict(httpx2.QueryParams(request.content.decode()))))
        if request.method == "POST":
            return httpx2.Response(303, headers={"location": "/?answered=apr_1"})
        return httpx2.Response(200, text=PAGE)

    with httpx2.Client(base_url="http://console.test", transport=httpx2.MockTransport(console)) as client:
        person = Browsing(client)
        assert person.approve("apr_1", person.get("/approvals/apr_1"), reason="yes & no").links
    sent = {"csrf": "\"c'", "shown": "d1", "id": "apr_1", "verb": "approve", "reason": "yes & no"}
    assert seen == [("GET", "/approvals/apr_1", {}), ("POST", "/approvals/apr_1", sent), ("GET", "/", {})]


@pytest.mark.parametrize("status", [200, 401, 403, 409, 500])
def test_a_refused_form_is_told(status: int) -> None:
    """With its path and status, without what was sent."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(status, text="no"))
    told = f"POST /approvals/apr_1 of the console gave {status}"
    with (
        httpx2.Client(base_url="http://console.test", transport=transport) as client,
        pytest.raises(Unexpected, match=told) as caught,
    ):
        Browsing(client).approve("apr_1", read(PAGE), reason="secret")
    assert "secret" not in str(caught.value)
