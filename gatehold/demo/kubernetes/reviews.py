"""Reviews and tokens: objects that are asked with a POST and kept nowhere. Everything is allowed."""

import base64
import json
import secrets
from datetime import timedelta
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.decoding import decode_object
from gatehold.demo.kubernetes.objects import lookup, timestamp, uid_of
from gatehold.demo.kubernetes.requests import Call

EVERYTHING = ["*"]
TOKEN_SECONDS = 3600
SHORTEST_TOKEN = 600


def review(cluster: Cluster, call: Call) -> Answer:
    """A SelfSubjectAccessReview, SelfSubjectRulesReview or SelfSubjectReview."""
    resource = call.target.resource
    decoded = decode_object(
        call.body,
        call.content_type,
        api_version=resource.api_version,
        kind=resource.kind,
        type_name=resource.type,
    )
    metadata = {"creationTimestamp": timestamp(cluster.store.clock())}
    return Answer(body=decoded.item | {"metadata": metadata, "status": _verdict(resource.kind, call)}, code=201)


def _verdict(kind: str, call: Call) -> dict[str, Any]:
    if kind == "SelfSubjectAccessReview":
        return {"allowed": True, "reason": "the demo cluster allows everything"}
    if kind == "SelfSubjectRulesReview":
        return {
            "resourceRules": [{"verbs": EVERYTHING, "apiGroups": EVERYTHING, "resources": EVERYTHING}],
            "nonResourceRules": [{"verbs": EVERYTHING, "nonResourceURLs": EVERYTHING}],
            "incomplete": False,
        }
    return {"userInfo": {"username": call.identity.user, "groups": list(call.identity.groups)}}


def mint_token(cluster: Cluster, call: Call) -> Answer:
    """A TokenRequest of a ServiceAccount: a token that this server accepts as long as it runs."""
    account = cluster.store.get(call.target.resource, call.target.namespace, call.target.name)
    decoded = decode_object(
        call.body,
        call.content_type,
        api_version="authentication.k8s.io/v1",
        kind="TokenRequest",
        type_name="authentication.v1.TokenRequest",
    )
    seconds = lookup(decoded.item, "spec.expirationSeconds") or TOKEN_SECONDS
    if seconds < SHORTEST_TOKEN:
        why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        cause = statuses.Cause(field="spec.expirationSeconds", message=why)
        raise statuses.invalid("TokenRequest", "authentication.k8s.io", "", [cause])
    life = seconds if cluster.token_life is None else min(seconds, cluster.token_life)
    expires = cluster.store.clock() + timedelta(seconds=life)
    subject = f"system:serviceaccount:{call.target.namespace}:{call.target.name}"
    token = _token({"sub": subject, "uid": uid_of(account), "exp": int(expires.timestamp())})
    cluster.minted.add(token)
    spec = {"audiences": lookup(decoded.item, "spec.audiences") or ["https://kubernetes.default.svc"]}
    spec |= {"expirationSeconds": seconds}
    body = decoded.item | {
        "metadata": {"name": call.target.name, "namespace": call.target.namespace},
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": timestamp(expires)},
    }
    return Answer(body=body, code=201)


def _token(claims: dict[str, Any]) -> str:
    """Three parts like a signed token; the last is chance."""
    parts = [json.dumps({"alg": "RS256", "kid": "demo"}), json.dumps(claims)]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, secrets.token_urlsafe(32)])
