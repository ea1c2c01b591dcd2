"""uv with an index behind the gateway."""

from tests.clients.client import Client

CLIENT = Client(
    name="uv",
    language="sh",
    example="uv pip install --no-deps --target packages --index-url https://pypi.corp.example/simple/ shop-probe && ls packages\n",
    answer="shop_probe",
    refused=("/simple/", "/forbidden/"),
    refusal=r"403",
    refusal_told="403",
    moved=("pypi.corp.example", "{}.corp.example"),
    programs=("uv",),
)
