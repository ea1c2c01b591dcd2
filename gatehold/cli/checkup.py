"""What ``gatehold doctor`` says: one item for each thing that was looked at."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

type Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing, how it is, and what to do about it."""

    check: str
    status: Status
    message: str
    """Never holds the value of a credential."""
    todo: str = ""

    def line(self, width: int) -> str:
        """For people; ``width``: of the longest name of a check."""
        status = "FAILED" if self.status == "failed" else self.status
        return f"{status:<8} {self.check:<{width}}  {self.message}{f'; {self.todo}' if self.todo else ''}"


def ok(check: str, message: str) -> Item:
    """It is as it should be."""
    return Item(check=check, status="ok", message=message)


def warning(check: str, message: str, todo: str = "") -> Item:
    """The gateway would run, but not as well as it could, or not for long."""
    return Item(check=check, status="warning", message=message, todo=todo)


def failed(check: str, message: str, todo: str = "") -> Item:
    """The gateway, or a part of it, would not work."""
    return Item(check=check, status="failed", message=message, todo=todo)


def looked_at(checks: Iterable[tuple[str, Callable[[], Iterable[Item]]]]) -> Iterator[Item]:
    """The items of all checks; one that breaks is an item itself."""
    for name, check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001  (told: a look at a broken machine must not end there)
            yield failed(
                name, f"could not be looked at: {type(error).__name__}", "this is a mistake of Gatehold: tell it"
            )
