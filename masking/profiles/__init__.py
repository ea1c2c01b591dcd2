"""Mask profiles: which values are hidden and how, as documents and as resolved values.

The YAML files beside this module are the built-in profiles, in the same form as the ``spec`` of a ``MaskProfile``
document.
"""

from masking.profiles.resolving import Profile, builtin, resolve
from masking.profiles.spec import MaskProfileSpec

__all__ = ["MaskProfileSpec", "Profile", "builtin", "resolve"]
