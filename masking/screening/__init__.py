"""Screening of whole bodies: most hold nothing to hide, and that is told without parsing them.

A body is looked through on its raw bytes, with expressions that match wherever the detectors of a plan, its rules
about names and kinds, or another way of writing the same thing could make a difference (``patterns``). No match: the
body goes on as it is. A few matches in JSON: the strings that they stand in are judged, and replaced in place
(``documents``). Anything out of the ordinary is left to the full path, which gives the same results.
"""

from masking.screening.backends import Backend, backend

__all__ = ["Backend", "backend"]
