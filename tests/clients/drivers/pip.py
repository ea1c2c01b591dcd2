"""pip with an index behind the gateway."""

from tests.clients.client import Client

CLIENT = Client(
    name="pip",
    language="sh",
    example="pip download --no-deps --index-url https://pypi.corp.example/simple/ shop-probe && ls\n",
    answer="shop_probe-1.0-py3-none-any.whl",
    refused=(
        "download --no-deps --index-url https://pypi.corp.example/simple/",
        "download -vv --no-deps --index-url https://pypi.corp.example/forbidden/",
    ),
    refusal=r"403 Client Error",
    refusal_told="403, with `-vv` only",
    moved=("pypi.corp.example", "{}.corp.example"),
    programs=("pip",),
)
