"""What is left out: Kubernetes answers reduced to the objects that an agent may see.

A list, a Table, a watch or one object comes in as JSON text; what goes out is the same text without the objects that
fit none of the doors. What stays is spelled as it came. An object that cannot be judged is dropped; an answer of which
it cannot be said where its objects are is refused.
"""
