"""The spiking substrate as an object: what it refuses, what it hands out and takes back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from reference.cases import counts_of, plain_case, spikes_of

from eqspike.core.errors import ConfigError, DataError
from eqspike.kernels import layout
from eqspike.learning.eqspike import EqSpike
from eqspike.learning.plasticity import Plasticity
from eqspike.learning.stdp import PairSTDP
from eqspike.network.description import Layer, Network, Neuron, Projection, Synapse
from eqspike.network.initialisers import glorot_uniform
from eqspike.network.neurons import LIF
from eqspike.substrates.spiking.settings import Encoding, Phases
from eqspike.substrates.spiking.substrate import SpikingSubstrate


def engine(kind: str = "regular", **changes) -> SpikingSubstrate:
    return plain_case(kind).build_with(EqSpike(**changes))[0]


def test_a_contrastive_rule_needs_a_nudged_phase() -> None:
    case, phases = plain_case(), Phases(free_ticks=5, nudged_ticks=0, readout_ticks=5)
    with pytest.raises(ConfigError) as error:
        SpikingSubstrate(case.network, EqSpike().plasticity(), phases, case.encoding)
    assert error.value.field == "phases.nudged_ticks"
    SpikingSubstrate(case.network, PairSTDP(tau_plus=20, tau_minus=20).plasticity(), phases, case.encoding)


@pytest.mark.parametrize(
    ("group", "settings", "field"),
    [
        (Phases, {"free_ticks": 0}, "free_ticks"),
        (Phases, {"nudged_ticks": -1}, "nudged_ticks"),
        (Phases, {"readout_ticks": 0}, "readout_ticks"),
        (Encoding, {"kind": "morse"}, "kind"),
        (Encoding, {"max_rate": 1.1}, "max_rate"),
        (Encoding, {"max_rate": 0}, "max_rate"),
    ],
)
def test_settings_out_of_range_are_named(group, settings: dict, field: str) -> None:
    with pytest.raises(ConfigError) as error:
        group.parse(settings)
    assert error.value.field == field


def test_the_window_must_lie_in_the_free_phase() -> None:
    with pytest.raises(ConfigError, match="readout_ticks must not exceed free_ticks"):
        Phases.parse({"free_ticks": 10, "readout_ticks": 11})


@pytest.mark.parametrize("precision", [32, 64])
def test_initial_weights_are_glorots_and_biases_zero(precision: int) -> None:
    case = plain_case()
    made = SpikingSubstrate(
        case.network, EqSpike().plasticity(), case.phases, case.encoding, seed=9, precision=precision
    )
    weights, biases = made.get_weights()
    dtype = np.float32 if precision == 32 else np.float64
    assert np.array_equal(weights["input->hidden"], glorot_uniform(6, 7, 1.0, 9, 0).astype(dtype))
    assert np.array_equal(weights["hidden->output"], glorot_uniform(7, 3, 1.0, 9, 1).astype(dtype))
    assert {name: bias.tolist() for name, bias in biases.items()} == {"hidden": [0.0] * 7, "output": [0.0] * 3}


def test_weights_come_back_as_set_and_are_copies() -> None:
    made, (weights, biases) = engine(), plain_case(seed=8).weights()
    made.set_weights(weights, biases)
    made.get_weights()[0]["input->hidden"][:] = 0
    made.get_weights()[1]["output"][:] = 0
    for wanted, found in zip((weights, biases), made.get_weights(), strict=True):
        assert all(np.array_equal(wanted[name], found[name]) for name in wanted)


def test_missing_names_keep_theirs() -> None:
    made = engine()
    before = made.get_weights()
    made.set_weights({"hidden->output": np.zeros((7, 3))}, {"hidden": np.ones(7)})
    after = made.get_weights()
    assert np.array_equal(before[0]["input->hidden"], after[0]["input->hidden"])
    assert np.array_equal(before[1]["output"], after[1]["output"])
    assert not after[0]["hidden->output"].any()
    assert after[1]["hidden"].tolist() == [1.0] * 7


@pytest.mark.kernels
def test_counts_survive_being_stored() -> None:
    case, made = plain_case(), engine()
    made.train(case.images(3), case.labels(3), np.arange(3), 0, 3, scale=1.0, offset=0)
    made.infer(case.images(2))
    again = engine()
    again.set_counts(made.ledger(), made.spikes_per_neuron())
    assert counts_of(again.ledger()) == counts_of(made.ledger())
    for name, spikes in made.spikes_per_neuron().items():
        assert spikes.shape == (3, case.network.layer(name).size)
        assert np.array_equal(again.spikes_per_neuron()[name], spikes)
        per_phase = [made.ledger().phases[phase] for phase in ("free", "nudged", "inference")]
        row = made.ledger().layers.index(name)
        assert spikes.sum(axis=1).tolist() == [counts.layers[row, 0] for counts in per_phase]


@pytest.mark.kernels
def test_uncounted_inference_leaves_the_counts_alone_and_phases_can_be_cleared() -> None:
    made, images = engine(), plain_case().images(3)
    answers = made.infer(images, counted=False).tolist()
    assert counts_of(made.ledger()) == {}
    assert made.infer(images).tolist() == answers
    assert counts_of(made.ledger()) != {}
    made.clear_counts("free")
    assert counts_of(made.ledger()) != {}
    made.clear_counts("inference")
    assert counts_of(made.ledger()) == {}


@pytest.mark.kernels
def test_probes_are_off_unless_asked_and_say_what_had_no_room() -> None:
    case, made = plain_case(), engine()
    images, labels = case.images(2), case.labels(2)
    plain = made.observe(images, labels, 1, states=False)
    assert plain.raster.shape == (35, made.compiled.n_neurons)
    assert plain.potential.size == plain.rate.size == plain.update_value.size == 0
    little, much = (made.observe(images, labels, 1, updates=room) for room in (5, 20_000))
    assert little.n_updates[0] == much.n_updates[0] > 5
    assert np.array_equal(little.update_place, much.update_place[:5])
    assert np.array_equal(little.update_value, much.update_value[:5])
    assert np.array_equal(little.raster, plain.raster)
    assert made.observe(images, None, 1).raster.shape[0] == 20


@pytest.mark.kernels
def test_input_spikes_are_recorded_and_belong_to_the_presentation() -> None:
    case, made = plain_case("poisson"), engine("poisson")
    images = np.repeat(case.images(1), 2, axis=0)
    rasters = [spikes_of(made, made.observe(images, None, index).raster)["input"] for index in (0, 1, 0)]
    assert rasters[0].any()
    assert not np.array_equal(rasters[0], rasters[1])
    assert np.array_equal(rasters[0], rasters[2])


@pytest.mark.kernels
def test_scale_multiplies_every_learning_rate() -> None:
    case = plain_case("static", commit="end_of_phase")
    moved = []
    for scale in (0.25, 0.5):
        made = case.build_with(EqSpike())[0]
        made.train(case.images(1), case.labels(1), np.arange(1), 0, 1, scale=scale, offset=0)
        after, before = made.get_weights(), case.weights()
        moved.append([after[k][name] - before[k][name] for k in (0, 1) for name in before[k]])
    for small, large in zip(*moved, strict=True):
        assert np.any(small)
        np.testing.assert_allclose(2 * small, large, rtol=1e-9, atol=1e-14)


@pytest.mark.kernels
def test_no_images_no_answers() -> None:
    made = engine()
    assert made.infer(np.zeros((0, 6))).size == 0
    assert counts_of(made.ledger()) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"precision": 16}, "precision"), ({"beta": 0.0}, "beta"), ({"encoding": Encoding()}, "encoding.kind")],
)
def test_a_substrate_that_could_not_run_is_refused(changes: dict, field: str) -> None:
    case = plain_case()
    settings = {"encoding": case.encoding, "phases": Phases()} | changes
    with pytest.raises(ConfigError) as error:
        SpikingSubstrate(case.network, EqSpike().plasticity(), **settings)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("layers", "projection", "field"),
    [
        ((Layer("a", 3, "source"),), None, "network"),
        ((Layer("a", 3, "source"), Layer("b", 3, "source"), Layer("c", 2, "lif", Neuron())), None, "network"),
        ((Layer("a", 3, "source"), Layer("c", 2, "lif", LIF())), None, "c"),
        ((Layer("a", 3, "source"), Layer("c", 2, "lif", Neuron())), Projection("a", "c", weight=1.0), "a->c"),
    ],
)
def test_networks_in_continuous_time_are_sent_to_simulate(layers: tuple, projection, field: str) -> None:
    network = Network(layers, (projection,) if projection else ())
    with pytest.raises(ConfigError) as error:
        SpikingSubstrate(network, EqSpike().plasticity(), Phases(), Encoding(kind="poisson"))
    assert error.value.field == field


def test_samples_that_the_kernels_could_not_survive_are_refused() -> None:
    substrate = engine()
    pixels, classes = substrate.network.layers[0].size, substrate.network.layers[-1].size
    images, order = np.zeros((2, pixels), np.float32), np.arange(2)
    with pytest.raises(DataError, match="no class"):
        substrate.train(images, np.array([0, classes]), order, 0, 2, scale=1.0, offset=0)
    with pytest.raises(DataError, match=f"takes \\(n, {pixels}\\)"):
        substrate.infer(np.zeros((2, pixels + 1), np.float32))
    with pytest.raises(DataError) as error:
        substrate.observe(images, None, 0, injected=np.zeros((5, 3)))
    assert error.value.field == "injected"


def test_pixels_above_one_spike_in_every_tick_and_no_more() -> None:
    substrate = engine()
    images = np.full((1, substrate.network.layers[0].size), 7.0, np.float32)
    raster = substrate.observe(images, None, 0, states=False).raster[:, substrate.compiled.block("input")]
    assert raster.all()


def test_weights_of_the_wrong_shape_or_name_are_refused() -> None:
    substrate = engine()
    weights, biases = substrate.get_weights()
    name = next(iter(weights))
    for wrong in ({name: weights[name].T}, {"nowhere": weights[name]}):
        with pytest.raises(DataError):
            substrate.set_weights(wrong, {})
    with pytest.raises(DataError):
        substrate.set_weights({}, {layer: values[1:] for layer, values in biases.items()})


def test_initial_weights_keep_to_their_bounds() -> None:
    case = plain_case()
    bounded = [
        Projection(p.pre, p.post, Synapse(learning_rate=0.1, w_min=-0.05, w_max=0.1), p.symmetric)
        for p in case.network.projections
    ]
    network = Network(case.network.layers, tuple(bounded))
    substrate = SpikingSubstrate(network, EqSpike().plasticity(), Phases(), case.encoding)
    for values in substrate.get_weights()[0].values():
        assert values.min() >= np.float32(-0.05) and values.max() <= np.float32(0.1)
        assert (values == np.float32(0.1)).any(), "the case must have weights that the bound cuts"


class _Constant(NamedTuple):
    step: float


def _trace(parameters, traces, spikes, tick):
    for i in range(spikes.size):
        traces[0, i] = 1.0


def _always(parameters, weight, pre, i, post, j):
    return parameters.step


@pytest.mark.kernels
@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize("kind", ["static", "regular"])
def test_learning_leaves_padding_alone_and_both_orders_of_the_weights_equal(kind: str, commit: str) -> None:
    """Even with a rule that asks for something at every synapse, those that do not exist stay at zero."""
    case = plain_case(kind, commit=commit)
    rule = Plasticity(_Constant(0.01), ("on",), _trace, _always, _always)
    made = SpikingSubstrate(case.network, rule, case.phases, case.encoding, precision=64)
    images, labels = case.images(3), case.labels(3)
    before = made.get_weights()[0]
    made.train(images, labels, np.arange(3), 0, 3, scale=1.0, offset=0)
    now = made.get_weights()[0]
    assert any(not np.array_equal(before[name], now[name]) for name in now)
    w, wt, _ = made.weights
    for row, (name, values) in zip(made.compiled.program.projections, now.items(), strict=True):
        block = w[row[layout.OFFSET] :][: len(values) * row[layout.ROW]].reshape(len(values), -1)
        assert not block[:, values.shape[1] :].any(), name
        if row[layout.TRANSPOSED] >= 0:
            across = wt[row[layout.TRANSPOSED] :][: values.shape[1] * row[layout.COLUMN]]
            across = across.reshape(values.shape[1], -1)
            assert np.array_equal(across[:, : len(values)].T, values), name
            assert not across[:, len(values) :].any(), name
