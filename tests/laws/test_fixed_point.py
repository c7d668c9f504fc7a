"""The fixed-point engine equals its slow twin bit for bit: spikes, potentials, weights, residues, counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from reference.cases import counts_of
from reference.fixed_cases import FixedCase, fixed_cases, plain_fixed_case

from eqspike.substrates.spiking import fixed_program

pytestmark = pytest.mark.kernels
PRESENTATIONS = 2


def assert_same_learning(case: FixedCase) -> None:
    """Let both learn a few samples in an order that is not theirs, then compare everything that can be seen."""
    engine, twin = case.build()
    images, labels = case.images(PRESENTATIONS + 1), case.labels(PRESENTATIONS + 1)
    pixels, order = np.rint(images * 255).astype(int), np.array([2, 0, 1])
    answers = engine.train(images, labels, order, 1, 1 + PRESENTATIONS, scale=0.5, offset=700)
    said = [twin.present(pixels[k], int(labels[k]), 700 + s, scale=0.5).answer for s, k in list(enumerate(order))[1:]]
    assert list(answers) == said
    for index, p in enumerate(case.network.projections):
        stored = fixed_program.get_codes(engine.compiled, engine.weights, index)
        np.testing.assert_array_equal(stored, twin.stored[p.name], err_msg=p.name)
        np.testing.assert_array_equal(engine.get_weights()[0][p.name], twin.real(p), err_msg=p.name)
    for name, biases in twin.biases.items():
        np.testing.assert_array_equal(engine.weights.bias[engine.compiled.block(name)], biases, err_msg=name)
    assert counts_of(engine.ledger()) == +twin.counts


@given(case=fixed_cases())
def test_it_learns_as_its_twin(case: FixedCase) -> None:
    assert_same_learning(case)


@given(case=fixed_cases())
def test_it_looks_like_its_twin(case: FixedCase) -> None:
    """One presentation with all probes on, learning and not; the engine keeps its weights."""
    engine, twin = case.build()
    images, labels = case.images(2), case.labels(2)
    before = [array.copy() for array in engine.weights]
    for taught in (None, labels):
        record = engine.observe(images, taught, 1, updates=40_000, scale=0.5)
        label = None if taught is None else int(taught[1])
        seen = twin.present(np.rint(images[1] * 255).astype(int), label, 1, scale=0.5)
        for layer in case.network.layers[1:]:
            block, unit = engine.compiled.block(layer.name), engine.compiled.potential_unit
            np.testing.assert_array_equal(record.raster[:, block], seen.spikes[layer.name])
            np.testing.assert_array_equal(record.potential[:, block], np.array(seen.potentials[layer.name]) * unit)
            if taught is not None:
                rates = np.array(seen.rates[layer.name]) / 2.0**case.fixed.trace_bits
                np.testing.assert_array_equal(record.rate[:, block], rates)
        n = int(record.n_updates[0])
        assert n == len(seen.updates)
        wanted = sorted(seen.updates)
        order = np.lexsort(record.update_place[:n].T[::-1])
        np.testing.assert_array_equal(record.update_place[:n][order], np.array([u[:5] for u in wanted]).reshape(n, 5))
        np.testing.assert_allclose(record.update_value[:n][order], [u[5] for u in wanted], rtol=1e-12)
    for kept, now in zip(before, engine.weights, strict=True):
        np.testing.assert_array_equal(kept, now)
    assert counts_of(engine.ledger()) == {}


@given(case=fixed_cases())
def test_inference_answers_and_counts_as_its_twin(case: FixedCase) -> None:
    engine, twin = case.build()
    images = case.images(3)
    answers = engine.infer(images, threads=1)
    pixels = np.rint(images * 255).astype(int)
    assert list(answers) == [twin.present(image, None, index).answer for index, image in enumerate(pixels)]
    assert counts_of(engine.ledger()) == +twin.counts


@pytest.mark.parametrize("bits", range(1, 17))
def test_every_width_of_weights_learns_as_its_twin(bits: int) -> None:
    assert_same_learning(plain_fixed_case(weight_bits=bits, seed=bits))


@pytest.mark.parametrize("commit", ["immediate", "end_of_phase"])
@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_registers_that_overflow_do_so_as_their_twins(commit: str, overflow: str) -> None:
    """Four bits of potential and large weights: sums leave the register every few ticks."""
    case = plain_fixed_case(
        weight_bits=4, potential_bits=4, overflow=overflow, commit=commit, weight_exponents=[-1, -1], accumulator_bits=2
    )
    assert_same_learning(case)
