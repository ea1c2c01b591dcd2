"""What is to be replaced in a text of folded lines: calendars, contacts, directories, headers of mail.

A line that begins with a space goes on with the line before it (RFC 5545, 3.1; RFC 6350, 3.2; RFC 2849; RFC 5322,
2.2.3), wherever that was cut. Hence it is judged as it reads, and as it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from masking.edits import Edit
from masking.errors import Unmaskable
from masking.formats.text import TextMasker
from masking.views import View

_FOLD = re.compile(r"\r?\n[ \t]")
_QUOTED_PRINTABLE = re.compile(r"(?i)quoted-printable")


def folded_edits(text: str, texts: TextMasker) -> Iterator[Edit]:
    """What is to be replaced, possibly overlapping; raises ``Unmaskable`` where values are encoded by themselves."""
    if _QUOTED_PRINTABLE.search(text):
        raise Unmaskable("quoted-printable values cannot be masked")
    yield from texts.edits(text)
    view = _unfolded(text)
    if len(view.text) == len(text):
        return
    for edit in texts.edits(view.text):
        # A value that ends where a line is cut does not reach over the cut.
        end = view.origin(edit.end - 1) + 1
        yield replace(edit, start=view.origin(edit.start), end=end)


def _unfolded(text: str) -> View:
    decoded, origins, removed = [0], [0], 0
    for match in _FOLD.finditer(text):
        decoded.append(match.start() - removed)
        origins.append(match.end())
        removed += len(match[0])
    return View(_FOLD.sub("", text), decoded, origins)
