"""Texts with nothing to hide: logs, pages, scripts. Any doubt leaves them to the full path.

A line may hold JSON, whose strings say something else than their bytes do: such a text is looked through a second time
with its escapes undone. What may be markup is left alone.
"""

from masking.content import refuse_binary
from masking.screening.backends import Scanner
from masking.screening.escapes import undone


def is_quiet_text(body: bytes, plain: Scanner, escaped: Scanner) -> bool:
    """Whether a text surely holds nothing that a plan hides. Raises ``Unmaskable`` for a binary body.

    ``plain`` finds control characters as well, ``escaped`` finds escapes that are left.
    """
    refuse_binary(body)
    if not body.isascii() or body.lstrip()[:1] == b"<" or not plain.is_quiet(body):
        return False
    if b"\\" not in body or (b"{" not in body and b"[" not in body):
        return True
    return escaped.is_quiet(undone(body).read)
