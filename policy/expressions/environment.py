"""Compiling an expression for one family, and evaluating it for one call."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Self

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from policy.expressions.activation import Activation
from policy.expressions.declarations import BODY_VARIABLES, variables
from policy.expressions.elsewhere import Elsewhere
from policy.expressions.errors import ExpressionError, readable
from policy.expressions.functions import FUNCTIONS, declarations, expand
from policy.expressions.outcome import Evaluation, Outcome, describe
from policy.expressions.references import names_in
from policy.expressions.tokens import calls, tokenize
from policy.model import Family

MAX_SOURCE = 1024
"""Bytes of UTF-8."""
MAX_TEXT = 2000
"""Characters of a computed text."""

_MATCH = Evaluation(outcome=Outcome.MATCH)
_NO_MATCH = Evaluation(outcome=Outcome.NO_MATCH)
_FAILURES = (RuntimeError, TypeError, ValueError, OverflowError)
_RESULTS = {"bool": cel.Type.BOOL, "string": cel.Type.STRING}


class Expression:
    """A compiled expression; evaluating it changes nothing, in it or elsewhere."""

    __slots__ = ("_program", "_written_out", "needs_body", "source", "variables")

    def __init__(self, source: str, program: cel.Expression, names: frozenset[str], written_out: str) -> None:
        self.source = source
        self._written_out = written_out
        self._program = program
        self.variables = names
        """The declared variables that it reads."""
        self.needs_body = not names.isdisjoint(BODY_VARIABLES)
        """Whether one of them may come from the request's body."""

    def __repr__(self) -> str:
        return f"<Expression {self.source!r}>"

    def test(self, activation: Activation) -> Outcome:
        """The outcome alone, which is all that a decision needs."""
        if elsewhere := self._elsewhere(activation):
            return elsewhere.evaluate(self.source, activation.here(self.variables)).outcome
        try:
            value = self._program.eval(activation.engine)
            if value.type() == cel.Type.BOOL:
                return Outcome.MATCH if value.value() is True else Outcome.NO_MATCH
        except _FAILURES:
            pass
        return Outcome.ERROR

    def evaluate(self, activation: Activation) -> Evaluation:
        """The outcome, with what to tell the audit trail where it is an error."""
        if elsewhere := self._elsewhere(activation):
            return elsewhere.evaluate(self.source, activation.here(self.variables))
        try:
            value = self._program.eval(activation.engine)
            kind, content = value.type(), value.value()
        except _FAILURES as error:
            return self._error(str(error), activation)
        if kind == cel.Type.BOOL:
            return _MATCH if content is True else _NO_MATCH
        if kind == cel.Type.ERROR:
            return self._error(str(content), activation)
        return Evaluation(outcome=Outcome.ERROR, detail=f"the result is of type {kind.name().lower()}, not bool")

    def text(self, activation: Activation) -> str | None:
        """The text that it gives; None where it gives none."""
        if elsewhere := self._elsewhere(activation):
            return elsewhere.text(self.source, activation.here(self.variables))
        try:
            value = self._program.eval(activation.engine)
            return str(value.value())[:MAX_TEXT] if value.type() == cel.Type.STRING else None
        except _FAILURES:
            return None

    def _elsewhere(self, activation: Activation) -> Elsewhere | None:
        """Where a value is that this expression reads; None where all are here."""
        return next((activation.elsewhere[name] for name in self.variables & activation.elsewhere.keys()), None)

    def _error(self, message: str, activation: Activation) -> Evaluation:
        unusable = sorted(self.variables & activation.unusable.keys())
        if unusable:
            return Evaluation(outcome=Outcome.ERROR, detail=f"{unusable[0]}: {activation.unusable[unusable[0]]}")
        return Evaluation(outcome=Outcome.ERROR, detail=describe(message, self._written_out))


class Environment:
    """The variables and functions that expressions of one family may use."""

    def __init__(self, family: Family) -> None:
        self._variables = variables(family)
        self._plain = cel.NewEnv(variables=self._variables)
        self._checker = cel.NewEnv(variables=self._variables, functions=declarations())
        self._expanded = cel.NewEnv(variables=self._variables, extensions=[ext_strings.ExtStrings()])

    @classmethod
    @cache
    def for_family(cls, family: Family) -> Self:
        """The one environment of this family."""
        return cls(family)

    def compile(self, source: str, *, result: Literal["bool", "string"] = "bool") -> Expression:
        """Check and compile ``source``. Raises ``ExpressionError``.

        A result whose type is known only in evaluation is accepted, and then fails where it is of another type.
        """
        self._check_source(source)
        with_functions = any(name in source for name in FUNCTIONS)
        checked = self._compiled(self._checker if with_functions else self._plain, source)
        kind = checked.return_type()
        if kind not in (_RESULTS[result], cel.Type.DYN):
            raise ExpressionError(f"it gives a value of type {kind.name().lower()}, not {result}")
        written_out = expand(source) if with_functions else source
        program = checked if written_out == source else self._compiled(self._expanded, written_out)
        names = names_in(checked.serialize()) & self._variables.keys()
        return Expression(source, program, frozenset(names), written_out)

    def activation(self, values: Mapping[str, Any]) -> Activation:
        """Bind the variables of one call; those that are left out, or ``UNKNOWN``, stay unbound."""
        return Activation(self._plain, values)

    def _check_source(self, source: str) -> None:
        try:
            size = len(source.encode())
        except UnicodeEncodeError:
            raise ExpressionError("it is not valid Unicode") from None
        if not source.strip() or size > MAX_SOURCE:
            raise ExpressionError(f"it is longer than {MAX_SOURCE} bytes" if size > MAX_SOURCE else "it is empty")
        for call in calls(tokenize(source)) if "has" in source else ():
            # The engine takes has(k8s.dryRun) for the variable's own value.
            name = "".join(token.text for argument in call.arguments for token in argument)
            if call.name == "has" and name in self._variables:
                raise ExpressionError(f"has({name}): has is for fields of a value, and {name} is a value of its own")

    def _compiled(self, environment: cel.Env, source: str) -> cel.Expression:
        try:
            return environment.compile(source)
        except _FAILURES as error:
            raise ExpressionError(readable(str(error), self._variables)) from None
