"""How energies follow the technology node and the supply, and how far the publications disagree about it."""

from hw_models.technology.scaling.moves import LOWEST_VDD, Move, plan
from hw_models.technology.scaling.nodes import logic_factor, nominal_vdd, sram_factor

__all__ = ["LOWEST_VDD", "Move", "logic_factor", "nominal_vdd", "plan", "sram_factor"]
