"""Unknown constants of a chip from measured counts and joules: least squares, with the uncertainty that is left."""

from hw_models.calibration.chipfile import fitted_chip_text
from hw_models.calibration.data import Measurement, read_measurements
from hw_models.calibration.fit import Fit, Fitted, calibrate

__all__ = ["Fit", "Fitted", "Measurement", "calibrate", "fitted_chip_text", "read_measurements"]
