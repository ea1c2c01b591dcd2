"""git over smart HTTP."""

from tests.clients.client import Client

CLIENT = Client(
    name="git",
    language="sh",
    example="git clone https://git.corp.example/shop.git clone && ls clone\n",
    answer="README",
    refused=("shop.git clone", "forbidden.git clone"),
    refusal=r"403",
    refusal_told="403",
    moved=("git.corp.example", "{}.corp.example"),
    programs=("git",),
)
