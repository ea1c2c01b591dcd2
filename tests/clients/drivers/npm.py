"""npm with a registry behind the gateway."""

from tests.clients.client import Client

CLIENT = Client(
    name="npm",
    language="sh",
    example="""npm view --registry=https://npm.corp.example/ shop-probe author
npm install --registry=https://npm.corp.example/ --no-audit --no-fund shop-probe && ls node_modules
""",
    answer="shop-probe",
    refused=("npm.corp.example/", "npm.corp.example/forbidden/"),
    refusal=r"403",
    refusal_told="403",
    moved=("npm.corp.example", "{}.corp.example"),
    programs=("node", "npm"),
)
