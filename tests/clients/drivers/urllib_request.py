"""The standard library's urllib.request."""

from tests.clients.client import Client

CLIENT = Client(
    name="urllib",
    language="python",
    example="""import json
from urllib.error import HTTPError
from urllib.request import urlopen

try:
    with urlopen("https://crm.corp.example/customers/1", timeout=90) as answer:
        print(json.load(answer)["email"])
except HTTPError as error:
    raise SystemExit(f"{error}: {error.read().decode()}") from None
""",
    outer="in the open",
    outer_told="no: it sends the token in the open, and is refused",
)
