"""Conditions and messages in rules: the Common Expression Language, checked at load, evaluated without surprises.

The engine below is Google's (``cel_expr_python``). Its sharp edges are covered here, so that nothing else in the
project touches it:

1. A failed evaluation comes back as a value whose content is a truthy text. An outcome is therefore one of three
   words, and ``MATCH`` only where the value is of type bool and is ``True``.
2. Deeply nested values crash the process. Values are measured before the engine sees them.
3. The interpreter lock is held while it runs. Expressions are short, and loops in them are bounded by the engine;
   large values can be left where they are, in another process (``Elsewhere``).
4. Functions written in Python leak their arguments. ``glob`` and ``cidr`` are therefore rewritten to CEL's own.

Unknown is not false: what was not bound makes the outcome ``ERROR`` wherever the answer depends on it. ``x || true``
is true for every x and ``x && false`` is false, known or not; nothing else swallows an unknown.
"""

from policy.expressions.activation import MAX_DEPTH, Activation
from policy.expressions.elsewhere import Elsewhere
from policy.expressions.environment import MAX_SOURCE, Environment, Expression
from policy.expressions.errors import ExpressionError
from policy.expressions.lint import warnings
from policy.expressions.outcome import Evaluation, Outcome

__all__ = [
    "MAX_DEPTH",
    "MAX_SOURCE",
    "Activation",
    "Elsewhere",
    "Environment",
    "Evaluation",
    "Expression",
    "ExpressionError",
    "Outcome",
    "warnings",
]
