"""Chips as data: one TOML file each, behind a schema that names what is wrong and how to mend it."""

from hw_models.chips.loader import ChipInfo, available_chips, load_chip, parse_chip
from hw_models.chips.schema import Chip

__all__ = ["Chip", "ChipInfo", "available_chips", "load_chip", "parse_chip"]
