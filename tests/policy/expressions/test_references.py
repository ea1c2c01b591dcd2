"""The names in a serialised expression are those that it cannot be compiled without."""

from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from policy.expressions.references import names_in

NAMES = ("a.x", "a.y", "b", "c.d")
VARIABLES = dict.fromkeys(NAMES, cel.Type.DYN)
ENVIRONMENT = cel.NewEnv(variables=VARIABLES)
WITHOUT = {name: cel.NewEnv(variables={other: cel.Type.DYN for other in NAMES if other != name}) for name in NAMES}

operands = st.sampled_from([*NAMES, "'a.x'", "'b'", "b.x", "a.x.y", "[1, 2].map(q, q)", "1"])


def compiles(environment: cel.Env, source: str) -> bool:
    try:
        environment.compile(source)
    except RuntimeError:
        return False
    return True


@given(st.lists(operands, min_size=1, max_size=5))
def test_names_are_those_that_must_be_declared(parts: list[str]) -> None:
    """The differential oracle: take one declaration away and see whether it still compiles."""
    source = f"[{', '.join(parts)}].size() > 1"
    found = names_in(ENVIRONMENT.compile(source).serialize()) & set(NAMES)
    assert found == {name for name in NAMES if not compiles(WITHOUT[name], source)}
