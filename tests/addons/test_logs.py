"""Law: mitmproxy's log keeps no bytes of a call: chatter is dropped, an exception is told by its type and place."""

import logging
from collections.abc import Iterator

import pytest

from addons import logs

SECRET = "Authorization: Bearer planted"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Filters and levels as they were."""
    loggers = [logging.getLogger(name) for name in (*logs._NOISY, *logs._QUIET)]
    before = [(list(logger.filters), logger.level) for logger in loggers]
    yield
    for logger, (filters, level) in zip(loggers, before, strict=True):
        logger.filters[:] = filters
        logger.setLevel(level)


@pytest.mark.parametrize("name", ["mitmproxy.proxy.server", "mitmproxy.addonmanager", "mitmproxy.master", "mitmproxy.proxy.layers"])  # fmt: skip
def test_what_is_below_a_warning_is_dropped(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """There mitmproxy logs received bytes."""
    logs.install()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(name).info("Client closed connection before completing request headers: %r", SECRET)
        logging.getLogger(name).warning("something is wrong")
    assert [record.getMessage() for record in caplog.records] == ["something is wrong"]


def test_an_exception_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    """Its type and place remain; the traceback, whose last line is the text, does not."""
    logs.install()
    with caplog.at_level(logging.DEBUG):
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("mitmproxy.proxy.server").exception("mitmproxy has crashed")
    (record,) = caplog.records
    assert record.exc_info is None
    assert SECRET not in logging.Formatter().format(record)
    assert "mitmproxy has crashed (ValueError at " in record.getMessage()
    assert "test_logs.py" in record.getMessage()


def test_installing_twice_filters_once() -> None:
    """The bundle may be configured more than once."""
    logs.install()
    logs.install()
    for name in logs._NOISY:
        assert sum(isinstance(each, logs.Discreet) for each in logging.getLogger(name).filters) == 1


def test_libraries_are_told_to_be_quiet() -> None:
    """mitmdump sets the root logger to DEBUG, and httpx2, SQLAlchemy and others would tell what they do."""
    logs.install()
    for name in logs._QUIET:
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
