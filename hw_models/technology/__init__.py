"""Constants as data: published tables, every row with its band, unit, content, grade of evidence and source."""

from hw_models.technology.constant import Constant, Evidence
from hw_models.technology.scaling import Move, logic_factor, nominal_vdd, plan, sram_factor
from hw_models.technology.tables import Table, available_tables, load_table

__all__ = [
    "Constant",
    "Evidence",
    "Move",
    "Table",
    "available_tables",
    "load_table",
    "logic_factor",
    "nominal_vdd",
    "plan",
    "sram_factor",
]
