"""Texts in Slack's forms. Pure.

What an agent wrote goes into objects that Slack does not read for markup: ``plain_text`` without emoji, and ``text``
elements of rich text, as code. Only the line for notifications, and short answers, are mrkdwn: there the three
characters that begin markup are escaped, so that no text is a link, a mention or a broadcast.
See https://docs.slack.dev/messaging/formatting-message-text/#escaping and .../block-kit/blocks/rich-text-block/.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from gatehold.approvals.rendering import cut, visible

type Block = dict[str, Any]

HEADER: Final = 150
"""Characters of a header block."""
PREFORMATTED: Final = 3000
"""Characters that one preformatted element is given."""


def escaped(text: str) -> str:
    """Visible text for mrkdwn in which nothing is markup."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str, most: int) -> Block:
    """A ``plain_text`` object."""
    return {"type": "plain_text", "text": shortened(visible(text), most) or "-", "emoji": False}


def shortened(text: str, most: int) -> str:
    """At most so many characters, with a sign that there were more."""
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def facts(block_id: str, pairs: Iterable[tuple[str, str]], most: int) -> Block:
    """Lines of a name of ours and a value of anybody's that was made visible, cut to ``most`` characters."""
    elements: list[Block] = []
    for name, value in pairs:
        elements += [_text(f"{name}: ", bold=True), _text(cut(value, most) or "-", code=True), _text("\n")]
    return {
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{"type": "rich_text_section", "elements": elements[:-1]}],
    }


def listing(block_id: str, title: str, lines: Sequence[str]) -> Block:
    """Lines of anybody's text under a title of ours, each made visible; all of them."""
    shown, texts = "\n".join(visible(line) for line in lines), []
    while shown:
        texts.append(shown[:PREFORMATTED])
        shown = shown[PREFORMATTED:]
    heading = {"type": "rich_text_section", "elements": [_text(title, bold=True)]}
    blocks = [{"type": "rich_text_preformatted", "elements": [_text(text)]} for text in texts]
    return {"type": "rich_text", "block_id": block_id, "elements": [heading, *blocks]}


def note(block_id: str, text: str) -> Block:
    """A line in small print."""
    return {"type": "context", "block_id": block_id, "elements": [plain(text, 2000)]}


def _text(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text, **({"style": style} if style else {})}
