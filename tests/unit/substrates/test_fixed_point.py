"""Fixed point as settings and as an object: what it refuses, what it declares, what it hands out and takes back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference.fixed_cases import plain_fixed_case

from eqspike.core.errors import ConfigError, DataError
from eqspike.costing.run import workload_of
from eqspike.network.description import Network, Projection
from eqspike.substrates.spiking.fixed_scales import as_multiplier
from eqspike.sweeps.fingerprint import configuration_hash
from eqspike.training.api import resolve, train
from eqspike.training.run import open_run
from eqspike.training.specs import parse_spec

BASE = {
    "name": "integers",
    "network": {"hidden": [5], "projections": [{"learning_rate": 0.1}, {"learning_rate": 0.1}], "fixed_point": {}},
    "rule": {"tau_ticks": 8, "delay_ticks": 8},
}


def built(**changes):
    """Return the substrate of a small recipe with dotted settings changed."""
    spec = resolve(BASE, {name.replace("__", "."): value for name, value in changes.items()})
    return spec.build_substrate(spec.build_network((6,), 3), (6,))


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"rule__tau_ticks": 20}, "rule.tau_ticks", "nearest is 16"),
        ({"network__neuron__leak": 0.02}, "network.neuron.leak", "nearest is 0.015625"),
        ({"network__neuron__v_max": 2.0}, "network.neuron.v_max", "less than two thresholds"),
        ({"network__fixed_point__weight_exponents": [-3]}, "network.fixed_point.weight_exponents", "one exponent"),
        ({"network__fixed_point__weight_exponents": [-3, 99]}, "network.fixed_point.weight_exponents", "-40 to 8"),
        ({"network__projections__0__tau_synapse_ticks": 5}, "network.projections", "delta synapses"),
        ({"network__projections__0__w_min": 0.01, "network__projections__0__w_max": 0.02}, None, "no weight of 4 bits"),
        ({"phases__free_ticks": 70_000}, "phases", "too long"),
        ({"network__fixed_point__weight_bits": 17}, "network.fixed_point.weight_bits", "less than or equal to 16"),
        ({"network__fixed_point__potential_bits": 33}, "network.fixed_point.potential_bits", "32"),
        ({"encoding__kind": "regular"}, None, "encoding.kind = static"),
        ({"rule__derivative": "slow_trace"}, None, "rule.derivative = delay"),
    ],
)
def test_what_cannot_be_had_in_integers_is_named(changes: dict, field: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        built(**changes)
    assert field is None or error.value.field == field


def test_layers_have_one_threshold() -> None:
    case = plain_fixed_case()
    layers = list(case.network.layers)
    other = layers[1].neuron.model_copy(update={"threshold": 0.5})
    layers[1] = type(layers[1])("hidden", 7, "lif", other)
    case = type(case)(Network(tuple(layers), case.network.projections), case.phases, case.fixed, case.rule, 1)
    with pytest.raises(ConfigError, match="different thresholds"):
        case.engine()


def test_weights_are_the_nearest_that_the_register_holds() -> None:
    made = built(network__fixed_point__weight_exponents=[-3, -3])
    wanted = np.array([[0.06, 0.07, -0.32]] * 5)
    made.set_weights({"hidden->output": wanted}, {})
    assert np.array_equal(made.get_weights()[0]["hidden->output"], [[0.0, 0.125, -0.375]] * 5)
    made = built(network__fixed_point__weight_exponents=[-3, -3], network__fixed_point__weight_bits=1)
    made.set_weights({"hidden->output": wanted / 2}, {})
    assert np.array_equal(made.get_weights()[0]["hidden->output"], [[0.125, 0.125, -0.125]] * 5)


def test_weights_beyond_the_register_are_refused_by_name() -> None:
    made = built(network__fixed_point__weight_exponents=[-3, -3])
    for values in (1.0, -1.1):  # codes 8 and -9; the register holds -8 to 7
        with pytest.raises(DataError, match=r"the register holds -1 to 0\.875") as error:
            made.set_weights({"hidden->output": np.full((5, 3), values)}, {})
        assert error.value.field == "hidden->output"
        assert "exponent" in error.value.remedy
    with pytest.raises(DataError) as error:
        made.set_weights({}, {"output": np.array([0.0, 2.0, 0.0])})
    assert error.value.field == "bias->output"
    with pytest.raises(DataError):
        made.set_weights({"hidden->output": np.zeros((3, 5))}, {})


def test_bounds_of_the_recipe_hold_within_the_register() -> None:
    made = built(network__fixed_point__weight_exponents=[-3, -3], network__projections__1__w_min=-0.13)
    with pytest.raises(DataError, match=r"holds -0\.125 to 0\.875"):
        made.set_weights({"hidden->output": np.full((5, 3), -0.25)}, {})


@pytest.mark.parametrize("bits", [1, 2, 4, 16])
def test_initial_weights_keep_glorots_mean_square(bits: int) -> None:
    """Rounded stochastically they stay of Glorot's size also where most would round to zero."""
    spec = resolve(BASE, {"network.hidden": [200], "network.fixed_point.weight_bits": bits})
    made = spec.build_substrate(spec.build_network((300,), 3), (300,))
    weights = made.get_weights()[0]["input->hidden"]
    unit, limit = made.compiled.scales[0].unit, math.sqrt(6 / 500)
    assert abs(weights.mean()) < 0.02 * limit
    assert np.abs(weights).max() <= max(limit + unit, unit)
    assert len(np.unique(weights)) <= 2**bits
    assert len(np.unique(weights)) > 1


def test_the_network_declares_its_bits() -> None:
    fixed = {"network.fixed_point.weight_bits": 3, "network.fixed_point.accumulator_bits": 7}
    spec = resolve(BASE, {**fixed, "network.projections.1.commit": "end_of_phase", "phases.nudged_ticks": 80})
    first, last = spec.build_network((6,), 3).projections
    assert (first.weight_bits, first.accumulates, first.accumulator_bits) == (3, True, 7)
    assert (last.weight_bits, last.accumulates, last.accumulator_bits) == (3, True, 7 + 1 + 12 + 8)
    assert spec.precision == 16
    plain = resolve(BASE).build_network((6,), 3).projections[0]
    assert (plain.weight_bits, plain.accumulates) == (4, False)


def test_real_networks_keep_their_configuration() -> None:
    """Settings of fixed point appear in a dump only where there are any, so that older runs keep their hash."""
    real = resolve({**BASE, "network": {k: v for k, v in BASE["network"].items() if k != "fixed_point"}})
    assert "fixed_point" not in real.model_dump(mode="json")["network"]
    spec = resolve(BASE)
    assert parse_spec(spec.model_dump(mode="json", exclude_none=True)) == spec
    assert configuration_hash(spec) != configuration_hash(real)
    assert spec.kernels() != real.kernels()


def test_multipliers_have_eight_bits() -> None:
    assert as_multiplier(0.0) == (0, 0)
    assert as_multiplier(0.25) == (128, 9)
    assert as_multiplier(1000.0) == (1000, 0)
    for ratio in (0.3, 1e-3, 7.77e-7):
        multiplier, shift = as_multiplier(ratio)
        assert multiplier / 2**shift == pytest.approx(ratio, rel=2**-8)
        assert 128 <= multiplier <= 256
    assert as_multiplier(2.0**-48) == (1, 48)


def test_other_networks_are_refused() -> None:
    case = plain_fixed_case()
    skip = Projection(
        "input", "output", case.network.projections[0].synapse.model_copy(update={"tau_synapse_ticks": 3})
    )
    network = Network(case.network.layers, (*case.network.projections, skip))
    with pytest.raises(ConfigError, match="delta synapses"):
        type(case)(network, case.phases, case.fixed, case.rule, 1).engine()


def test_a_run_file_keeps_everything_and_is_priced(tmp_path) -> None:
    """Weights, residues, counts and settings come back; the workload has the declared bits and the counted writes."""
    settings = {
        "data.train_limit": 40, "data.test_limit": 20, "data.validation": 0, "training.epochs": 1,
        "network.fixed_point.accumulator_bits": 6,
    }  # fmt: skip
    path = tmp_path / "run.h5"
    run = train(resolve(BASE, settings), out=path)
    again = open_run(path)
    assert np.array_equal(run.substrate.weights.stored, again.substrate.weights.stored)
    assert np.array_equal(run.substrate.weights.bias, again.substrate.weights.bias)
    assert list(again.ledger.rows()) == list(run.ledger.rows())
    workload = workload_of(run)
    shapes = {shape.name: shape for shape in workload.projections}
    assert shapes["input->hidden"].weight_bits == 4
    assert shapes["input->hidden"].accumulator_bits == 6
    assert shapes["bias->hidden"].weight_bits == 16
    (nudged,) = (phase for phase in workload.phases if phase.name == "nudged")
    assert nudged.counts["input->hidden", "accumulator_writes"] > 0


def test_probes_read_real_numbers() -> None:
    spec = resolve(
        BASE,
        {
            "data.train_limit": 30, "data.test_limit": 20, "data.validation": 0, "training.epochs": 1,
            "probes.presentations": 2, "probes.spikes": True, "probes.potentials": True, "probes.rates": True,
            "probes.updates": 50_000,
        },
    )  # fmt: skip
    probes = train(spec).probes
    assert np.abs(probes["potential/hidden"]).max() <= 1.0
    assert probes["rate/hidden"].min() >= 0 and probes["rate/hidden"].max() <= 1.0
    assert len(probes["updates/value"]) > 0 and np.abs(probes["updates/value"]).max() < 0.1
