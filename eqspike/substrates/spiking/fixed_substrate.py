"""The spiking substrate in integers, bit for bit what a digital chip of the declared widths would compute."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from eqspike.core.errors import ConfigError, DataError
from eqspike.core.ledger import PHASES, Ledger, PhaseCounts
from eqspike.core.protocols import InLoopRule
from eqspike.core.rng import Purpose
from eqspike.kernels.fixed_layout import FixedCounts, FixedRecord, FixedState
from eqspike.kernels.fixed_presentations import present_fixed
from eqspike.kernels.layout import Record
from eqspike.network.checks import check_arrays, check_samples
from eqspike.network.description import Network
from eqspike.substrates.spiking import fixed_program as program
from eqspike.substrates.spiking.fixed_scales import gain_row, loop_scales, update_ratio
from eqspike.substrates.spiking.fixed_settings import FixedPoint
from eqspike.substrates.spiking.settings import Phases

MOST_TICKS = 1 << 16  # draws are numbered by tick in 16 bits


class FixedPointSubstrate:
    """A network of integer neurons and synapses that learns with EqSpike, with its weights and its counts.

    Parameters
    ----------
    network : a static input, then spiking layers, the output last; delta synapses.
    rule : EqSpike as an engine takes it; its time constants are given in ticks beside it.
    tau_ticks, delay_ticks : of the rate estimate (a power of two) and of its delayed copy.
    phases : ticks of the phases.
    fixed : widths of the registers.
    seed : key of every random number.
    beta, random_sign, target_rate : the nudge.

    Raises
    ------
    ConfigError
        if the network or a constant cannot be had in these integers.
    """

    def __init__(
        self,
        network: Network,
        rule: InLoopRule,
        phases: Phases,
        fixed: FixedPoint,
        *,
        tau_ticks: float,
        delay_ticks: int,
        seed: int = 1,
        beta: float = 1.0,
        random_sign: bool = False,
        target_rate: float = 1.0,
    ) -> None:
        _check_fit(rule, phases, beta)
        self.network, self.rule, self.phases, self.fixed, self.seed = network, rule, phases, fixed, seed
        self.beta, self.random_sign, self.delay_ticks = beta, random_sign, delay_ticks
        self.compiled = program.compile_fixed(network, fixed)
        nudge = beta / network.layers[-1].neuron.threshold, target_rate
        self.scales = loop_scales(fixed, tau_ticks, delay_ticks, nudge, int(seed), int(Purpose.ROUNDING))
        self.weights = program.initial_weights(self.compiled, seed)
        self.counts = program.new_counts(self.compiled)
        self._state: FixedState | None = None
        self._off = program.new_record(self.compiled)

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        order: np.ndarray,
        first: int,
        last: int,
        *,
        scale: float,
        offset: int,
    ) -> np.ndarray:
        """Learn from the samples ``order[first:last]``, one at a time; return what their free phases answered.

        Parameters
        ----------
        images : (n, n_pixels) in [0, 1], rounded to 8 bits.
        labels : (n,) classes.
        order : (n,) the order of presentation in this epoch.
        scale : factor on every learning rate.
        offset : number of presentations before this epoch, so that no random number is used twice.
        """
        if self._state is None:
            self._state = program.new_state(self.compiled, self.delay_ticks, learns=True)
        chosen = order[first:last]
        return self._run(
            self._state, self.counts, images[chosen], labels[chosen], offset + first, scale, self._off, learns=True
        )

    def infer(self, images: np.ndarray, *, threads: int | None = None, counted: bool = True) -> np.ndarray:
        """Return the answers (n,) to ``images``; the same for any number of threads.

        ``counted``: whether the events enter the substrate's counts.
        """
        counts = self.counts if counted else program.new_counts(self.compiled)
        threads = min(threads or os.cpu_count() or 1, max(1, len(images) // 8))
        borders = np.linspace(0, len(images), 8 * threads + 1).astype(np.int64) if threads > 1 else [0, len(images)]

        def work(span: tuple[int, int]) -> tuple[np.ndarray, FixedCounts]:
            own = program.new_counts(self.compiled)
            state = program.new_state(self.compiled, 1, learns=False)
            shown = images[span[0] : span[1]]
            return self._run(state, own, shown, None, int(span[0]), 0.0, self._off, learns=False), own

        answers = []
        with ThreadPoolExecutor(threads) as pool:
            for said, own in pool.map(work, pairwise(borders)):
                answers.append(said)
                for total, part in zip(counts, own, strict=True):
                    total += part
        return np.concatenate(answers)

    def observe(
        self, images: np.ndarray, labels: np.ndarray | None, index: int, *, updates: int = 0, states: bool = True,
        scale: float = 1.0,
    ) -> Record:  # fmt: skip
        """Present sample ``index`` once more with probes on, leaving weights and counts as they were.

        Potentials, rates and updates are given as real numbers; an update is what its spike asked for before rounding.
        Otherwise as :meth:`SpikingSubstrate.observe`.
        """
        learns = labels is not None
        ticks = self.phases.free_ticks + (self.phases.nudged_ticks if learns else 0)
        record = program.new_record(self.compiled, ticks=ticks, states=states, updates=updates)
        kept = [array.copy() for array in self.weights]
        state, own = (
            program.new_state(self.compiled, self.delay_ticks, learns=learns),
            program.new_counts(self.compiled),
        )
        shown = slice(index, index + 1)
        taught = labels[shown] if learns else None
        self._run(state, own, images[shown], taught, index, scale, record, learns=learns)
        for array, before in zip(self.weights, kept, strict=True):
            array[:] = before
        return self._real(record, scale)

    def _real(self, record: FixedRecord, scale: float) -> Record:
        """Return a record in real numbers, with silent columns for the input."""
        silent = ((0, 0), (0, program.padded(self.network.layers[0].size)))
        asked = record.update_asked.astype(np.float64)
        for index in range(len(self.network.projections)):
            step = self.compiled.scales[index].unit * (2 if self.fixed.odd else 1) / 2**self.fixed.accumulator_bits
            asked[record.update_place[:, 1] == index] *= step / 2.0 ** self._gains(scale)[0][index, 1]
        return Record(
            np.pad(record.raster, silent),
            np.pad(record.potential * self.compiled.potential_unit, silent),
            np.pad(record.rate / 2.0**self.fixed.trace_bits, silent),
            record.update_place,
            asked,
            record.n_updates,
        )

    def _gains(self, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the integer gains of projections and of biases at learning rates times ``scale``."""
        fixed, names = self.fixed, [layer.name for layer in self.network.layers]
        gains, bias_rates = [], np.zeros(len(names))
        for projection, unit in zip(self.network.projections, self.compiled.scales, strict=True):
            synapse, static = projection.synapse, projection.pre == names[0]
            ratio = update_ratio(fixed, unit, scale * synapse.learning_rate, self.beta, self.delay_ticks, static)
            gains.append(gain_row(ratio))
            if synapse.plastic:  # a bias is the weight from an always active unit
                place = names.index(projection.post)
                bias_rates[place] = max(bias_rates[place], scale * synapse.learning_rate)
        per_step = self.beta * self.delay_ticks * self.compiled.potential_unit * 2.0**fixed.trace_bits
        return np.array(gains, np.int64), np.array([gain_row(rate / per_step) for rate in bias_rates], np.int64)

    def _run(
        self, state: FixedState, counts: FixedCounts, images: np.ndarray, labels: np.ndarray | None, index: int,
        scale: float, record: FixedRecord, *, learns: bool,
    ) -> np.ndarray:  # fmt: skip
        layers, phases = self.network.layers, self.phases
        given = labels if learns else np.zeros(len(images), np.int64)
        check_samples(images, given if learns else given[:0], layers[0].size, layers[-1].size)
        answers = np.zeros(len(images), np.int64)
        setting = (
            phases.free_ticks, phases.nudged_ticks, phases.free_ticks - phases.readout_ticks, int(Purpose.NUDGE_SIGN),
        )  # fmt: skip
        present_fixed(
            self.compiled.program, self.scales, self.weights, state, counts, to_pixels(images),
            np.asarray(given, np.int64), setting, (learns, self.random_sign, int(index)), *self._gains(scale), answers,
            record,
        )  # fmt: skip
        return answers

    def get_weights(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the weights by projection, (n_pre, n_post), and the biases by layer, (n,), as real numbers, exact."""
        weights = {
            projection.name: program.get_projection(self.compiled, self.weights, index)
            for index, projection in enumerate(self.network.projections)
        }
        unit = self.compiled.potential_unit
        names = [layer.name for layer in self.network.layers if layer.kind == "lif"]
        return weights, {name: self.weights.bias[self.compiled.block(name)] * unit for name in names}

    def set_weights(self, weights: Mapping[str, np.ndarray], biases: Mapping[str, np.ndarray]) -> None:
        """Replace weights (n_pre, n_post) and biases (n,) by the nearest that the registers hold; residues start anew.

        Raises
        ------
        DataError
            if a name is unknown, an array has the wrong shape, or a value does not fit its register.
        """
        for given, known in zip((weights, biases), self.get_weights(), strict=True):
            check_arrays(given, known)
        names = [projection.name for projection in self.network.projections]
        for name, values in weights.items():
            index = names.index(name)
            codes, scale = program.quantise(self.compiled, index, values), self.compiled.scales[index]
            odd = int(self.fixed.odd)
            _check_range(codes, (scale.low, scale.high), name, scale.unit * (1 + odd), scale.unit * odd)
            program.set_projection(self.compiled, self.weights, index, codes)
        one, unit = 1 << self.fixed.potential_exponent, self.compiled.potential_unit
        for name, values in biases.items():
            codes = np.rint(np.asarray(values, np.float64) / unit).astype(np.int64)
            _check_range(codes, (-2 * one, 2 * one - 1), f"bias->{name}", unit, 0.0)
            self.weights.bias[self.compiled.block(name)] = codes

    def training_state(self) -> dict[str, np.ndarray]:
        """Return the residues below the weights' last bit, flat, by projection; nothing where there are none."""
        mask = (1 << self.fixed.accumulator_bits) - 1
        return {
            f"residue.{index}": (program.get_codes(self.compiled, self.weights, index) & mask).ravel()
            for index in range(len(self.network.projections) if mask else 0)
        }

    def set_training_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what :meth:`training_state` gave.

        Raises
        ------
        ValueError
            if an array is missing or has another size.
        """
        mask = (1 << self.fixed.accumulator_bits) - 1
        for name, known in self.training_state().items():
            if name not in state or state[name].shape != known.shape:
                raise ValueError(f"the training state lacks {name}, or it has another size")
            place, shape, n_post = self.compiled.grid(int(name.removeprefix("residue.")))
            grid = self.weights.stored[place].reshape(shape)[:, :n_post]
            grid[:] = (grid & ~mask) | (state[name].reshape(grid.shape) & mask)

    def diagnostics(self) -> dict[str, float]:
        """Return nothing: a clocked phase always ends."""
        return {}

    def clear_counts(self, *phases: str) -> None:
        """Forget what was counted in ``phases``."""
        for table in self.counts:
            for phase in phases:
                table[PHASES.index(phase)] = 0

    def ledger(self) -> Ledger:
        """Return the counted events; biases are projections ``bias->layer``."""
        names, rows = self._counted_rows()
        ledger = Ledger(tuple(layer.name for layer in self.network.layers), names)
        for index, phase in enumerate(PHASES):
            ticks, presentations = (int(x) for x in self.counts.run[index])
            ledger.phases[phase] += PhaseCounts(
                self.counts.layers[index].copy(), self.counts.projections[index][rows], ticks, presentations
            )
        return ledger

    def set_counts(self, ledger: Ledger, spikes: Mapping[str, np.ndarray]) -> None:
        """Continue counting from a stored ledger and the spikes (n_phases, n) of each layer."""
        self.counts = program.new_counts(self.compiled)
        _, rows = self._counted_rows()
        for index, phase in enumerate(PHASES):
            stored = ledger.phases[phase]
            self.counts.layers[index] = stored.layers
            self.counts.projections[index][rows] = stored.projections
            self.counts.run[index] = stored.ticks, stored.presentations
        for layer in self.network.layers[1:]:
            self.counts.spikes[:, self.compiled.block(layer.name)] = spikes[layer.name]

    def _counted_rows(self) -> tuple[tuple[str, ...], list[int]]:
        """Return names and rows of what the projections' table counts."""
        names = [projection.name for projection in self.network.projections]
        biased = [k for k, layer in enumerate(self.network.layers) if layer.kind == "lif"]
        rows = [*range(len(names)), *(len(names) + k for k in biased)]
        return (*names, *(f"bias->{self.network.layers[k].name}" for k in biased)), rows

    def spikes_per_neuron(self) -> dict[str, np.ndarray]:
        """Return the spikes counted so far per layer, (n_phases, n), in the order of the ledger's phases."""
        first, *rest = self.network.layers
        silent = np.zeros((len(PHASES), first.size), np.int64)
        return {first.name: silent} | {
            layer.name: self.counts.spikes[:, self.compiled.block(layer.name)].copy() for layer in rest
        }


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Return images in [0, 1] as integers of 8 bits, 255 for 1; the loop reads them as fractions of 256."""
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def _check_range(codes: np.ndarray, bounds: tuple[int, int], name: str, step: float, start: float) -> None:
    low, high = bounds
    if codes.size and (codes.min() < low or codes.max() > high):
        raise DataError(
            f"a value does not fit: the register holds {low * step + start:g} to {high * step + start:g}.",
            field=name,
            remedy="Scale the values down, or give the projection a higher weight exponent or more bits.",
        )


def _check_fit(rule: InLoopRule, phases: Phases, beta: float) -> None:
    for wrong, field, problem, remedy in (
        (not rule.contrastive, "rule", "fixed point runs EqSpike only.", "Use SpikingSubstrate for other rules."),
        (phases.nudged_ticks == 0, "phases.nudged_ticks", "a contrastive rule needs a nudged phase.", "Raise it."),
        (
            phases.free_ticks + phases.nudged_ticks >= MOST_TICKS,
            "phases",
            "a presentation is too long for fixed point.",
            f"Use fewer than {MOST_TICKS} ticks in all.",
        ),
        (beta <= 0, "beta", "a contrastive rule divides by beta.", "Use a value above 0."),
    ):
        if wrong:
            raise ConfigError(problem, field=field, remedy=remedy)
