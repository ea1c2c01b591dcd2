"""What is to be replaced in a form (application/x-www-form-urlencoded): values, by their names and by their looks.

A name may come more than once, and may be a path (``user[password]``).
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote_plus

from masking import views
from masking.edits import Edit, shift
from masking.errors import Unmaskable
from masking.formats.segments import hidden, rule_for
from masking.formats.text import TextMasker
from masking.judging import whole
from masking.plan import Plan


def form_edits(text: str, plan: Plan, texts: TextMasker) -> list[Edit]:
    """What is to be replaced in a form; raises ``Unmaskable`` when a name itself would have to be hidden."""
    found: list[Edit] = []
    position = 0
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        key = views.form(name).text if name else ""
        if key and plan.judge.tells(key):
            raise Unmaskable("a form field's name holds protected data")
        start = position + len(name) + len(equals)
        if value:
            found += (shift(edit, start) for edit in _value_edits(key, value, plan, texts))
        position += len(pair) + 1
    return found


def _value_edits(key: str, raw: str, plan: Plan, texts: TextMasker) -> Iterator[Edit]:
    view = views.form(raw)
    rule = rule_for(key, plan)
    if rule:
        for edit in hidden(view.text, rule, plan):
            yield whole(edit.entity, raw, quote_plus(edit.replacement), rule.treatment)
        return
    for edit in texts.edits(view.text, key):
        start, end = view.origin(edit.start), view.origin(edit.end)
        yield replace(edit, start=start, end=end, replacement=quote_plus(edit.replacement))
