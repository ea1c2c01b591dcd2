"""``glob`` and ``cidr`` say what they seem to say."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.expressions import Environment, ExpressionError, Outcome
from policy.expressions.functions import expand
from policy.model import Family
from policy.rules.selectors import glob_matches

HTTP = Environment.for_family(Family.HTTP)
AT_RUN_TIME = HTTP.compile("glob(http.path, agent.subject)")


def holds(source: str, **values: object) -> Outcome:
    return HTTP.compile(source).test(
        HTTP.activation({name.replace("__", "."): value for name, value in values.items()})
    )


texts = st.text(st.sampled_from("ab*.?\\EQ\n/éd+[("), max_size=8)


@given(texts, texts)
def test_a_glob_means_the_same_as_in_a_selector(text: str, pattern: str) -> None:
    """Written out or computed, with any character in text and pattern."""
    wanted = Outcome.MATCH if glob_matches(pattern, text) else Outcome.NO_MATCH
    literal = "'" + pattern.replace("\\", "\\\\").replace("\n", "\\n") + "'"
    assert holds(f"glob(http.path, {literal})", http__path=text) is wanted
    values = {"http.path": text, "agent.subject": pattern}
    assert AT_RUN_TIME.test(HTTP.activation(values)) is wanted


@pytest.mark.parametrize(
    ("source", "expanded"),
    [
        ("glob(a, 'dev-*')", '((a).startsWith("dev-"))'),
        ('glob(a, "*-team")', '((a).endsWith("-team"))'),
        ("glob(a, 'x*y')", '((a).matches("^(?s:x.*y)$"))'),
        ("'glob(a, 1)' == a // glob(a, 'x')", "'glob(a, 1)' == a // glob(a, 'x')"),
        ("a.exists(glob, glob == 'x')", "a.exists(glob, glob == 'x')"),
        ("!glob(f(a, [1, 2]), r'\\d*') && b", '!((f(a, [1, 2])).startsWith("\\\\d")) && b'),
        ("globe(a, 'b') == mycidr(c)", "globe(a, 'b') == mycidr(c)"),
    ],
)
def test_calls_are_written_out_where_they_are_calls(source: str, expanded: str) -> None:
    assert expand(source) == expanded


def test_calls_within_calls_are_written_out() -> None:
    source = "glob(glob(http.path, 'a*') ? 'yes' : 'no', glob(http.method, 'G*') ? 'y*' : 'n*')"
    assert holds(source, http__path="ab", http__method="GET") is Outcome.MATCH
    assert holds(source, http__path="b", http__method="GET") is Outcome.NO_MATCH


@pytest.mark.parametrize(
    "source",
    [
        "glob(1, 'a')",
        "glob()",
        "glob(http.path)",
        "glob(http.path, 1)",
        "glob(http.path, 'a', 'b')",
        "http.path.glob('a')",
        ".glob(http.path, 'a')",
        "cidr(1, '10.0.0.0/8')",
        "cidr(http.path, agent.subject)",
        "cidr(http.path, '10.0.0.1/8')",
        "cidr(http.path, 'all')",
        "cidr(http.path, '::/0')",
        "cidr(http.path, '::ffff:10.0.0.0/104')",
    ],
)
def test_wrong_calls_are_refused_at_load(source: str) -> None:
    with pytest.raises(ExpressionError):
        HTTP.compile(source)


def test_a_glob_of_no_text_is_an_error() -> None:
    assert holds("glob(body.x, 'a*')", body={"x": 1}) is Outcome.ERROR
    assert holds("glob(body.x, body.y)", body={"x": "a", "y": None}) is Outcome.ERROR


@pytest.mark.parametrize(
    ("address", "net", "wanted"),
    [
        ("10.1.2.3", "10.0.0.0/8", "match"),
        ("11.1.2.3", "10.0.0.0/8", "no-match"),
        ("2001:db8::1", "10.0.0.0/8", "no-match"),
        ("2001:DB8:0:0::1", "2001:db8::/32", "match"),
        ("192.0.2.1", "2001:db8::/32", "no-match"),
        ("010.1.2.3", "10.0.0.0/8", "error"),
        ("10.1", "10.0.0.0/8", "error"),
        ("10.1.2.3 ", "10.0.0.0/8", "error"),
        ("10.1.2.3/32", "10.0.0.0/8", "error"),
        ("::ffff:10.1.2.3", "10.0.0.0/8", "error"),
        ("::ffff:a01:203", "10.0.0.0/8", "error"),
        ("0:0::0:ffff:a01:203", "2001:db8::/32", "error"),
        ("fe80::1%eth0", "fe80::/10", "error"),
        ("", "10.0.0.0/8", "error"),
    ],
)
def test_a_cidr_knows_inside_outside_and_nonsense(address: str, net: str, wanted: str) -> None:
    """What is no plain address is neither inside nor outside: a wall that asks must not be walked around."""
    assert holds(f"cidr(http.path, '{net}')", http__path=address) is Outcome(wanted)
    assert holds(f"!cidr(http.path, '{net}') && false", http__path=address) is Outcome.NO_MATCH


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_cidr_holds_its_own_addresses(address: ipaddress.IPv4Address, bits: int) -> None:
    net = ipaddress.ip_network((address, bits), strict=False)
    assert holds(f"cidr(http.path, '{net}')", http__path=str(address)) is Outcome.MATCH
