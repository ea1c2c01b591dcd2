"""wget, as Debian builds it: with GnuTLS, which reads no variable for its authorities."""

from tests.clients.client import Client

CLIENT = Client(
    name="wget",
    language="sh",
    example='wget --no-verbose --content-on-error --ca-certificate="$SSL_CERT_FILE" --output-document=- https://crm.corp.example/customers/1\n',
    needs="`--ca-certificate`",
    note="Built with GnuTLS it reads no variable for its authorities, so it is told.",
    outer="in the open",
    outer_told="no: it sends the token in the open, and is refused",
    programs=("wget",),
)
