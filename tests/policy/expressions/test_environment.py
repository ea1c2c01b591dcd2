"""What an expression may say, what is refused at load, and what comes of it in evaluation."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policy.expressions import MAX_SOURCE, Environment, ExpressionError, Outcome
from policy.expressions.declarations import BODY_VARIABLES, variables
from policy.model import UNKNOWN, Family

HTTP = Environment.for_family(Family.HTTP)
KUBERNETES = Environment.for_family(Family.KUBERNETES)


def outcome(environment: Environment, source: str, **values: Any) -> Outcome:
    """Both ways of evaluating, which must agree. ``__`` stands for a dot."""
    expression = environment.compile(source)
    activation = environment.activation({name.replace("__", "."): value for name, value in values.items()})
    found = expression.test(activation)
    assert expression.evaluate(activation).outcome is found
    return found


@pytest.mark.parametrize(
    ("source", "values", "wanted"),
    [
        ("k8s.replicas > 10 && k8s.replicas > k8s.oldReplicas", {"k8s__replicas": 12, "k8s__oldReplicas": 3}, "match"),
        (
            "k8s.replicas > 10 && k8s.replicas > k8s.oldReplicas",
            {"k8s__replicas": 12, "k8s__oldReplicas": 12},
            "no-match",
        ),
        ("'sre' in agent.groups", {"agent__groups": ("dev", "sre")}, "match"),
        (
            "agent.claims.team == k8s.labels.team",
            {"agent__claims": {"team": "a"}, "k8s__labels": {"team": "a"}},
            "match",
        ),
        ("k8s.images.all(i, glob(i, 'reg.corp/*'))", {"k8s__images": ["reg.corp/a", "evil/b"]}, "no-match"),
        ("object.spec.hostNetwork", {"object": {"spec": {"hostNetwork": True}}}, "match"),
        ("object.spec.hostNetwork", {"object": {"spec": {"hostNetwork": "yes"}}}, "error"),
        ("has(object.spec) && !has(object.spec.x)", {"object": {"spec": {}}}, "match"),
        ("oldObject == null", {"oldObject": None}, "match"),
        ("k8s.namespace.startsWith('prod')", {"k8s__namespace": "prod-1"}, "match"),
        ("object.n > 1", {"object": {"n": 2**70}}, "match"),
        ("object.n > 1", {"object": {"n": -(2**70)}}, "no-match"),
        ("object.n == 9223372036854775807", {"object": {"n": 2**63 - 1}}, "match"),
    ],
)
def test_outcomes(source: str, values: dict[str, Any], wanted: str) -> None:
    assert outcome(KUBERNETES, source, **values) is Outcome(wanted)


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("object.missing == 1", {"object": {}}),
        ("int(object.x) > 1", {"object": {"x": "no number"}}),
        ("1 / object.x > 1", {"object": {"x": 0}}),
        ("object.x == 1", {"object": None}),
        ("k8s.replicas > 1", {"k8s__replicas": "12"}),
        ("k8s.replicas > 1", {"k8s__replicas": 2**70}),
        ("timestamp(k8s.name) < now", {"k8s__name": "yesterday"}),
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9].all(a, " * 6 + "true" + ")" * 6 + " && object", {"object": "text"}),
    ],
)
def test_a_failed_evaluation_is_an_error_and_no_match(source: str, values: dict[str, Any]) -> None:
    """Edge 1: the engine hands failures out as values whose content is a truthy text."""
    assert outcome(KUBERNETES, source, **values) is Outcome.ERROR


@pytest.mark.parametrize("name", sorted(variables(Family.KUBERNETES)))
def test_an_unbound_variable_is_an_error_both_ways(name: str) -> None:
    """Unknown is not false, and not true: neither a comparison nor its negation holds."""
    for source in (f"{name} == {name}", f"!({name} == {name})", f"{name} != {name}"):
        assert outcome(KUBERNETES, source) is Outcome.ERROR
        assert outcome(KUBERNETES, source, **{name.replace(".", "__"): UNKNOWN}) is Outcome.ERROR


def test_an_unknown_is_swallowed_only_where_it_cannot_matter() -> None:
    """``||`` with true and ``&&`` with false have one value for every value of the other side."""
    assert outcome(KUBERNETES, "k8s.replicas > 1 || true") is Outcome.MATCH
    assert outcome(KUBERNETES, "k8s.replicas > 1 && false") is Outcome.NO_MATCH
    assert outcome(KUBERNETES, "k8s.replicas > 1 || false") is Outcome.ERROR
    assert outcome(KUBERNETES, "k8s.replicas > 1 && true") is Outcome.ERROR
    assert outcome(KUBERNETES, "k8s.replicas > 1 ? true : true") is Outcome.ERROR


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc80b"])
@pytest.mark.parametrize("source", ["object.x == 'a'", "object.y == 'a'", "object.exists(k, k == 'a')"])
def test_text_that_is_not_unicode_is_an_error(text: str, source: str) -> None:
    """Lone surrogates, as a value or as a key, make the engine raise."""
    assert outcome(KUBERNETES, source, object={"x": text, text: 1}) is Outcome.ERROR
    assert outcome(KUBERNETES, "k8s.name == 'a'", k8s__name=text) is Outcome.ERROR


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("k8s.replcas > 1", "undeclared reference to 'k8s.replcas'; did you mean k8s.replicas? (line 1, column 4)"),
        ("http.path == '/'", "undeclared reference to 'http.path'"),
        ("namespace == 'a'", "reserved identifier: namespace; write k8s.namespace (line 1, column 1)"),
        ("k8s.replicas +", "Syntax error"),
        ("k8s.name > 1", "found no matching overload for '_>_' applied to '(string, int)' (line 1, column 10)"),
        ("k8s.name == 'a'\n&& k8s.nam == 'b'", "did you mean k8s.name? (line 2, column 7)"),
        ("k8s.replicas", "it gives a value of type int, not bool"),
        ("'text'", "it gives a value of type string, not bool"),
        ("agent.groups", "it gives a value of type list<string>, not bool"),
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("'" + "x" * MAX_SOURCE + "' == ''", f"it is longer than {MAX_SOURCE} bytes"),
        ("'" + "é" * (MAX_SOURCE // 2) + "' == ''", f"it is longer than {MAX_SOURCE} bytes"),
        ("(" * 400 + "true" + ")" * 400, "it is nested too deeply"),
        ("k8s.name == '\ud800'", "it is not valid Unicode"),
        ("has(k8s.dryRun) && true", "has(k8s.dryRun): has is for fields of a value"),
        ("!has( k8s . force )", "has(k8s.force): has is for fields of a value"),
        ("size(x) > 1", "undeclared reference to 'x'"),
        ("k8s.name.lowerAscii() == 'a'", "undeclared reference to 'lowerAscii'"),
    ],
)
def test_what_cannot_be_right_is_refused_at_load(source: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        KUBERNETES.compile(source)
    assert said in str(caught.value)


def test_each_family_has_its_own_variables() -> None:
    HTTP.compile("http.query.id[0] == body.id")
    for source in ("k8s.name == 'a'", "object == null", "oldObject == null"):
        with pytest.raises(ExpressionError):
            HTTP.compile(source)
    with pytest.raises(ExpressionError):
        KUBERNETES.compile("body == null")


@pytest.mark.parametrize(
    ("source", "names", "needs_body"),
    [
        ("k8s.replicas > 1 && 'object' == k8s.verb", {"k8s.replicas", "k8s.verb"}, True),
        ("k8s.verb == 'object.x'", {"k8s.verb"}, False),
        ("object.x == agent.claims['k8s.name']", {"object", "agent.claims"}, True),
        ("agent.groups.exists(g, glob(g, k8s.namespace + '-*'))", {"agent.groups", "k8s.namespace"}, False),
        ("cidr(k8s.container, '10.0.0.0/8')", {"k8s.container"}, False),
        ("k8s.dryRun", {"k8s.dryRun"}, True),
        ("true", set(), False),
    ],
)
def test_it_is_known_what_an_expression_reads(source: str, names: set[str], needs_body: bool) -> None:
    expression = KUBERNETES.compile(source)
    assert expression.variables == names
    assert expression.needs_body is needs_body


def test_every_variable_of_the_body_is_declared() -> None:
    declared = variables(Family.HTTP).keys() | variables(Family.KUBERNETES).keys()
    assert declared >= BODY_VARIABLES


def test_texts() -> None:
    source = "'scale ' + k8s.namespace + '/' + k8s.name + ' to ' + string(k8s.replicas)"
    expression = KUBERNETES.compile(source, result="string")
    known = {"k8s.namespace": "prod", "k8s.name": "web", "k8s.replicas": 12}
    assert expression.text(KUBERNETES.activation(known)) == "scale prod/web to 12"
    assert expression.text(KUBERNETES.activation({"k8s.name": "web"})) is None
    assert KUBERNETES.compile("object.x", result="string").text(KUBERNETES.activation({"object": {"x": 1}})) is None
    assert (
        KUBERNETES.compile("object.x", result="string").text(KUBERNETES.activation({"object": {"x": "\ud800"}})) is None
    )
    with pytest.raises(ExpressionError, match="not string"):
        KUBERNETES.compile("k8s.replicas", result="string")


def test_a_text_is_bounded() -> None:
    expression = KUBERNETES.compile("k8s.name + k8s.name", result="string")
    text = expression.text(KUBERNETES.activation({"k8s.name": "x" * 5000}))
    assert text is not None
    assert len(text) == 2000


@pytest.mark.parametrize(
    ("source", "value", "detail"),
    [
        ("body.absent == 1", {}, "Key not found in map: absent"),
        ("body.m[body.x] == 1", {"x": "hunter2", "m": {}}, "Key not found in map"),
        ("'a'.matches(body.x)", {"x": "(hunter2"}, "invalid regular expression"),
        ("body.l[body.x] == 1", {"x": 777, "l": []}, "Index error"),
        ("body.x > 1", {"x": "\ud800hunter2"}, "a text is not valid Unicode"),
        ("body.x", {"x": "hunter2"}, "the result is of type string, not bool"),
        ("cidr(body.x, '10.0.0.0/8')", {"x": "hunter2"}, "Key not found in map: not a plain IP address"),
    ],
)
def test_a_detail_says_what_failed_but_not_the_values(source: str, value: Any, detail: str) -> None:
    """Details go to the audit trail, which holds nothing of a body."""
    found = HTTP.compile(source).evaluate(HTTP.activation({"body": value}))
    assert found.outcome is Outcome.ERROR
    assert "hunter2" not in found.detail
    assert "777" not in found.detail
    assert found.detail == detail


def test_a_detail_says_which_variable_is_missing() -> None:
    found = KUBERNETES.compile("k8s.replicas > 1").evaluate(KUBERNETES.activation({}))
    assert found.detail == "No value with name: k8s.replicas"


def test_evaluating_gives_back_what_it_took() -> None:
    """Functions implemented in Python leak their arguments in the binding; there are none."""
    expression = HTTP.compile("glob(http.path, '/a/*/b') || glob(http.path, agent.subject)")

    def evaluate(times: int) -> None:
        for number in range(times):
            values = {"http.path": f"/{number}" + "x" * 2000, "agent.subject": "*y*"}
            assert expression.test(HTTP.activation(values)) is Outcome.NO_MATCH

    evaluate(50)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    evaluate(500)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000


def test_an_outcome_has_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(Outcome.ERROR)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec=None), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
@example({"x": {"\ud800": 10**400}})
def test_no_value_makes_an_evaluation_raise(value: Any) -> None:
    """Whatever a body holds, the outcome is one of three."""
    for source in ("body.x == 1", "body == body", "body.exists(k, k == 'x')", "size(body) > 2", "body[0] == body[1]"):
        assert isinstance(outcome(HTTP, source, body=value), Outcome)


SIGNS = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "!",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    ">",
    "==",
    "!=",
    "&&",
    "||",
    "in",
    "\\",
    "//",
    "'''",
    "\n",
    "\x00",
    "é",
    "😀",
]
VALUES = [
    "true",
    "null",
    "1",
    "2.5",
    "'a'",
    '"b"',
    "r'\\d'",
    "'10.0.0.0/8'",
    "k8s.name",
    "k8s.replicas",
    "object",
    "object.x",
    "now",
    "x",
]
NAMES = ["has", "glob", "cidr", "size", "map", "all", "string"]
pieces = st.sampled_from([*SIGNS, *VALUES, *NAMES])


@settings(max_examples=300)
@given(st.lists(pieces, max_size=14).map(" ".join) | st.text(max_size=60))
def test_any_text_compiles_or_is_refused(source: str) -> None:
    """A source is an expression or an ``ExpressionError``; what compiles can be evaluated on anything."""
    try:
        expression = KUBERNETES.compile(source)
    except ExpressionError:
        return
    activation = KUBERNETES.activation({"k8s.name": "n", "k8s.replicas": 3, "object": {"x": [1]}})
    assert isinstance(expression.evaluate(activation).outcome, Outcome)
