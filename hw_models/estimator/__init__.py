"""The estimator: counts of a workload times the prices of a chip, static power times hardware time, area and wear."""

from hw_models.estimator.footprint import Footprint, footprint_kb
from hw_models.estimator.pricing import operating_points, price
from hw_models.estimator.rates import EventEnergy, event_energy, published_events

__all__ = [
    "EventEnergy",
    "Footprint",
    "event_energy",
    "footprint_kb",
    "operating_points",
    "price",
    "published_events",
]
