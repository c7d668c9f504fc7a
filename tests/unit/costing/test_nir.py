"""A NIR model on samples: counted as by hand, with held inputs as products and biases as no events."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from eqspike.bridges.nir import from_nir
from eqspike.core.errors import ConfigError, DataError
from eqspike.costing.nir import Samples, read_samples, workload_of_nir
from hw_models import load_chip, price

nir = pytest.importorskip("nir")

STEP = 1e-3


def graph():
    """3 inputs, 4 neurons that all fire with every input spike, 2 that nothing moves."""
    return nir.NIRGraph(
        {
            "in": nir.Input(np.array([3])),
            "fc": nir.Affine(np.full((4, 3), 5.0), np.array([0.0, 0.01, 0.02, 0.03])),
            "h": nir.IF(np.full(4, 1 / STEP), np.ones(4)),
            "w": nir.Linear(np.zeros((2, 4))),
            "o": nir.LIF(np.full(2, 0.02), np.ones(2), np.zeros(2), np.ones(2)),
            "out": nir.Output(np.array([2])),
        },
        [("in", "fc"), ("fc", "h"), ("h", "w"), ("w", "o"), ("o", "out")],
        metadata={"dt": STEP},
        type_check=False,
    )


def test_spikes_in_are_counted_at_every_synapse() -> None:
    spikes = np.zeros((2, 10, 3))
    spikes[0, [1, 4], 0] = 1
    spikes[1, 2, :] = 1
    workload = workload_of_nir(partial(from_nir, graph()), Samples(spikes={"in": spikes}), name="tiny")
    (phase,) = workload.phases
    assert (phase.presentations, phase.ticks, workload.tick_s) == (2, 20, STEP)
    fired = phase.counts["h", "spikes"]
    assert phase.counts["in", "spikes"] == 5
    assert fired == 4 * 3  # two single spikes, then three at once
    assert phase.counts["in->h", "synaptic_events_forward"] == 5 * 4
    assert phase.counts["h->o", "synaptic_events_forward"] == fired * 2
    assert phase.counts["h", "neuron_updates"] == 4 * 20 and phase.counts["o", "neuron_updates"] == 2 * 20
    assert {layer.name: layer.stateful for layer in workload.layers} == {"in": False, "h": True, "o": True}
    assert {p.name: p.synapses for p in workload.projections} == {"in->h": 12 + 4, "h->o": 8}
    assert price(workload, load_chip("generic-45nm")).energy().value > 0


def test_held_values_are_multiplied_once_a_presentation() -> None:
    x = np.array([[0.1, 0.0, 0.0], [0.1, 0.2, 0.0], [0.0, 0.0, 0.0]])
    load = partial(from_nir, graph())
    workload = workload_of_nir(load, Samples(held={"in": x}), duration_s=0.02)
    (phase,) = workload.phases
    assert phase.counts["in->h", "macs_forward"] == 3 * 4  # three values that are not 0
    assert not any(entity.startswith("constant") for entity, _ in phase.counts)
    assert phase.ticks == 60
    rate = phase.counts["h", "spikes"] / 4
    assert rate == pytest.approx((0.5 + 1.0) * 20, abs=4)  # every other step, and every step: what is over is lost
    assert workload_of_nir(load, Samples(held={"in": x}), limit=1, duration_s=0.02).phases[0].presentations == 1


def test_samples_come_from_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 3)))
    assert read_samples(tmp_path / "a.npz", ("in",)).held["in"].shape == (2, 3)
    np.savez(tmp_path / "b.npz", **{"x/a": np.ones((2, 3)), "spikes/b": np.ones((4, 5, 2), bool)})
    samples = read_samples(tmp_path / "b.npz", ("a", "b"))
    assert set(samples.held) == {"a"} and set(samples.spikes) == {"b"} and len(samples) == 2


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"y": np.ones((2, 3))}, "no samples for 'in'"),
        ({"x": np.ones(3)}, "shape"),
        ({"spikes": np.ones((2, 3))}, "shape"),
        ({"x": np.array([[1, None]], object)}, "holds object"),
        ({"x": np.array([["a"]])}, "holds <U1"),
        ({"x": np.full((2, 3), np.nan)}, "not finite"),
        ({"spikes": -np.ones((1, 2, 3))}, "negative"),
        ({"x": np.ones((0, 3))}, "no samples"),
    ],
)
def test_files_of_samples_that_do_not_fit_are_refused(arrays: dict, said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=said):
        read_samples(tmp_path / "a.npz", ("in",))


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2", b"PK\x03\x04 no zip", b"\x80\x04\x95pickle."])
def test_what_is_no_npz_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_samples(tmp_path / "a.npz", ("in",))
    with pytest.raises(DataError, match="no such file"):
        read_samples(tmp_path / "b.npz", ("in",))


def test_a_header_is_not_taken_at_its_word(tmp_path: Path) -> None:
    import io
    import zipfile

    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (1 << 20, 1 << 20)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", head.getvalue())
    with pytest.raises(DataError, match="declares shape"):
        read_samples(tmp_path / "a.npz", ("in",))


def test_samples_of_another_width_are_refused() -> None:
    load = partial(from_nir, graph())
    with pytest.raises(ConfigError, match="2 neurons have spikes"):
        workload_of_nir(load, Samples(spikes={"in": np.ones((1, 4, 2))}))
    with pytest.raises(ConfigError, match="2 values"):
        workload_of_nir(load, Samples(held={"in": np.ones((1, 2))}))
