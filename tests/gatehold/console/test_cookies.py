"""Law: a cookie is this host's alone, and of several with one name none counts."""

import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from gatehold.console.cookies import drop, only, put


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["gatehold=a"], "a"),
        (["x=1; gatehold=a; y=2"], "a"),
        (["x=1", "gatehold=a"], "a"),
        (["gatehold=a; gatehold=b"], None),
        (["gatehold=a", "gatehold=a"], None),
        (["gateholdx=a; xgatehold=b"], None),
        (["Gatehold=a"], None),
        ([], None),
    ],
)
def test_one_counts(lines: list[str], value: str | None) -> None:
    """Which of two is whose, a browser does not tell."""
    headers = Headers(raw=[(b"cookie", line.encode()) for line in lines])
    assert only(headers, "gatehold") == value


@pytest.mark.parametrize("secure", [False, True])
def test_scripts_do_not_see_it(secure: bool) -> None:
    """Nor do other paths, hosts, or, where there is https, networks."""
    response = Response()
    put(response, "gatehold", "a", seconds=60.9, secure=secure)
    drop(response, "gatehold", secure=secure)
    made, gone = (set(line.lower().split("; ")) for line in response.headers.getlist("set-cookie"))
    assert made - {"secure"} == {"gatehold=a", "httponly", "max-age=60", "path=/", "samesite=lax"}
    assert ("secure" in made) is ("secure" in gone) is secure
    assert {'gatehold=""', "max-age=0", "path=/"} <= gone
