"""What a cost report is made of: priced rows, phases with their size and time, operating points, wear."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from hw_models.report.band import Band

PARTS = ("static", "dynamic", "periphery")


@dataclass(frozen=True)
class CostRow:
    """One priced action of one entity in one phase; ``kind`` is static, dynamic or periphery.

    energy_j = coefficient x product of the values of ``constants`` (names in the report), in SI units.
    """

    phase: str
    component: str
    action: str
    entity: str
    count: int
    energy_j: float
    low_j: float
    high_j: float
    includes: str
    evidence: str
    source: str
    kind: str
    constants: tuple[str, ...] = ()
    coefficient: float = 0.0

    @property
    def energy(self) -> Band:
        """The energy of the row in joules."""
        return Band(self.energy_j, self.low_j, self.high_j)


@dataclass(frozen=True)
class PhaseSize:
    """What one phase did: presentations, ticks and synaptic events, over all presentations."""

    presentations: int
    ticks: int
    synaptic_events: int


@dataclass(frozen=True)
class PhaseTime:
    """How long one phase takes on the hardware, over all presentations.

    ``hardware_s`` = the longer of ticks x tick and ``busy_s``, the time for which the cores in use are busy;
    ``bound_by`` names the longer: ``tick``, or the counter that keeps the cores busy longest.
    """

    hardware_s: float
    busy_s: float
    bound_by: str

    def to_dict(self) -> dict:
        """Return the fields."""
        return asdict(self)


@dataclass(frozen=True)
class Reproduced:
    """A published operating point and what the chip's constants give for it: residual = modelled / measured - 1.

    ``independent`` is False where the constants were taken from this very point, so that it checks nothing.
    """

    name: str
    quantity: str
    measured: float
    modelled: float
    evidence: str
    source: str
    note: str = ""
    independent: bool = True

    @property
    def residual(self) -> float:
        """Relative difference of the modelled from the measured value."""
        return self.modelled / self.measured - 1

    def to_dict(self) -> dict:
        """Return the fields and the residual."""
        return asdict(self) | {"residual": self.residual}


@dataclass(frozen=True)
class Endurance:
    """Wear of the synapse that is written most, on average over its projection.

    ``samples_to_limit``: training samples until the device's write limit, None where no limit is published.
    """

    projection: str
    writes_per_synapse_per_sample: float
    samples_to_limit: Band | None = None

    def to_dict(self) -> dict:
        """Return the fields."""
        limit = self.samples_to_limit
        return asdict(self) | {"samples_to_limit": limit.to_dict() if limit else None}
