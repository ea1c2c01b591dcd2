"""Law: a rule reads at least what is said here; what is asked by ``has`` alone is only whether it is there."""

import pytest

from policy.expressions import Environment
from policy.history.reading import reads
from policy.model import Family

CASES = [
    ("body.amount > 5", {"body": (("amount",),)}),
    ("body.order.id == 7 && body.order.vip", {"body": (("order", "id"), ("order", "vip"))}),
    ("body.items.exists(i, i.mail == 'x')", {"body": (("items",),)}),
    ("body.title.startsWith('a')", {"body": (("title",),)}),
    ("body == {'a': 1}", {"body": ((),)}),
    ("body.items[0].mail == 'x'", {"body": (("items",),)}),
    ("body['order'].id == 1", {"body": (("order", "id"),)}),
    (r"body['or\x64er'].id == 1", {"body": ((),)}),
    ("has(body.mail) && body.n > 1", {"body": (("",), ("n",))}),
    ("has(body.a.mail)", {"body": (("a", ""),)}),
    ("has(body.a[0].mail)", {"body": (("a",),)}),
    ("size(body.a) > 1", {"body": (("a",),)}),
    ("http.query['q'][0] == 'x'", {"http.query": (("q",),)}),
    ("http.headers['x-mail'][0] == 'x'", {"http.headers": (("x-mail",),)}),
    ("'body.mail' == http.path", {"http.path": ((),)}),
    ("agent.claims.team == 'a' // body.mail", {"agent.claims": (("team",),)}),
    (".body.mail == 'x' && body.a == 1", {"body": ((),)}),
    ("[body.a][0] == 1", {"body": (("a",),)}),
    ("(body).a == 1", {"body": ((),)}),
    ("body . a == 1", {"body": (("a",),)}),
    ("true ? body.a == 1 : body.b == 2", {"body": (("a",), ("b",))}),
]


@pytest.mark.parametrize(("source", "wanted"), CASES)
def test_reads(source: str, wanted: dict[str, tuple[tuple[str, ...], ...]]) -> None:
    """By variable, the places in it."""
    expression = Environment.for_family(Family.HTTP).compile(source)
    assert {name: tuple(sorted(places)) for name, places in reads(expression).items()} == wanted


def test_dotted_variables() -> None:
    """A fact of a cluster is a variable of its own; its keys are places in it."""
    expression = Environment.for_family(Family.KUBERNETES).compile("k8s.labels['app'] == 'x' && k8s.replicas > 3")
    assert dict(reads(expression)) == {"k8s.labels": (("app",),), "k8s.replicas": ((),)}
