"""How weights and traces move: in real numbers, or in a chip's integers with stochastic rounding.

The functions resolve by the type of ``program``. In fixed point the random numbers belong to the synapse, the tick and
the end that spiked, so that results do not depend on threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from eqspike.core.jit import inline, resolve_by_type
from eqspike.kernels.philox import philox4x32
from eqspike.kernels.simulation_layout import DOWN, FRACTION, MULTIPLIER, UP, FixedProgram, Program

_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)


def moved(program, row, before, asked, i, j, seed, stream, tick):
    """Return a weight after the update that its rule asks for, not yet clipped; i and j are the synapse's neurons."""
    return _KINDS[type(program)].moved(program, row, before, asked, i, j, seed, stream, tick)


def decayed(program, value, keep):
    """Return a trace a tick later."""
    return _KINDS[type(program)].decayed(program, value, keep)


def one(program, keep):
    """Return what a spike adds to a trace, a tick later."""
    return _KINDS[type(program)].one(program, keep)


@inline
def _moved(program, row, before, asked, i, j, seed, stream, tick):
    return before + asked


@inline
def _decayed(program, value, keep):
    return value * keep


@inline
def _one(program, keep):
    return keep


@inline
def _moved_fixed(program, row, before, asked, i, j, seed, stream, tick):
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    words = philox4x32(np.uint64(i), np.uint64(j), np.uint64(tick), np.uint64(stream), k0, k1)
    chance = np.int64(((words[0] << _32) | words[1]) & ((np.uint64(1) << np.uint64(row[DOWN])) - np.uint64(1)))
    return before + (((asked * row[MULTIPLIER] + chance) >> row[DOWN]) << row[UP])


@inline
def _decayed_fixed(program, value, keep):
    return value - ((value + (1 << keep) - 1) >> keep)  # rounded up, so that a trace ends


@inline
def _one_fixed(program, keep):
    return _decayed_fixed(program, 1 << FRACTION, keep)


class _Kind(NamedTuple):
    moved: object
    decayed: object
    one: object


_KINDS = {Program: _Kind(_moved, _decayed, _one), FixedProgram: _Kind(_moved_fixed, _decayed_fixed, _one_fixed)}

resolve_by_type(moved, lambda kind: _KINDS[kind].moved)
resolve_by_type(decayed, lambda kind: _KINDS[kind].decayed)
resolve_by_type(one, lambda kind: _KINDS[kind].one)
