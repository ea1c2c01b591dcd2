"""Bodies of several parts: each part by its type, charset, transfer encoding and name."""

import base64
from collections.abc import Callable

import pytest

from masking.content import read_content_type
from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.plan import Plan
from masking.worker import Worker


@pytest.fixture(scope="module")
def worker(make_plan: Callable[..., Plan]) -> Worker:
    return Worker(make_plan("pii", "secrets"))


def body(*parts: tuple[str, bytes], boundary: str = "X") -> bytes:
    pieces = [
        f"--{boundary}\r\n{head}{'\r\n' if head else ''}\r\n".encode() + content + b"\r\n" for head, content in parts
    ]
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


def masked(worker: Worker, octets: bytes) -> bytes:
    text = octets.decode("latin-1")
    edits = worker.edits(text, read_content_type("multipart/form-data; boundary=X"))
    return apply(text, merge(edits)).encode("latin-1")


def named(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


JSON = "Content-Type: application/json"


@pytest.mark.parametrize(
    ("head", "content", "want"),
    [
        (named("password"), b"hunter2", b"<SECRET>"),
        (named("user[password]"), b"hunter2", b"<SECRET>"),
        (named("phone"), b"212-555-5555", b"<PHONE_NUMBER>"),
        (named("a"), "é a@example.com é b@example.com".encode(), "é <EMAIL_ADDRESS> é <EMAIL_ADDRESS>".encode()),
        (f"{named('a')}\r\nContent-Type: text/plain; charset=latin-1", b"\xe9 a@example.com", b"\xe9 <EMAIL_ADDRESS>"),
        (JSON, '{"é":"b@example.com","ssn":"x"}'.encode(), '{"é":"<EMAIL_ADDRESS>","ssn":"<US_SSN>"}'.encode()),
        (f"{named('password')}\r\n{JSON}", b'{"a": 1}', b'"<SECRET>"'),
        ("Content-Type: text/csv", b"ssn,a\n1,2", b"ssn,a\n<US_SSN>,2"),
        ("Content-Type: text/xml", b"\xef\xbb\xbf<ssn>1</ssn>", b"\xef\xbb\xbf<ssn>&lt;US_SSN&gt;</ssn>"),
        ("Content-Type: application/x-www-form-urlencoded", b"ssn=1", b"ssn=%3CUS_SSN%3E"),
        ("Content-Transfer-Encoding: base64", base64.b64encode(b"x a@example.com"), base64.b64encode(b"x <EMAIL_ADDRESS>")),
        ("Content-Transfer-Encoding: quoted-printable", b"=C3=A9 a=40exam=\r\nple.com", b"=C3=A9 <EMAIL_ADDRESS>"),
        ("Content-Type: multipart/mixed; boundary=Y", body(("", b"a@example.com"), boundary="Y"), body(("", b"<EMAIL_ADDRESS>"), boundary="Y")),
        ("X-Api-Key: k", b"x", None),
    ],
)  # fmt: skip
def test_parts(worker: Worker, head: str, content: bytes, want: bytes | None) -> None:
    """What is hidden, and that the rest stays; once is enough."""
    expected = body((head.replace("Key: k", "Key: <SECRET>"), content if want is None else want))
    assert masked(worker, body((head, content))) == expected
    assert masked(worker, expected) == expected


def test_file_names_are_judged(worker: Worker) -> None:
    """In quotes they can be replaced; elsewhere they cannot."""
    assert masked(worker, body((named("f", '; filename="bob@example.com"'), b"x"))) == (
        body((named("f", '; filename="<EMAIL_ADDRESS>"'), b"x"))
    )
    for name in ("filename=bob@example.com", "filename*=utf-8''bob%40example.com"):
        with pytest.raises(Unmaskable, match="name"):
            masked(worker, body((named("f", f"; {name}"), b"x")))


@pytest.mark.parametrize(
    ("head", "content"),
    [
        (named("bob@example.com"), b"x"),
        ("Content-Type: image/png", b"x"),
        ('Content-Type: text/plain; name="bob@example.com"', b"x"),
        ("Content-Type: application/octet-stream", b"x"),
        ("Content-Type: text/plain", b"\x89PNG"),
        ("Content-Type: text/plain; charset=utf-16", b"x"),
        ("Content-Type: text/plain", b"\xff"),
        ("Content-Type: application/json", b"{"),
        (f"{named('password')}\r\nContent-Type: text/csv", b"a,b"),
        ("Content-Transfer-Encoding: x-unknown", b"x"),
        ("Content-Transfer-Encoding: base64\r\nContent-Type: text/plain", base64.b64encode(b"%PDF-1.7")),
        ("Content-Type: multipart/mixed", b"x"),
        ("Content-Type: multipart/byteranges; boundary=Y", b"--Y\r\n\r\nx\r\n--Y--"),
        ("Content-Type: multipart/mixed; boundary=XY", body(("", b"x"), boundary="XY")),
    ],
)
def test_what_a_part_cannot_have_is_refused(worker: Worker, head: str, content: bytes) -> None:
    """As if it stood alone."""
    with pytest.raises(Unmaskable):
        masked(worker, body((head, content)))


def test_deep_nesting_is_refused(worker: Worker) -> None:
    """Bodies in bodies are looked into, but not without end."""
    inner = body(("", b"x"), boundary="Y0")
    for depth in range(1, 6):
        inner = body((f"Content-Type: multipart/mixed; boundary=Y{depth - 1}", inner), boundary=f"Y{depth}")
    with pytest.raises(Unmaskable, match="deeply"):
        masked(worker, body(("Content-Type: multipart/mixed; boundary=Y5", inner)))
