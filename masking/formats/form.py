"""What is to be replaced in a form (application/x-www-form-urlencoded): values, by their names and by their looks."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote_plus

from masking import views
from masking.edits import Edit, shift
from masking.errors import Unmaskable
from masking.judging import whole
from masking.plan import Plan


def form_edits(text: str, plan: Plan) -> list[Edit]:
    """What is to be replaced in a form; raises ``Unmaskable`` when a name itself would have to be hidden."""
    found: list[Edit] = []
    position = 0
    for pair in text.split("&"):
        name, equals, value = pair.partition("=")
        key = views.form(name).text
        if plan.judge.tells(key):
            raise Unmaskable("a form field's name holds protected data")
        start = position + len(name) + len(equals)
        found += (shift(edit, start) for edit in _value_edits(key, value, plan))
        position += len(pair) + 1
    return found


def _value_edits(key: str, raw: str, plan: Plan) -> Iterator[Edit]:
    view = views.form(raw)
    rule = plan.keys.find(key)
    if rule and raw and not plan.judge.is_token(view.text):
        hidden = plan.hand.replacement(rule.treatment, rule.entity, view.text)
        yield whole(rule.entity, raw, quote_plus(hidden), rule.treatment)
        return
    for edit in plan.judge.edits(view.text, key):
        start, end = view.origin(edit.start), view.origin(edit.end)
        yield replace(edit, start=start, end=end, replacement=quote_plus(edit.replacement))
