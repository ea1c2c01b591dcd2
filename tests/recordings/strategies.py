"""Calls and live flows in all their forms, for properties."""

from hypothesis import strategies as st
from mitmproxy import certs, http
from mitmproxy.test import tflow, tutils
from trustme import CA

from policy.codes import Code
from policy.model import (
    Agent,
    ApprovalObligation,
    Decision,
    DecisionId,
    Family,
    LimitObligation,
    MaskObligation,
    Obligations,
    RuleName,
    SessionId,
    TargetName,
    Verdict,
)
from recordings.events import Call, Resource
from recordings.flows import Dialogue, RecordedMessage, Spoken

TEXT = st.text(max_size=30)
RULES = st.lists(TEXT.map(RuleName), max_size=3).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
AGENTS = st.builds(
    Agent,
    issuer=TEXT,
    subject=TEXT,
    groups=st.lists(TEXT, max_size=2).map(tuple),
    claims=st.dictionaries(TEXT, TEXT, max_size=1),
    session=TEXT.map(SessionId),
)
OBLIGATIONS = st.builds(
    Obligations,
    approval=st.none()
    | st.builds(
        ApprovalObligation,
        rules=RULES,
        groups=st.lists(st.frozensets(TEXT, max_size=3), max_size=2).map(tuple),
        count=st.integers(1, 3),
    ),
    mask=st.builds(MaskObligation, profiles=st.lists(TEXT, max_size=2).map(tuple)),
    limits=st.lists(
        st.builds(
            LimitObligation,
            rule=TEXT.map(RuleName),
            unit=st.sampled_from(["rate", "calls", "bytes"]),
            amount=st.integers(0, 2**40),
            window=st.floats(0, 1e6),
        ),
        max_size=2,
    ).map(tuple),
)
DECISIONS = st.builds(
    Decision,
    verdict=st.sampled_from(Verdict),
    code=st.sampled_from(Code),
    rule=st.none() | TEXT.map(RuleName),
    rules=RULES,
    shadow=RULES,
    detail=TEXT,
    obligations=OBLIGATIONS,
    revision=TEXT,
)
CALLS = st.builds(
    Call,
    id=TEXT.map(lambda text: DecisionId(f"d{text}")),
    agent=st.none() | AGENTS,
    target=st.none() | TEXT.map(TargetName),
    family=st.none() | st.sampled_from(Family),
    scheme=st.sampled_from(["http", "https"]),
    host=TEXT,
    port=st.integers(0, 65535),
    method=TEXT,
    path=st.text(max_size=5000),
    operation=TEXT,
    verb=TEXT | st.sampled_from(["GET", "list", "delete"]),
    client=st.tuples(st.sampled_from(["", "10.0.0.9", "::1"]), st.integers(0, 65535)),
    time=st.floats(0, 4e9),
    judged=st.none() | DECISIONS,
    resources=st.lists(st.builds(Resource, type=TEXT, name=TEXT, namespace=TEXT), max_size=2).map(tuple),
    facts=st.dictionaries(TEXT, JSON, max_size=2),
)

CERTIFICATE = certs.Cert.from_pem(CA().cert_pem.bytes())
NAMES = st.sampled_from([b"Authorization", b"x_api_key", b"Set-Cookie", b"Accept", b"content-length", b"X"])
HEADERS = st.lists(st.tuples(NAMES | st.binary(max_size=8), st.binary(max_size=12)), max_size=6).map(tuple)
BODIES = st.none() | st.binary(max_size=60)
RECORDED = st.builds(RecordedMessage, body=BODIES, headers=st.none() | HEADERS, path=st.none() | st.text(max_size=20))
METADATA = st.dictionaries(
    st.text(max_size=8),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=4),
    max_size=3,
)
SPOKEN = st.builds(Spoken, time=st.floats(1, 2e9), from_client=st.booleans(), content=st.binary(max_size=20))
DIALOGUES = st.builds(
    Dialogue,
    messages=st.lists(SPOKEN, max_size=4),
    closed_by_client=st.none() | st.booleans(),
    close_code=st.none() | st.integers(1000, 4999),
    ended=st.none() | st.floats(0, 2e9),
)


@st.composite
def flows(draw: st.DrawFn) -> http.HTTPFlow:
    """Flows in many states: answered or not, failed, replayed, over TLS, just connected."""
    live = tflow.tflow(
        req=tutils.treq(headers=http.Headers(draw(HEADERS)), content=draw(BODIES), path=draw(st.binary(max_size=12))),
        resp=draw(st.booleans()) and tutils.tresp(headers=http.Headers(draw(HEADERS)), content=draw(BODIES)),
        err=draw(st.booleans()),
        ws=draw(st.booleans()),
    )
    live.is_replay = draw(st.sampled_from([None, "request", "response"]))
    live.metadata = {"proxyauth": ("user", "PASSWORD"), "stamp": object()}
    live.comment, live.marked, live.intercepted = "old", ":grapes:", draw(st.booleans())
    live.client_conn.sni = draw(st.none() | st.just("crm.corp.example"))
    live.server_conn.timestamp_end = draw(st.none() | st.floats(0, 2e9))
    live.request.timestamp_end = draw(st.none() | st.floats(0, 2e9))
    if draw(st.booleans()):
        live.client_conn.mitmcert = CERTIFICATE
        live.server_conn.certificate_list = [CERTIFICATE]
    return live
