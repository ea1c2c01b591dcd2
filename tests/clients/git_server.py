"""A repository with one commit, and git's own server for smart HTTP."""

import os
import subprocess
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from tests.e2e.harness import clean_environment


def make_repository(directory: Path, git: str) -> Path:
    """A bare repository ``shop.git`` with a README; the directory it lies in."""
    work, bare = directory / "work", directory / "repositories" / "shop.git"
    work.mkdir(parents=True)
    (work / "README").write_text("shop\n")
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@corp.example")
    for command in (
        ["init", "--quiet", str(work)],
        ["-C", str(work), "add", "README"],
        ["-C", str(work), *identity, "commit", "--quiet", "-m", "first"],
        ["clone", "--quiet", "--bare", str(work), str(bare)],
    ):
        subprocess.run([git, *command], check=True, env=clean_environment(HOME=str(directory)), timeout=30)
    return bare.parent


async def answer(request: Request, git: str, repositories: Path) -> Response:
    """What ``git http-backend`` says."""
    body = await request.body()
    environment = {
        "GIT_PROJECT_ROOT": str(repositories),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH": os.environ["PATH"],
        "PATH_INFO": request.url.path,
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    done = subprocess.run(  # noqa: ASYNC221 - one client, one request at a time
        [git, "http-backend"], input=body, capture_output=True, env=environment, timeout=30, check=True
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status_code=status, headers=headers)
