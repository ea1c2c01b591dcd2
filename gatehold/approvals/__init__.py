"""A person's answer to one held call: who is asked, what exactly is answered, and that it counts once.

The law of this package: the rules (``states``, ``approvers``, ``answering``, ``rendering``, what a fingerprint binds,
what a grant covers) are pure; every function of the ``desk`` is one transaction of the store; only ``waiting`` knows an
event loop.
"""
