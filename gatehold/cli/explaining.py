"""What the policy says of calls that nobody made, read from files and shown to people: ``gatehold policy explain``."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import typer

from gatehold.approvals.rendering import fact, visible
from gatehold.cli.output import print_table
from gatehold.explaining import Explainer, HypotheticalCall, InvalidCallError, only_issuer
from policy.model import Agent

__all__ = ["FileExplainer", "InvalidCallError", "only_issuer"]

_MEDIA_TYPES = {".json": "application/json", ".yaml": "application/yaml", ".yml": "application/yaml"}


class FileExplainer(Explainer):
    """Explains calls whose parts stand in files."""

    def call_with_file(
        self, target: str, method: str, path: str, *, agent: Agent, headers: Sequence[str], body: Path | None
    ) -> HypotheticalCall:
        """A call as the command line describes it. Raises ``InvalidCallError`` and ``OSError``."""
        content = b""
        if body is not None:
            with _opened(body) as file:
                content = file.read()
        media_type = None if body is None else _MEDIA_TYPES.get(body.suffix)
        return self.call(target, method, path, agent=agent, headers=headers, body=content, media_type=media_type)

    def explain_file(self, path: Path) -> None:
        """One line of JSON for each line of ``path``, in order. Raises ``InvalidCallError`` at the first bad line."""
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    sys.stdout.write(json.dumps(self._answer(line, f"{path}:{number}")) + "\n")

    def show(self, explanation: Mapping[str, Any]) -> None:
        """An explanation for people."""
        rule = f" by {explanation['rule']}" if explanation["rule"] else ""
        typer.echo(visible(f"{explanation['verdict']} ({explanation['code']}){rule}"))
        for key in ("reason", "detail"):
            if explanation[key]:
                typer.echo(f"{key}: {visible(explanation[key])}")
        if explanation.get("wanted"):
            looks = ", ".join(explanation["wanted"])
            typer.echo(f"wanted: {looks} (a running gateway would look at these objects, and decide again)")
        for title in ("obligations", "action"):
            for key, value in explanation[title].items():
                if value not in (None, "", [], {}):
                    typer.echo(f"{title}.{key}: {fact(value)}")
        if explanation["trace"]:
            typer.echo()
            print_table(("RULE", "EFFECT", "OUTCOME", "BECAUSE"), [_step(step) for step in explanation["trace"]])

    def _answer(self, line: bytes, place: str) -> dict[str, Any]:
        try:
            return self.decide(self.row(json.loads(line)))
        except (ValueError, RecursionError):
            raise InvalidCallError(f"{place}: not JSON") from None
        except InvalidCallError as error:
            raise InvalidCallError(f"{place}: {error}") from None


def _step(step: Mapping[str, Any]) -> list[str]:
    reasons = [f"{each['selector']}: wants {fact(each['wanted'])}, got {fact(each['got'])}" for each in step["failed"]]
    effect = step["effect"] if step["mode"] == "enforce" else f"{step['effect']} (shadow)"
    return [step["rule"], effect, step["outcome"], "; ".join([*reasons, *filter(None, [step["detail"]])])]


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if str(path) == "-":
        yield sys.stdin.buffer
    else:
        with path.open("rb") as file:
            yield file
