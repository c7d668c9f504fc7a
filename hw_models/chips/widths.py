"""A constant whose band covers what other publications give for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hw_models.technology import Constant


def cover(constant: Constant, others: Iterable[Constant]) -> Constant:
    """Return ``constant`` with a band that holds the values and bands of ``others`` too, in its own unit."""
    bands = [other.si / constant.si_factor for other in others]
    low = min(constant.low, *(band.low for band in bands))
    high = max(constant.high, *(band.high for band in bands))
    return replace(
        constant, low=low, high=high, band=f"{constant.band}; the band covers the chip's variants".lstrip("; ")
    )
