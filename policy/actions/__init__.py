"""From bytes to an Action: what one call asks for, by the target's family.

A decoder never guesses. What cannot be one thing only is refused as ``malformed``; a fact that cannot be known is
``UNKNOWN`` and leaves its CEL variable unbound.

Everything that stands in the request line and the headers is read at once; a body is read when a fact in it is first
asked for, and then only once.
"""
