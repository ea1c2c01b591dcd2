"""Law: an installation token is asked for by a short JWT of the App's, limited to what the configuration names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatehold.config.credential_sources import GitHubAppSpec
from gatehold.credentials.github_app import GitHubAppSource
from gatehold.credentials.sources import CredentialDelayed
from gatehold.demo.serving import RunningServer, serve
from tests.gatehold.credentials.clocks import Clock
from tests.gatehold.credentials.doubles.github import GitHubDouble

type Make = Callable[..., GitHubAppSource]


@pytest.fixture
def github(clock: Clock, tmp_path: Path) -> GitHubDouble:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (tmp_path / "app.pem").write_bytes(pem)
    return GitHubDouble(key=key.public_key(), clock=clock)


@pytest.fixture
def running(github: GitHubDouble) -> Iterator[RunningServer]:
    with serve(github.app()) as running:
        yield running


@pytest.fixture
def make(running: RunningServer, clock: Clock, tmp_path: Path) -> Make:
    def source(**keys: Any) -> GitHubAppSource:
        document = {
            "appId": "Iv1.planted", "installationId": 4711, "privateKey": "app.pem", "apiUrl": f"{running.url}/api/v3",
        } | keys  # fmt: skip
        return GitHubAppSource(GitHubAppSpec.model_validate(document, context={"base": str(tmp_path)}), clock)

    return source


async def test_a_token_for_an_hour(make: Make, github: GitHubDouble, clock: Clock) -> None:
    """As long as GitHub says; all of the installation where nothing less is named."""
    fields = await make().obtain(None)
    assert fields.values["token"].reveal().startswith("ghs_planted")
    assert fields.expires_at == clock.now + 3600
    assert github.asked == [{}]
    assert "ghs_" not in repr(fields)


async def test_no_more_than_is_named(make: Make, github: GitHubDouble) -> None:
    """Repositories and permissions."""
    await make(repositories=["gate"], permissions={"contents": "read"}).obtain(None)
    assert github.asked == [{"repositories": ["gate"], "permissions": {"contents": "read"}}]


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"appId": "Iv1.other"}, 401),
        ({"installationId": 1}, 404),
        ({"repositories": ["other"]}, 422),
        ({"permissions": {"contents": "write"}}, 422),
    ],
)
async def test_what_github_refuses(make: Make, keys: dict[str, Any], status: int) -> None:
    """Told by host and status."""
    with pytest.raises(CredentialDelayed, match=f"answers {status}$"):
        await make(**keys).obtain(None)


@pytest.mark.parametrize("more", [{"token": ""}, {"token": 1}, {"expires_at": "soon"}, {"expires_at": 1}])
async def test_an_answer_that_is_none(make: Make, github: GitHubDouble, more: dict[str, Any]) -> None:
    """A token without an end is no installation token."""
    github.more = more
    with pytest.raises(CredentialDelayed, match="its answer is no installation token"):
        await make().obtain(None)
