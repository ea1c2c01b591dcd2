"""httpx2."""

from tests.clients.client import Client

CLIENT = Client(
    name="httpx2",
    language="python",
    example="""import httpx2

answer = httpx2.get("https://crm.corp.example/customers/1", timeout=90, follow_redirects=True)
if not answer.is_success:
    raise SystemExit(answer.text)
print(answer.json()["email"])
""",
)
