"""Keys and tokens, by their form. Presidio knows none of them; ``masking.secrets`` has them in families."""

from masking.secrets.forms import SecretPattern
from masking.secrets.named import NAMED
from masking.secrets.structures import PEM_BEGIN, PEM_END, STRUCTURES
from masking.secrets.vendors import VENDORS

__all__ = ["PEM_BEGIN", "PEM_END", "SECRET_ENTITIES", "SECRET_PATTERNS", "SecretPattern"]

SECRET_PATTERNS: tuple[SecretPattern, ...] = (*VENDORS, *STRUCTURES, *NAMED)
SECRET_ENTITIES = frozenset(pattern.entity for pattern in SECRET_PATTERNS)
