"""What is to be replaced in JSON lines: one JSON text per line, empty lines allowed (also: Kubernetes watch events)."""

from masking.edits import Edit, shift
from masking.formats.json_document import JsonMasker


def ndjson_edits(text: str, objects: JsonMasker) -> list[Edit]:
    """What is to be replaced in all lines; raises ``Unmaskable`` when one of them is no JSON."""
    found: list[Edit] = []
    position = 0
    for line in text.split("\n"):
        if line.strip(" \t\r"):
            found += (shift(edit, position) for edit in objects.edits(line))
        position += len(line) + 1
    return found
