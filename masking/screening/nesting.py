"""How deeply a JSON text is nested, told without walking it."""

_OTHERS = bytes(set(range(256)) - set(b'"[]{}'))
_BUT_ESCAPES = _OTHERS.replace(b"\\", b"")
_BRACES = bytes.maketrans(b"[]", b"{}")
_DEEP = 40


def is_shallow(bare: bytes, *, of_quotes: bool = False) -> bool:
    """Whether a valid JSON text is surely nested at most forty levels deep.

    ``of_quotes``: its strings may hold ``\\"``, and no other escapes; else they hold no ``"``.
    """
    # In valid JSON every bracket is closed by one of its kind, so that one kind is as good as two.
    left = bare.translate(_BRACES, _BUT_ESCAPES if of_quotes else _OTHERS)
    left = left.replace(b'\\"', b"")
    # Quotes go in pairs, so that those that stay still begin and end the strings in which brackets stand.
    left = left.replace(b'""', b"")
    if b'"' in left:
        pieces = left.split(b'"')
        left = b"".join(pieces[::2])
    for _ in range(_DEEP):
        if not left:
            return True
        left = left.replace(b"{}", b"")
    return not left
