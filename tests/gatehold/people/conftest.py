"""A store with people in it, and a clock that tests set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatehold.config.console import OidcSpec, SessionSpec
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store, open_store, outbox
from gatehold.store.users import add_user
from tests.postgres import cleared


@dataclass
class Clock:
    """Says what it was told."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """With ``ada`` of ``sre`` and ``bob`` of nothing."""
    url = cleared(request.getfixturevalue("postgres")) if request.param == "postgresql" else "sqlite"
    with open_store(url, tmp_path / "data") as opened:
        with opened.writing() as connection:
            add_user(connection, "ada", ["sre"], by="os:root", now=1.0)
            add_user(connection, "bob", [], by="os:root", now=1.0)
        forget_events(opened)
        yield opened


@pytest.fixture
def sessions(store: Store, clock: Clock) -> WebSessions:
    return WebSessions(store, SessionSpec.model_validate({"max": "12h", "idle": "1h"}), clock)


@pytest.fixture
def oidc() -> OidcSpec:
    return OidcSpec.model_validate(
        {"issuer": "https://idp.example", "clientId": "gatehold", "clientSecret": "s3cret", "allow": ["sre", "on-*"]}
    )


def forget_events(store: Store) -> None:
    """As if all events so far were in the journal."""
    outbox.done(store, [waiting.id for waiting in outbox.waiting(store)])


def events(store: Store) -> list[dict[str, object]]:
    """What waits for the journal."""
    return [dict(waiting.event) for waiting in outbox.waiting(store)]
