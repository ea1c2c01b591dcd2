"""What Slack says against blocks, from https://docs.slack.dev/reference/block-kit/ (its limits, as published)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_MOST_BLOCKS, _MOST_VIEW_BLOCKS = 50, 100


def flaws(blocks: list[Any], most: int = _MOST_BLOCKS) -> list[str]:
    """Everything that is wrong with the blocks of a message; empty where they would be taken."""
    found = [] if len(blocks) <= most else ["more than 50 items"]
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(ids)) != len(ids) or any(len(each) > 255 for each in ids):
        found.append("block ids are unique and have 255 characters")
    for block in blocks:
        check = _BLOCKS.get(block.get("type"))
        found += [f"unsupported block type {block.get('type')}"] if check is None else check(block)
    return found


def view_flaws(view: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a modal."""
    found = _keys(view, {"type", "callback_id", "private_metadata", "title", "submit", "close", "blocks"})
    found += [] if view.get("type") == "modal" else ["no modal"]
    found += [] if len(view.get("private_metadata", "")) <= 3000 and len(view["callback_id"]) <= 255 else ["too long"]
    for key in ("title", "submit", "close"):
        found += _plain(view[key], 24)
    return found + flaws(view["blocks"], _MOST_VIEW_BLOCKS)


def texts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object with text in it."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def _header(block: Mapping[str, Any]) -> list[str]:
    return _keys(block, {"type", "block_id", "text"}) + _plain(block["text"], 150)


def _context(block: Mapping[str, Any]) -> list[str]:
    found = _keys(block, {"type", "block_id", "elements"})
    found += [] if 0 < len(block["elements"]) <= 10 else ["1 to 10 elements"]
    return found + [flaw for each in block["elements"] for flaw in _plain(each, 3000)]


def _actions(block: Mapping[str, Any]) -> list[str]:
    found = _keys(block, {"type", "block_id", "elements"})
    found += [] if 0 < len(block["elements"]) <= 25 else ["1 to 25 elements"]
    ids = [each["action_id"] for each in block["elements"]]
    found += [] if len(set(ids)) == len(ids) and all(len(each) <= 255 for each in ids) else ["action ids"]
    return found + [flaw for each in block["elements"] for flaw in _button(each)]


def _button(button: Mapping[str, Any]) -> list[str]:
    found = _keys(button, {"type", "action_id", "text", "value", "url", "style"}) + _plain(button["text"], 75)
    found += [] if button.get("style", "primary") in ("primary", "danger") else ["style"]
    return found + ([] if len(button.get("value", "")) <= 2000 and len(button.get("url", "")) <= 3000 else ["too long"])


def _input(block: Mapping[str, Any]) -> list[str]:
    element = block["element"]
    known = {"type", "action_id", "multiline", "min_length", "max_length"}
    found = _keys(block, {"type", "block_id", "label", "element"}) + _plain(block["label"], 2000)
    within = 0 <= element["min_length"] <= 3000 and 1 <= element["max_length"] <= 3000
    return found + _keys(element, known) + ([] if within else ["lengths"])


def _rich(block: Mapping[str, Any]) -> list[str]:
    found = _keys(block, {"type", "block_id", "elements"})
    for each in block["elements"]:
        if each["type"] not in ("rich_text_section", "rich_text_preformatted") or not each["elements"]:
            found.append("unsupported element")
        found += _keys(each, {"type", "elements", "border"})
        for part in each["elements"]:
            found += _keys(part, {"type", "text", "style"})
            if part["type"] != "text" or not isinstance(part["text"], str) or not part["text"]:
                found.append("must be more than 0 characters")
            elif each["type"] == "rich_text_preformatted" and part.get("style"):
                found.append("preformatted text has no style")
    return found


def _plain(text: Mapping[str, Any], most: int) -> list[str]:
    found = _keys(text, {"type", "text", "emoji"})
    found += [] if text["type"] == "plain_text" else ["plain_text only"]
    return found + ([] if 0 < len(text["text"]) <= most else [f"1 to {most} characters"])


def _keys(value: Mapping[str, Any], known: set[str]) -> list[str]:
    return [f"unknown field {key}" for key in value if key not in known]


_BLOCKS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "rich_text": _rich,
}
"""Those that are used; the others would need limits of their own."""
