"""Messages without mitmproxy's check of their fields' types.

Every request and every answer is checked field by field when it is made, which costs a governed call a tenth of its
time. It is an assertion of mitmproxy against its own addons (it goes away under ``python -O``); what comes from the
wire has these types because mitmproxy's parser gave it them.
"""

from mitmproxy import http


def install() -> None:
    """Skip the check in this process."""
    http.MessageData.__post_init__ = _trusted  # type: ignore[method-assign]


def _trusted(_message: http.MessageData) -> None:
    """The fields are what they are."""
