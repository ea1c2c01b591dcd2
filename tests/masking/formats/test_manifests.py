"""Secrets printed as YAML are hidden by their indentation."""

from collections.abc import Callable

import pytest

from masking.edits import apply, merge
from masking.formats.manifests import manifest_edits
from masking.plan import Plan

HIDDEN = "PEtVQkVSTkVURVNfU0VDUkVUPg=="
SECRET = """\
apiVersion: v1
data:
  password: UzNjcjN0LXB3
  "user": 'YXBw'
  empty: ""
  tls.crt: |
    TUlJRQ==
    a: SUlJRQ==

    b
  last: djM=
kind: Secret
metadata:
  name: db
stringData: {a: b}
type: Opaque
"""
MASKED = f"""\
apiVersion: v1
data:
  password: {HIDDEN}
  "user": {HIDDEN}
  empty: ""
  tls.crt: |
    {HIDDEN}
    {HIDDEN}

    {HIDDEN}
  last: {HIDDEN}
kind: Secret
metadata:
  name: db
stringData: <KUBERNETES_SECRET>
type: Opaque
"""
LIST = """\
items:
- apiVersion: v1
  data:
    k: djE=
  kind: Secret
  metadata: {name: a}
- data:
    k: djI=
  kind: "Secret"
kind: List
"""


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("kubernetes")


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(manifest_edits(text, plan)))


def test_a_secret_is_hidden_and_stays_a_manifest(plan: Plan) -> None:
    """Names stay, values go; twice is once."""
    assert masked(plan, SECRET) == MASKED
    assert masked(plan, MASKED) == MASKED
    assert masked(plan, SECRET.replace("\n", "\r\n")) == MASKED.replace("\n", "\r\n")


def test_a_list_of_secrets(plan: Plan) -> None:
    """As ``kubectl get secrets -o yaml`` prints it, with the kind after the data."""
    assert masked(plan, LIST) == LIST.replace("djE=", HIDDEN).replace("djI=", HIDDEN)


def test_other_documents_stay(plan: Plan) -> None:
    """A ConfigMap beside a Secret, in a document of its own, and texts that only speak of it."""
    config_map = "kind: ConfigMap\ndata:\n  k: plain\n"
    assert masked(plan, config_map + "---\n" + SECRET) == config_map + "---\n" + MASKED
    assert masked(plan, "kind: SecretStore\ndata:\n  k: plain\n") == "kind: SecretStore\ndata:\n  k: plain\n"


def test_what_follows_the_data_stays(plan: Plan) -> None:
    """The field ends where the indentation does, also when it is empty."""
    text = "kind: Secret\ndata:\nmetadata:\n  name: x\n"
    assert masked(plan, text) == text
