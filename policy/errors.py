"""The exceptions of Gatehold.

::

    GateholdError                   nobody raises it itself
    ├── ConfigurationError          the configuration cannot be used: every problem, with file and line
    └── Refusal                     this call is not forwarded: code, public detail, private reason

A ``Refusal`` is how every stage says no; the addon layer turns it into the answer of the target's family. Anything
else that is raised while a call is governed is a fault of the gateway, and refuses the call as ``gateway-error``.
"""

from policy.codes import ANSWERS, Answer, Code
from policy.model import Problem


class GateholdError(Exception):
    """Root of all exceptions of this project."""


class ConfigurationError(GateholdError):
    """The configuration cannot be used."""

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, where: str, message: str) -> "ConfigurationError":
        """One problem that belongs to no line of a file: a command line, a directory, an environment."""
        return cls([Problem(file=where, line=0, message=message)])


class Refusal(GateholdError):
    """This call is not forwarded.

    ``detail`` is told to the agent; ``reason`` goes to the audit trail only and must still hold no secret.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the answer
        self,
        code: Code,
        detail: str = "",
        *,
        reason: str = "",
        rule: str | None = None,
        retry_after: int | None = None,
        approval: str | None = None,
    ) -> None:
        self.code = code
        self.detail = detail or ANSWERS[code].title
        self.reason = reason or self.detail
        self.rule = rule
        self.retry_after = retry_after
        self.approval = approval
        super().__init__(f"{code}: {self.reason}")

    @property
    def answer(self) -> Answer:
        """The HTTP answer that this refusal's code stands for."""
        return ANSWERS[self.code]
