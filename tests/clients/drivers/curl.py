"""curl."""

from tests.clients.client import Client

CLIENT = Client(
    name="curl",
    language="sh",
    example="curl --silent --show-error --fail-with-body --location https://crm.corp.example/customers/1\n",
    outer_needs=("--silent", '--proxy-cacert "$SSL_CERT_FILE" --silent'),
    outer_told="with `--proxy-cacert`",
    programs=("curl",),
)
