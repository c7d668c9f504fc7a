"""A chip file with fitted constants in the place of unknown ones."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from hw_models.calibration.fit import Fit, Fitted
from hw_models.chips import parse_chip
from hw_models.toml import to_toml


def fitted_chip_text(text: str, fit: Fit, *, name: str, data: str) -> str:
    """Return the chip file ``text`` with the constants of ``fit``, as a chip called ``name``.

    A fitted constant is ``derived``: its source names ``data``, its band is the 95 % interval of the fit.

    Raises
    ------
    ChipError, ConstantError
        If ``text`` is not a chip file.
    """
    document = tomllib.loads(text) | {"name": name}
    for fitted in fit.constants:
        document["constants"][fitted.name] |= {
            "value": fitted.value,
            "low": fitted.low,
            "high": fitted.high,
            "evidence": "derived",
            "source": f"least squares on {fit.measurements} measurements, {data}",
            "year": datetime.now(UTC).year,
            "band": _band(fit, fitted),
        }
    written = to_toml(document)
    parse_chip(written, name)
    return written


def _band(fit: Fit, fitted: Fitted) -> str:
    beside = ", ".join(f"{share:+.2f} with {other}" for other, share in fitted.correlation.items())
    said = (
        f"95 % interval of the fit, {fit.degrees_of_freedom} degrees of freedom, residuals {fit.residual_rms:.2%} rms"
    )
    return f"{said}; correlation {beside}" if beside else said
