"""Law: nobody who asks for a masked answer chooses the names under which it comes."""

import json
from typing import Any

import pytest

from addons.aliases import refuse_hidden_aliases
from addons.runtime import Runtime
from policy.codes import Code
from policy.errors import Refusal
from tests.addons.support import judged, make_flow, make_request

JSON = {"Content-Type": "application/json"}
ALIASED = "{ user { x: ssn } }"


async def asked(
    runtime: Runtime, body: bytes, headers: dict[str, str], query: str = "", profiles: tuple[str, ...] = ("pii",)
) -> None:
    """A request to a target whose answers are masked."""
    request = make_request(f"https://crm.corp.example/graphql{query}", "POST", headers=headers)
    request.raw_content = body
    await refuse_hidden_aliases(runtime, judged(runtime, make_flow(request), profiles=profiles))


def graphql(document: str, **more: Any) -> bytes:
    return json.dumps({"query": document, **more}).encode()


@pytest.mark.parametrize(
    ("body", "headers", "query"),
    [
        (graphql(ALIASED), JSON, ""),
        (graphql("{ a }" + " " * 20_000 + ALIASED), JSON, ""),
        (ALIASED.encode(), {"Content-Type": "application/graphql"}, ""),
        (b"", {}, "?query=%7B%20user%20%7B%20x%3A%20ssn%20%7D%20%7D"),
        (b"no gzip", JSON | {"Content-Encoding": "gzip"}, ""),
    ],
)
async def test_another_name_is_refused(runtime: Runtime, body: bytes, headers: dict[str, str], query: str) -> None:
    """As malformed, wherever the document stands and however long it is."""
    with pytest.raises(Refusal) as caught:
        await asked(runtime, body, headers, query)
    assert caught.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    ("body", "headers", "query"),
    [
        (graphql("{ user { ssn } }"), JSON, ""),
        (json.dumps({"name": "a", "n": [1]}).encode(), JSON, ""),
        (b"", {}, "?limit=3&q=a"),
        (b"a,b\n1,2\n", {"Content-Type": "text/csv"}, ""),
        (b"\x89PNG\r\n\x1a\n", {"Content-Type": "image/png"}, ""),
    ],
)
async def test_everything_else_passes(runtime: Runtime, body: bytes, headers: dict[str, str], query: str) -> None:
    """What is no GraphQL is not judged as such."""
    await asked(runtime, body, headers, query)


async def test_without_a_mask_names_are_free(runtime: Runtime) -> None:
    """There is nothing to get around."""
    await asked(runtime, graphql(ALIASED), JSON, profiles=())
