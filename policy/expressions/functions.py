"""``glob(s, p)`` and ``cidr(ip, net)``, written out in terms of CEL's own ``matches``.

A function written in Python would be called back from the engine, and the binding never gives its arguments free: an
agent that chooses a long path could fill the memory. So a call is replaced in the source, before the program is made:

    glob(s, "dev-*")              s.startsWith("dev-")
    glob(s, "*-team-*")           s.matches("^(?s:.*-team-.*)$")
    glob(s, p)                    the same, with p quoted while it is evaluated
    cidr(ip, "10.0.0.0/8")        ip in the net ? true : ip another address ? false : an error

``*`` is any run of characters; a net is a literal. What is no plain IPv4 or IPv6 address is an error rather than
outside of every net; so is an IPv4 address in the clothes of IPv6, which a net of either kind would miss.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Sequence

from cel_expr_python import cel

from policy.expressions import networks
from policy.expressions.errors import ExpressionError
from policy.expressions.tokens import Call, Token, calls, tokenize


def declarations() -> list[cel.FunctionDecl]:
    """The functions for the type checker; there is nothing behind them."""
    text = cel.Type.STRING
    return [
        cel.FunctionDecl(
            name, [cel.Overload(f"{name}_string_string", return_type=cel.Type.BOOL, parameters=[text, text])]
        )
        for name in _WRITERS
    ]


def expand(source: str) -> str:
    """``source`` with every call written out; the same text where there is none. Raises ``ExpressionError``."""
    tokens = tokenize(source)
    pieces, at = [], 0
    for call in calls(tokens):
        if call.name in _WRITERS and call.start >= at:
            pieces += [source[at : call.start], _written_out(source, call)]
            at = call.end
    return "".join((*pieces, source[at:]))


def _written_out(source: str, call: Call) -> str:
    if call.member or len(call.arguments) != 2 or not all(call.arguments):
        raise ExpressionError(f"{call.name} is called as {call.name}(a, b)")
    first, second = call.arguments
    subject = expand(source[first[0].start : first[-1].end])
    return f"({_WRITERS[call.name](f'({subject})', second, source)})"


def _glob(subject: str, pattern: Sequence[Token], source: str) -> str:
    literal = _literal(pattern)
    if literal is None:
        written = expand(source[pattern[0].start : pattern[-1].end])
        return f"{subject}.matches({_quoted_at_run_time(written)})"
    parts = literal.split("*")
    if len(parts) == 2 and not parts[1]:
        return f"{subject}.startsWith({_text(parts[0])})"
    if len(parts) == 2 and not parts[0]:
        return f"{subject}.endsWith({_text(parts[1])})"
    return f"{subject}.matches({_text(f'^(?s:{".*".join(map(re.escape, parts))})$')})"


def _quoted_at_run_time(pattern: str) -> str:
    r"""RE2 takes text between ``\Q`` and ``\E`` as it is; only a backslash in it could end that."""
    escaped = rf"({pattern}).replace({_text('\\')}, {_text(r'\E\\\Q')}).replace({_text('*')}, {_text(r'\E.*\Q')})"
    return rf"{_text(r'^(?s:\Q')} + {escaped} + {_text(r'\E)$')}"


def _cidr(subject: str, net: Sequence[Token], _source: str) -> str:
    literal = _literal(net)
    if literal is None:
        raise ExpressionError('the network of cidr is written out, as in cidr(ip, "10.0.0.0/8")')
    try:
        inside = networks.pattern(ipaddress.ip_network(literal))
    except ValueError as error:
        raise ExpressionError(f"{literal!r} is not a network: {error}") from None

    def is_one_of(pattern: str) -> str:
        return f"{subject}.matches({_text(pattern)})"

    failure = '{"": true}["not a plain IP address"]'
    other = f"({is_one_of(networks.DISGUISED)} ? {failure} : {is_one_of(networks.IPV6)} ? false : {failure})"
    return f"{is_one_of(inside)} ? true : {is_one_of(networks.IPV4)} ? false : {other}"


def _literal(tokens: Sequence[Token]) -> str | None:
    """The text of an argument that is one string literal."""
    if len(tokens) != 1 or tokens[0].kind != "string":
        return None
    value = _PLAIN.compile(tokens[0].text).eval().value()
    return value if isinstance(value, str) else None


def _text(value: str) -> str:
    """A CEL string literal: JSON's escapes are among CEL's."""
    return json.dumps(value, ensure_ascii=False)


_PLAIN = cel.NewEnv()
_WRITERS: dict[str, Callable[[str, Sequence[Token], str], str]] = {"glob": _glob, "cidr": _cidr}
FUNCTIONS = tuple(_WRITERS)
