"""What is allowed in an expression but unwise."""

from policy.expressions.tokens import Call, Token, calls, tokenize

_LOOPS = frozenset(("map", "filter", "all", "exists", "exists_one"))


def warnings(source: str) -> tuple[str, ...]:
    """Advice on an expression that compiles; empty where there is none."""
    loops = [call for call in calls(tokenize(source)) if call.member and call.name in _LOOPS]
    found = []
    if any(call.name == "map" and _joins(call) for call in loops):
        found.append("`+` inside map() lets texts grow with the request; join outside of it")
    if any(_inside(call, other) for call in loops for other in loops):
        found.append("a loop within a loop takes time with the square of the request's size")
    return tuple(found)


def _joins(call: Call) -> bool:
    transform: tuple[Token, ...] = call.arguments[-1] if call.arguments else ()
    return any(token.text == "+" for token in transform)


def _inside(call: Call, other: Call) -> bool:
    return other.start < call.start and call.end <= other.end and call.start < other.end
