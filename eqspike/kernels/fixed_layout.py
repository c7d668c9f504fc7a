"""The integer arrays of the fixed-point engine, grouped, and the codes in them.

Shapes: L layers, P projections, N neurons of the receiving layers with padding. An input layer has no neurons here:
its pixels are integers of 8 bits. Layers and weight rows are padded to ``LANES`` elements with neurons that never fire
and weights that nobody reads.
"""

from __future__ import annotations

from collections import namedtuple

LANES = 16
PIXEL_BITS = 8
STATIC, LIF = 0, 1
FREE, NUDGED, INFERENCE = 0, 1, 2

# Columns of FixedProgram.layers and FixedProgram.neurons. A LEAK of 0 is none. FLOOR and CEILING are the register's.
START, SIZE, PADDED, KIND, HARD, REFRACTORY, LEAK = 0, 1, 2, 3, 4, 5, 6
THRESHOLD, LOW, HIGH, REST, FLOOR, CEILING = 0, 1, 2, 3, 4, 5
# Columns of FixedProgram.projections. COLUMNS is where the projection's columns begin in the numbering of draws.
# STORED_LOW and STORED_HIGH bound what a synapse stores; SHIFT leads from the weights' unit to the potentials'.
PRE, POST, OFFSET, ROW, COLUMNS, COLUMN, STORED_LOW, STORED_HIGH, SHIFT = 0, 1, 2, 3, 4, 5, 6, 7, 8
SYMMETRIC, PLASTIC, HELD, FORWARD_AT, BACKWARD_AT = 9, 10, 11, 12, 13
# Columns of Gains: an update is (steps * MULTIPLIER + draw) >> DROPPED; a draw is (word << UP) >> DOWN.
MULTIPLIER, DROPPED, UP, DOWN = 0, 1, 2, 3
# Rows of FixedState.neurons, FixedState.traces and FixedState.integers.
V, DRIVE, TOTAL = 0, 1, 2
RATE, CHANGE, OWED, MEMORY = 0, 1, 2, 3
COUNT, BEFORE, FIRED, PAUSE = 0, 1, 2, 3
# Columns of the ledger's tables, in the order of eqspike.core.ledger.
SPIKES, NEURON_UPDATES, TRACE_UPDATES, CLAMPED = 0, 1, 2, 3
EVENTS_FORWARD, EVENTS_BACKWARD, MACS_FORWARD = 0, 1, 2
WEIGHT_WRITES, SUPPRESSED, ACCUMULATOR_WRITES, SATURATIONS = 4, 6, 7, 8
# What a draw is for, beside where: ends of the phase, spikes of the pre or post neuron, biases, traces.
AT_COMMIT, AT_PRE, AT_POST, AT_BIAS, AT_TRACE = 0, 1, 2, 3, 4

# Structure and constants: layers (L, 7), neurons (L, 6), projections (P, 14).
FixedProgram = namedtuple("FixedProgram", "layers neurons projections")

# What learning changes: what each synapse stores, by row of the pre neuron, and the biases (N,).
FixedWeights = namedtuple("FixedWeights", "stored bias")

# One presentation's state: neurons (3, N), traces (3 + delay, N), integers (4, N), spikes (N,), n_fired (L,), current
# by projection and direction, held as stored, words for all rows that may move together, the drive's wide sums (N,) and
# the places of the pixels that are not zero.
FixedState = namedtuple("FixedState", "neurons traces integers spikes n_fired current held words sums bright")

# Numbers that all stages read: bits of residue, weights odd (1) or not, register wraps or not, trace bits, shift and
# delay, whether traces round stochastically, multiplier and shift of the nudge, target rate, key and purpose of draws.
FixedScales = namedtuple(
    "FixedScales",
    "residue odd wrap trace_bits trace_shift delay dithered nudge nudge_shift target seed purpose",
)

# Counts as the clocked engine's: layers (3, L, counters), projections (3, P + L, counters), spikes (3, N), run (3, 2).
FixedCounts = namedtuple("FixedCounts", "layers projections spikes run")

# Probes of one presentation, (ticks, N) each, and of single updates: place (k, 5), steps * multiplier (k,) and how many
# there were (1,). A first axis of length zero means off.
FixedRecord = namedtuple("FixedRecord", "raster potential rate update_place update_asked n_updates")
