"""The REST API with customers."""

import csv
import gzip
import io
from collections.abc import Iterator

import httpx2
import pytest

from gatehold.demo.customers import CustomersApi
from gatehold.demo.serving import serve

CREDENTIAL = "upstream-credential"


@pytest.fixture(scope="module")
def api() -> CustomersApi:
    return CustomersApi(credential=CREDENTIAL, event_interval=0.01, delay=0.01)


@pytest.fixture(scope="module")
def url(api: CustomersApi) -> Iterator[str]:
    with serve(api.app()) as server:
        yield server.url


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {CREDENTIAL}", "Accept-Encoding": "identity"}
    with httpx2.Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Basic dXA6c3RyZWFt", CREDENTIAL])
def test_demands_its_credential(url: str, authorization: str | None, api: CustomersApi) -> None:
    """Anything but the credential is 401, and is in the log all the same."""
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx2.get(f"{url}/customers?page=1", headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert [request.path for request in api.received][-1] == "/customers?page=1"


def test_reads_customers_and_orders(client: httpx2.Client) -> None:
    """Lists and single records agree; an unknown one is 404."""
    everyone = client.get("/customers").json()
    assert client.get("/customers/7").json() == everyone[6]
    assert client.get("/customers/9999").status_code == 404
    assert {"name", "email", "phone", "card", "iban", "ssn"} <= set(everyone[0])
    assert client.get("/orders").json()[0]["customer"] == 1


def test_creates_and_deletes(client: httpx2.Client, api: CustomersApi) -> None:
    """A created record comes back with an id, can be read, and is gone once deleted."""
    created = client.post("/customers", json={"name": "New Person", "email": "new@example.com"})
    assert created.status_code == 201
    where = created.headers["Location"]
    assert client.get(where).json() == {"name": "New Person", "email": "new@example.com", "id": created.json()["id"]}
    assert client.delete(where).status_code == 204
    assert client.delete(where).status_code == 404
    posted = next(request for request in api.received if request.method == "POST")
    assert b"new@example.com" in posted.body


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"text"', b"\xff"])
def test_refuses_what_is_no_record(client: httpx2.Client, body: bytes) -> None:
    """Only a JSON object becomes a customer."""
    assert client.post("/customers", content=body).status_code == 400


def test_compresses_big_answers_on_demand(client: httpx2.Client) -> None:
    """gzip comes when asked for and above 1 KiB only."""
    plain = client.get("/customers")
    assert "Content-Encoding" not in plain.headers
    with client.stream("GET", "/customers", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content
    small = client.get("/customers/1", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers


def test_reports_and_pictures(client: httpx2.Client) -> None:
    """CSV and PNG are what they say."""
    report = client.get("/report.csv")
    assert report.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(report.text)))
    assert len(rows) == len({row["email"] for row in rows})
    picture = client.get("/avatar.png")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")


def test_events_come_while_the_stream_is_open(client: httpx2.Client) -> None:
    """The first event is there at once, more follow, and leaving ends it."""
    with client.stream("GET", "/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        data = [line for line, _ in zip(_data(stream), range(3), strict=False)]
    assert len(data) == 3
    assert "example.com" in data[0]


def _data(stream: httpx2.Response) -> Iterator[str]:
    return (line for line in stream.iter_lines() if line.startswith("data:"))


def test_echo_shows_what_arrived(client: httpx2.Client) -> None:
    """Method, headers and body come back; this is how a test sees the credential that was put in."""
    answer = client.put("/echo", content=b"hello", headers={"X-Trace": "7"}).json()
    headers = dict(answer["headers"])
    assert (answer["method"], answer["body"], headers["x-trace"]) == ("PUT", "hello", "7")
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"


def test_slow_answers_in_the_end(client: httpx2.Client) -> None:
    """The slow path answers after its delay."""
    assert client.get("/slow").json() == {"slept": 0.01}


def test_credential_stays_out_of_the_repr(api: CustomersApi) -> None:
    """The state's repr tells no secret and no customer."""
    assert CREDENTIAL not in repr(api)
    assert "example.com" not in repr(api)
