"""Law: what a command needs only while it runs is its owner's alone, and is gone afterwards, however it ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from gatehold.temporary import private_directory


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """As a command finds them, whatever started the tests: under ``nohup`` a hang-up is ignored."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_it_is_gone_afterwards() -> None:
    """Also after an error."""
    with suppress(ValueError), private_directory() as directory:
        (directory / "file").write_text("recorded")
        assert directory.stat().st_mode & 0o777 == 0o700
        raise ValueError
    assert not directory.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command(number: signal.Signals) -> None:
    """With the exit code of that signal; the outer of two stands for both, and everything is as before."""
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, private_directory() as outer, private_directory() as inner:
        signal.raise_signal(number)
    assert ended.value.code == 128 + number
    assert not outer.exists()
    assert not inner.exists()
    assert signal.getsignal(number) is before


@contextmanager
def and_then(number: signal.Signals) -> Iterator[None]:
    try:
        yield
    finally:
        signal.raise_signal(number)


def test_the_first_signal_counts() -> None:
    """Another one would come into the removing."""
    with pytest.raises(SystemExit) as ended, private_directory(), and_then(signal.SIGTERM):
        signal.raise_signal(signal.SIGHUP)
    assert ended.value.code == 128 + signal.SIGHUP


def test_ignored_signals_stay_ignored() -> None:
    """As ``nohup`` wants it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with private_directory():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_threads_have_one_too() -> None:
    """Signals are the main thread's."""
    seen = []

    def work() -> None:
        with private_directory() as directory:
            seen.append(directory.is_dir())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
