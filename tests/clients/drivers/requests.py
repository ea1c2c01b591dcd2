"""requests."""

from tests.clients.client import Client

CLIENT = Client(
    name="requests",
    language="python",
    example="""import requests

answer = requests.get("https://crm.corp.example/customers/1", timeout=90)
if not answer.ok:
    raise SystemExit(answer.text)
print(answer.json()["email"])
""",
)
