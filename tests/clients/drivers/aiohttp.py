"""aiohttp, which follows the environment only where it is told to."""

from tests.clients.client import Astray, Client

CLIENT = Client(
    name="aiohttp",
    language="python",
    example="""import asyncio

import aiohttp


async def main() -> None:
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.get("https://crm.corp.example/customers/1") as answer:
            text = await answer.text()
            if not answer.ok:
                raise SystemExit(text)
            print(text)


asyncio.run(main())
""",
    needs="`trust_env=True`",
    outer="past it",
    outer_told="no: it goes past the proxy",
)

ASTRAY = Astray(
    name="aiohttp without `trust_env`",
    language="python",
    program="""import asyncio

import aiohttp


async def main() -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get("ADDRESS"):
            pass


asyncio.run(main())
""",
    does="goes directly",
    why="a session reads no variable for proxies unless it is made with `trust_env=True`",
    instead="`trust_env=True`",
)
