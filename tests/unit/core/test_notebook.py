from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import eqspike
from eqspike.core import notebook
from eqspike.core.notebook import Live
from eqspike.training.pace import NotebookProgress
from eqspike.training.progress import Progress


class Screen:
    """What a notebook would show: the places, and every drawing of each."""

    def __init__(self) -> None:
        self.drawn: list[list] = []

    def display(self, shown, display_id):
        place = [shown]
        self.drawn.append(place)
        return SimpleNamespace(update=place.append)


@pytest.fixture
def screen(monkeypatch) -> Screen:
    """Stand in for the kernel of a notebook."""
    found = Screen()
    interactive, displays = ModuleType("IPython"), ModuleType("IPython.display")
    interactive.get_ipython = lambda: SimpleNamespace(kernel=object())
    displays.display = found.display
    monkeypatch.setitem(sys.modules, "IPython", interactive)
    monkeypatch.setitem(sys.modules, "IPython.display", displays)
    monkeypatch.setattr(notebook, "REDRAW_S", 0.0)
    return found


def _within(name: str) -> eqspike.Projection:
    return eqspike.Projection(name, name, connectivity=eqspike.AllToAll(), weight=1e-4, delay_s=1.5e-3)


def _network() -> eqspike.Network:
    neuron = eqspike.LIF(tau_membrane_s=20e-3, v_threshold=20e-3)
    layer = eqspike.Layer("<E>", 20, "lif", neuron)
    return eqspike.Network((layer,), (_within("<E>"),))


def _simulated(clock=None):
    drive = {"<E>": eqspike.Poisson(rate_hz=5_000, weight=1e-3)}
    return eqspike.simulate(_network(), 0.0503, clock=clock, inputs=drive)


def test_a_terminal_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not notebook.running()
    interactive = ModuleType("IPython")
    interactive.get_ipython = lambda: SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", interactive)
    assert not notebook.running()


def test_progress_is_redrawn_in_one_place(screen):
    live = Live()
    live.show("a <b>", 0.25)
    live.show("c", 0.5)
    ((first, second),) = screen.drawn
    assert "&lt;b&gt;" in first._repr_html_() and 'value="0.2500"' in first._repr_html_()
    assert repr(second) == "c"


def test_it_is_not_redrawn_more_often_than_anybody_can_read(screen, monkeypatch):
    monkeypatch.setattr(notebook, "REDRAW_S", 1e9)
    live = Live()
    for share in np.linspace(0, 1, 100):
        live.show("at work", share)
    live.show("done", 1.0, last=True)
    assert [repr(shown) for shown in screen.drawn[0]] == ["at work", "done"]


def test_training_shows_its_epochs(screen):
    show = NotebookProgress()
    show(Progress("compile", 0, 2, 0, 100))
    show(Progress("train", 0, 2, 50, 100))
    show(Progress("train", 1, 2, 0, 100, 0.5, 0.75))
    show(Progress("test", 2, 2, 0, 100))
    show.finish()
    said = [repr(shown) for shown in screen.drawn[0]]
    assert "preparing" in said[0] and said[1].startswith("epoch 1/2") and "validation 75.0%" in said[2]
    assert said[2].startswith("epoch 1/2") and said[3] == "testing"
    shares = [re.search(r'value="([\d.]+)"', shown._repr_html_()) for shown in screen.drawn[0]]
    assert [share and float(share[1]) for share in shares] == [None, 0.25, 0.5, None, 1.0]
    assert said[4].endswith("done")


def test_training_in_a_notebook_ends_with_a_full_bar(screen):
    run = eqspike.train("eqspike-digits", training__epochs=1, data__train_limit=50, data__test_limit=20)
    assert run.status == "complete" and len(screen.drawn) == 1
    assert repr(screen.drawn[0][-1]).startswith("epoch 1/1") and 'value="1.0000"' in screen.drawn[0][-1]._repr_html_()
    told = []
    eqspike.train("eqspike-digits", training__epochs=0, data__test_limit=20, on_progress=told.append)
    assert told and len(screen.drawn) == 1


@pytest.mark.kernels
def test_a_simulation_that_is_watched_is_the_same_simulation(screen):
    watched = _simulated()
    assert len(screen.drawn[0]) > 10
    notebook_shell = sys.modules.pop("IPython")
    alone = _simulated()
    sys.modules["IPython"] = notebook_shell
    assert watched.time_s == alone.time_s and len(alone.spikes["<E>"].t) > 0
    for name in ("t", "i"):
        assert np.array_equal(getattr(watched.spikes["<E>"], name), getattr(alone.spikes["<E>"], name))


@pytest.mark.parametrize("clock", [eqspike.Clocked(), eqspike.Exact()], ids=["clocked", "exact"])
def test_a_simulation_shows_itself(clock):
    simulation = _simulated(clock)
    shown = simulation._repr_html_()
    assert "&lt;E&gt;" in shown and "<E>" not in shown and f">{len(simulation.spikes['<E>'].t):,}<" in shown


def test_a_network_and_a_ledger_show_themselves():
    assert "&lt;E&gt;" in _network()._repr_html_() and "<E>" not in _network()._repr_html_()
    ledger = _simulated().ledger()
    shown = ledger._repr_html_()
    for _, _, _, count in ledger.rows():
        assert f">{count:,}<" in shown
