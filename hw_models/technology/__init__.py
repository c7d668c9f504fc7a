"""Constants as data: published tables, every row with its band, unit, content, grade of evidence and source."""

from hw_models.technology.constant import Constant, Evidence
from hw_models.technology.tables import Table, available_tables, load_table

__all__ = ["Constant", "Evidence", "Table", "available_tables", "load_table"]
