"""Law: a masked stream comes as it is made; one that cannot be masked ends visibly, and a slow reader fills no memory.

Real clients over HTTP/1.1 and HTTP/2.
"""

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recordings.exchanges import exchanges
from recordings.listing import rows
from recordings.reading import record
from tests.e2e.harness import COMMANDS, GatewayProcess, Installation, installation, running
from tests.e2e.streaming import WAIT, H2Reader, Streaming, curl, streaming

EMAIL = b"ada.planted@example.com"
TEXT, EVENTS = {"Content-Type": "text/plain"}, {"Content-Type": "text/event-stream"}
LINE = b"2026-11-21T13:00:00Z INFO request handled status=200 took=12ms\n"
CHUNK = LINE * 1000
MEGABYTES = 96
ALLOWANCE = 20_000_000
"""Bytes by which memory may be larger after a stream of twice as many; it is three on an idle machine."""
UNREAD = 48_000_000
"""Bytes that may lie in sockets and windows between a target and a reader who does not read."""
VERSIONS = ("http1.1", "http2")


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Files for a gateway."""
    with installation(tmp_path_factory.mktemp("streams")) as made:
        made.way = request.param
        yield made


@pytest.fixture(scope="module")
def api(installed: Installation) -> Iterator[Streaming]:
    """A target that answers bit by bit."""
    with streaming(installed) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def gateway(installed: Installation, api: Streaming) -> Iterator[GatewayProcess]:
    """The gateway before it."""
    assert api
    with running(installed, installed.way) as process:
        yield process


def _until(stream: object, wanted: bytes) -> bytes:
    got = b""
    while wanted not in got:
        piece = stream.read(4096)  # type: ignore[attr-defined]
        assert piece, got
        got += piece
    return got


@pytest.mark.parametrize("version", VERSIONS)
def test_a_masked_text_comes_as_it_is_made(api: Streaming, installed: Installation, version: str) -> None:
    """Whole lines at once, the words of a line after a pause; what belongs together waits for its end."""
    api.go.clear()
    made = [b"first " + EMAIL + b"\nwords of a chat, ", WAIT, b'then {\n "password":\n "hunter2x"\n}\n', b"to " + EMAIL]
    api.answers["/masked/chat"] = TEXT, made
    with curl(installed, "/masked/chat", version) as process:
        assert process.stdout
        got = _until(process.stdout, b"words of a chat, ")
        assert b"first <EMAIL_ADDRESS>\n" in got
        api.go.set()
        rest = process.stdout.read()
        while piece := process.stdout.read():
            rest += piece
        assert process.wait(30) == 0
    assert rest == b'then {\n "password":\n "<SECRET>"\n}\nto <EMAIL_ADDRESS>'


TORN = gzip.compress(b"first line\n" + LINE * 10_000)[:-9]
BROKEN = {
    "another charset": (TEXT, [b"first line\n", b"caf\xe9\n", b"after\n"]),
    "binary": (TEXT, [b"first line\n", b"a\0b\n", b"after\n"]),
    "an event without end": (EVENTS, [b"data: first line\n\n", b"data: " + b"x" * 2_000_000, b"\n\ndata: after\n\n"]),
    "a key that hides": (EVENTS, [b"data: first line\n\n", b'data: {"' + EMAIL + b'": 1}\n\n', b"data: after\n\n"]),
    "a torn coding": (TEXT | {"Content-Encoding": "gzip"}, [TORN]),
    "no coding": (TEXT | {"Content-Encoding": "gzip"}, [gzip.compress(b"first line\n") + b"after\n"]),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("why", BROKEN)
def test_what_cannot_be_masked_ends_a_stream_visibly(
    api: Streaming, installed: Installation, gateway: GatewayProcess, version: str, why: str
) -> None:
    """What came before was given on, nothing after it is, and no client takes it for whole."""
    headers, chunks = BROKEN[why]
    api.go.clear()
    first, *others = chunks
    api.answers["/masked/broken"] = headers, [first, WAIT, *others] if others else chunks
    with curl(installed, "/masked/broken", version) as process:
        assert process.stdout
        assert process.stderr
        if others:
            _until(process.stdout, b"first line\n")
        api.go.set()
        rest = b""
        while piece := process.stdout.read():
            rest += piece
        assert process.wait(30) in (18, 56, 92), process.stderr.read()
    assert b"after" not in rest
    assert EMAIL not in rest
    assert gateway.process.poll() is None


def test_an_aborted_stream_ends_no_other(api: Streaming, installed: Installation) -> None:
    """Of one HTTP/2 connection."""
    api.go.clear()
    api.answers["/masked/broken"] = TEXT, [b"first line\n", b"caf\xe9\n", b"after\n"]
    api.answers["/masked/sound"] = TEXT, [b"sound line\n", WAIT, b"to " + EMAIL + b"\n"]
    reader = H2Reader(installed)
    sound = reader.ask("/masked/sound")
    assert reader.read(sound, least=11) == (b"sound line\n", "")
    broken = reader.ask("/masked/broken")
    got, ended = reader.read(broken)
    assert ended == "reset"
    assert b"after" not in got
    api.go.set()
    assert reader.read(sound) == (b"to <EMAIL_ADDRESS>\n", "end")
    reader.close()


def _resident(gateway: GatewayProcess) -> int:
    """Bytes of memory that the process has."""
    pages = int(Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_long_stream_stays_nowhere_but_in_its_record(
    api: Streaming, installed: Installation, gateway: GatewayProcess, version: str
) -> None:
    """Its parts together are what was read; the memory of the gateway is what it was when it was warm."""
    sizes: list[int] = []
    for megabytes in (12, MEGABYTES // 2):
        count = megabytes * 1_000_000 // len(CHUNK)
        path = f"/long/{version}/{megabytes}"
        api.answers[path] = TEXT, (CHUNK for _ in range(count))
        with curl(
            installed, path, version, "--no-include", "--output", "/dev/null", "--write-out", "%{size_download}"
        ) as process:
            assert process.stdout
            assert int(process.stdout.read()) == count * len(CHUNK)
            assert process.wait(30) == 0
        sizes.append(_resident(gateway))
    assert sizes[1] - sizes[0] < ALLOWANCE
    recorded = 0
    for row in rows(installed.data):
        if row.kind == "outcome" and row.path == path:
            recorded += sum(
                len((each.response and each.response.body) or b"") for each in exchanges(record(installed.data, row))
            )
    assert recorded == count * len(CHUNK)


def test_calls_of_one_connection_leave_nothing(
    api: Streaming, installed: Installation, gateway: GatewayProcess
) -> None:
    """Over HTTP/2, to a target that speaks HTTP/1.1: each has a connection of its own, which is over when it is."""
    api.answers["/short"] = EVENTS, [b"data: x\n\n"]
    reader, sizes = H2Reader(installed), []
    for count in (100, 400):
        for _ in range(count):
            assert reader.read(reader.ask("/short")) == (b"data: x\n\n", "end")
        sizes.append(_resident(gateway))
    reader.close()
    assert sizes[1] - sizes[0] < ALLOWANCE


def _settled(api: Streaming) -> int:
    """How much of an answer the target could send, once it can send no more."""
    deadline, last, since = time.monotonic() + 60, -1, time.monotonic()
    while time.monotonic() < deadline and (api.sent != last or time.monotonic() - since < 2):
        if api.sent != last:
            last, since = api.sent, time.monotonic()
        time.sleep(0.05)
    return last


@pytest.mark.parametrize("path", ["/masked/long", "/long"])
def test_a_reader_without_windows_holds_its_target_up(api: Streaming, installed: Installation, path: str) -> None:
    """Nothing piles up in the gateway; what it then reads is whole. Another stream of the same connection goes on."""
    size = MEGABYTES * 1_000_000 // 4 if path.startswith("/masked") else MEGABYTES * 1_000_000
    count = size // len(CHUNK)
    api.answers[path] = TEXT, (CHUNK for _ in range(count))
    api.answers["/masked/short"] = TEXT, [b"to " + EMAIL + b"\n"]
    reader = H2Reader(installed)
    long = reader.ask(path)
    begun, ended = reader.read(long, least=60_000)
    assert ended == ""
    sent = _settled(api)
    assert sent < min(size, UNREAD)
    assert reader.read(reader.ask("/masked/short"))[0] == b"to <EMAIL_ADDRESS>\n"
    reader.close()
    assert begun == (CHUNK * 10)[: len(begun)]
