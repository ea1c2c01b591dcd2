"""Law: a record holds what its decision was made of, masked, and says of everything that it is not what was judged."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.history.reading import read
from policy.actions.knowledge import KnownObjects
from policy.history.comparing import Comparison, compare
from policy.history.differences import WHOLE
from policy.history.inputs import RecordedCall
from policy.model import UNKNOWN
from tests.gatehold.history.recorded import AGENT, Camera, write

BASIC = Path(__file__).parents[3] / "examples" / "basic"
MAIL = "ada.lovelace@example.com"
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera(load(BASIC))


def one(record: bytes, tmp_path: Path) -> RecordedCall:
    (call,) = read(write(tmp_path, {"a-1": [record]})).calls()
    assert call.input is not None
    return call


def test_a_plain_call(camera: Camera, tmp_path: Path) -> None:
    """Nothing hidden: everything is as it was."""
    agent = replace(AGENT, claims={"team": "red"})
    call = one(
        camera.record("/customers/7?page=2", agent=agent, headers=[("Accept", "*/*")], at=1_790_000_000.25), tmp_path
    )
    assert call.agent == agent
    assert call.request.path == "/customers/7?page=2"
    assert call.request.headers == (("Accept", "*/*"),)
    assert call.input is not None
    assert (call.input.at, call.input.hidden) == (1_790_000_000.25, {})
    assert (call.target, call.recorded.verdict, call.recorded.code) == ("crm", "allow", "allowed")
    assert call.recorded.revision == camera.configuration.engine.revision


def test_what_is_hidden_is_said(camera: Camera, tmp_path: Path) -> None:
    """By place: path, query, headers, body, claims; and none of it is in the file."""
    body = json.dumps({"who": {"mail": MAIL, "n": 1}, "note": "x"}).encode()
    record = camera.record(
        f"/customers/{MAIL}/a?mail={MAIL}&x=1",
        method="POST",
        headers=[*JSON, ("X-User", MAIL), ("Authorization", "Bearer abc"), ("Content-Length", str(len(body)))],
        body=body,
    )
    assert b"lovelace" not in record
    call = one(record, tmp_path)
    assert call.input is not None
    assert call.input.hidden == {
        "path": (("1",),),
        "query": (("mail",),),
        "headers": (("authorization",), ("content-length",), ("x-user",)),
        "body": (("who", "mail"),),
        "claims": (("mail",),),
    }


def test_bodies_that_no_reader_takes_apart(camera: Camera, tmp_path: Path) -> None:
    """A form, an encoded body: the whole body is hidden once it was changed; the encoding is kept."""
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    call = one(camera.record("/a", method="POST", headers=form, body=f"mail={MAIL}".encode()), tmp_path)
    assert call.input is not None
    assert call.input.hidden["body"] == WHOLE
    encoded = [*JSON, ("Content-Encoding", "gzip")]
    call = one(camera.record("/a", method="POST", headers=encoded, body=gzip.compress(b'{"a": 1}')), tmp_path)
    assert call.input is not None
    assert call.input.hidden["body"] == WHOLE
    assert ("Content-Encoding", "gzip") in call.request.headers


def test_objects_that_were_looked_up(camera: Camera, tmp_path: Path) -> None:
    """Masked; what does not exist is kept as such, what nobody looked at as unknown."""
    path = "/apis/apps/v1/namespaces/prod/deployments/web/scale"
    old = {
        "kind": "Scale",
        "metadata": {"name": "web", "annotations": {"by": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}},
    }
    patch = (("Content-Type", "application/merge-patch+json"),)
    known = KnownObjects(old=old, new=None)
    record = camera.record(path, method="PATCH", target="main", headers=patch, body=b'{"spec":{}}', known=known)
    assert b"ghp_" not in record
    call = one(record, tmp_path)
    assert call.input is not None
    assert isinstance(call.input.known.old, dict)
    assert call.input.known.old["metadata"]["name"] == "web"
    assert (call.input.known.new, call.input.known.parent) == (None, UNKNOWN)
    assert call.input.hidden["old"] == (("metadata", "annotations", "by"),)


def test_secrets_are_not_kept(camera: Camera, tmp_path: Path) -> None:
    """Not a word of the object; it counts as hidden."""
    old = {"kind": "Secret", "metadata": {"name": "db", "labels": {"a": "hunter2"}}, "data": {"p": "aHVudGVyMg=="}}
    path = "/api/v1/namespaces/prod/secrets/db"
    record = camera.record(path, method="DELETE", target="main", known=KnownObjects(old=old))
    assert b"aHVudGVyMg" not in record
    assert b"hunter2" not in record
    call = one(record, tmp_path)
    assert call.input is not None
    assert call.input.hidden["old"] == WHOLE


def test_claims_are_bounded(camera: Camera, tmp_path: Path) -> None:
    """Too many are left out, and said to be."""
    agent = replace(AGENT, claims={str(n): "x" * 100 for n in range(300)})
    record = camera.record("/customers/7", agent=agent)
    assert len(record) < 8000
    call = one(record, tmp_path)
    assert call.input is not None
    assert call.input.hidden["claims"] == WHOLE


def test_the_same_policy_says_the_same(camera: Camera, tmp_path: Path) -> None:
    """Judged again from its record, every call of the example gets the verdict that it got."""
    operators = replace(AGENT, subject="o", groups=("operators",))
    scale = "/apis/apps/v1/namespaces/prod/deployments/web/scale"
    merge = (("Content-Type", "application/merge-patch+json"),)
    records = [
        camera.record("/customers/7"),
        camera.record(f"/customers/{MAIL}"),
        camera.record("/customers/export"),
        camera.record("/customers/1", method="DELETE"),
        camera.record("/repos/acme/shop/issues", target="github", method="POST", headers=JSON, body=b'{"title": "x"}'),
        camera.record("/repos/else/shop/issues/7", target="github"),
        camera.record(
            scale, target="main", method="PATCH", agent=operators, headers=merge, body=b'{"spec":{"replicas":11}}'
        ),
        camera.record(
            scale, target="main", method="PATCH", agent=operators, headers=merge, body=b'{"spec":{"replicas":1}}'
        ),
        camera.record("/api/v1/namespaces/prod/pods?limit=5", target="main"),
        camera.record("/api/v1/namespaces/prod/pods/w/exec?command=sh", target="main", method="POST", agent=operators),
    ]
    counts, engine = Comparison(), camera.configuration.engine
    calls = list(read(write(tmp_path, {"a-1": records})).calls())
    (unclear,) = compare(engine, engine, calls, counts)
    # What stood in the path of this one may have been what the wall is about.
    assert unclear.call.request.path == "/customers/<EMAIL_ADDRESS>"
    assert (counts.compared, counts.calls) == (len(records) - 1, len(records))
