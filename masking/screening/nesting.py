"""How deeply a JSON text is nested, told without walking it."""

_ONLY_BRACKETS = bytes(set(range(256)) - set(b'"[]{}'))
_DEEP = 40


def is_shallow(bare: bytes) -> bool:
    """Whether a valid JSON text whose strings hold no ``"`` is surely nested at most forty levels deep."""
    left = bare.translate(None, _ONLY_BRACKETS)
    # Quotes go in pairs, so that those that stay still begin and end the strings in which brackets stand.
    left = left.replace(b'""""""""', b"").replace(b'""', b"")
    if b'"' in left:
        pieces = left.split(b'"')
        left = b"".join(pieces[::2])
    for _ in range(_DEEP):
        if not left:
            return True
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return not left
