"""What of mitmproxy's own log may be kept: warnings and errors, without tracebacks.

mitmproxy logs received bytes ("Client closed connection before completing request headers: ...") and the texts of
exceptions; both can hold tokens and personal data. Its chatter is dropped, and an exception is reduced to its type and
place.
"""

import logging

from addons.failsafe import place

_NOISY = ("mitmproxy.proxy.server", "mitmproxy.master", "mitmproxy.addonmanager", "mitmproxy.proxy.layers")


class Discreet(logging.Filter):
    """Drops what is below a warning and takes the texts of exceptions out of the rest."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record?"""
        if record.levelno < logging.WARNING:
            return False
        if record.exc_info and record.exc_info[1] is not None:
            record.msg, record.args = f"{record.getMessage()} ({place(record.exc_info[1])})", ()
            record.exc_info, record.exc_text = None, None
        return True


_QUIET = ("alembic", "sqlalchemy", "httpx2", "httpcore2", "asyncio", "presidio-analyzer")


def install() -> None:
    """Put the filter on mitmproxy's loggers, once; mitmdump sets the root logger to DEBUG, so libraries are told."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _NOISY:
        logger = logging.getLogger(name)
        if not any(isinstance(present, Discreet) for present in logger.filters):
            logger.addFilter(Discreet())
