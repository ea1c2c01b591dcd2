"""A package for pip and uv, and one for npm, as their indexes serve them."""

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from functools import cache

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

WHEEL = "shop_probe-1.0-py3-none-any.whl"
_INFO = "shop_probe-1.0.dist-info"


@cache
def wheel() -> bytes:
    """A wheel with one module."""
    files = {
        "shop_probe.py": "",
        f"{_INFO}/METADATA": "Metadata-Version: 2.1\nName: shop-probe\nVersion: 1.0\n",
        f"{_INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{_INFO}/RECORD": f"shop_probe.py,,\n{_INFO}/METADATA,,\n{_INFO}/WHEEL,,\n{_INFO}/RECORD,,\n",
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


@cache
def tarball() -> bytes:
    """An npm package without code."""
    made, content = io.BytesIO(), json.dumps({"name": "shop-probe", "version": "1.0.0"}).encode()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


async def index(_: Request) -> Response:
    """The page of a package (PEP 503)."""
    digest = hashlib.sha256(wheel()).hexdigest()
    return HTMLResponse(
        f'<!DOCTYPE html><html><body><a href="/files/{WHEEL}#sha256={digest}">{WHEEL}</a></body></html>'
    )


async def wheel_file(_: Request) -> Response:
    """The wheel that the page names."""
    return Response(wheel(), media_type="application/octet-stream")


async def document(_: Request) -> Response:
    """What npm asks for: the package's versions. The author has an address to be masked."""
    integrity = base64.b64encode(hashlib.sha512(tarball()).digest()).decode()
    address = "https://npm.corp.example/shop-probe/-/shop-probe-1.0.0.tgz"
    version = {
        "name": "shop-probe",
        "version": "1.0.0",
        "author": {"name": "Shop", "email": "customer1.ana@example.com"},
        "dist": {"tarball": address, "integrity": f"sha512-{integrity}"},
    }
    return JSONResponse({"name": "shop-probe", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}})


async def tarball_file(_: Request) -> Response:
    """The tarball that the document names."""
    return Response(tarball(), media_type="application/octet-stream")
