"""``gatehold schema``: the JSON Schema of configuration documents, for editors."""

from typing import Annotated, Any

import typer

from gatehold.cli.output import print_json, unusable

app = typer.Typer(rich_markup_mode=None)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SHORTER = {("ApprovalSpec", "groups"): {"type": "array", "items": {"type": "string"}, "minItems": 1}}
"""Spellings that are accepted beside the one that a model's fields describe."""


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(help="One kind of document; left out: any of them.")] = None,
) -> None:
    """Print the JSON Schema of one kind of document, or of all kinds together."""
    from gatehold.config.documents import KINDS
    from gatehold.config.judging import meant

    if kind is not None and kind not in KINDS:
        unusable(f"there is no kind {kind!r}{meant(kind, KINDS)}")
    print_json(schema_of([kind] if kind else list(KINDS)))


def schema_of(kinds: list[str]) -> dict[str, Any]:
    """One schema that accepts a document of any of these kinds."""
    from pydantic.json_schema import models_json_schema

    from gatehold.config.documents import KINDS

    _, shared = models_json_schema([(KINDS[kind], "validation") for kind in kinds], by_alias=True, title="Gatehold")
    for (model, key), spelling in SHORTER.items():
        if properties := shared["$defs"].get(model, {}).get("properties"):
            properties[key] = {"anyOf": [spelling, properties[key]]}
    references = [{"$ref": f"#/$defs/{KINDS[kind].__name__}"} for kind in kinds]
    return {"$schema": DIALECT, **shared, **(references[0] if len(kinds) == 1 else {"oneOf": references})}
