"""Components: each turns its parameters and a technology into constants, terms named after the ledger, and area.

A kind is a small frozen dataclass with a ``build(technology)``; :func:`expand` builds one from a table of a chip file.
"""

from hw_models.components.base import Built, Technology
from hw_models.components.kinds import KINDS, expand

__all__ = ["KINDS", "Built", "Technology", "expand"]
