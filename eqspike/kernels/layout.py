"""The arrays that kernels read and write, grouped, and the codes in them.

Shapes: L layers, P projections, K channels, N neurons with padding. A channel is a synaptic current with one decay
onto one layer. Layers and weight rows are padded to ``LANES`` elements with neurons that never fire and weights of
zero, so that delivering a spike has no remainder loop. Few wide tables instead of many arrays: passing an array to a
kernel that is not inlined costs more than reading it.
"""

from __future__ import annotations

from collections import namedtuple

from eqspike.core.lanes import LANES as LANES

STATIC, SOURCE, LIF = 0, 1, 2
SOFT, HARD = 0, 1
IMMEDIATE, END_OF_PHASE = 0, 1
FREE, NUDGED, INFERENCE = 0, 1, 2

# Columns of Program.layers and Program.neurons.
START, SIZE, PADDED, KIND, RESET, REFRACTORY, MAIN, PLAIN = 0, 1, 2, 3, 4, 5, 6, 7
KEEP, THRESHOLD, LOW, HIGH, REST = 0, 1, 2, 3, 4
# Columns of Program.projections and Program.bounds. TRANSPOSED and the channels are -1 where there is none.
PRE, POST, OFFSET, ROW, TRANSPOSED, COLUMN, CHANNEL, BACK_CHANNEL, PLASTIC, COMMIT, STALE = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
)
W_LOW, W_HIGH = 0, 1
# Columns of Program.channels and Program.filters.
CHANNEL_LAYER, CHANNEL_START = 0, 1
DECAY, INFLOW = 0, 1
# Rows of State.neurons and State.integers.
V, DRIVE, TOTAL, OWED = 0, 1, 2, 3
COUNT, BEFORE, FIRED, PAUSE, TOUCHED = 0, 1, 2, 3, 4
# Columns of the ledger's tables, in the order of eqspike.core.ledger.
SPIKES, NEURON_UPDATES, TRACE_UPDATES, CLAMPED = 0, 1, 2, 3
EVENTS_FORWARD, EVENTS_BACKWARD, MACS_FORWARD, MACS_BACKWARD = 0, 1, 2, 3
WEIGHT_WRITES, WEIGHT_FLIPS, SUPPRESSED, ACCUMULATOR_WRITES, SATURATIONS = 4, 5, 6, 7, 8

# Structure and constants, never written by a kernel: layers (L, 8) int, neurons (L, 5) real, projections (P, 11) int,
# bounds (P, 2) real, channels (K, 2) int, filters (K, 2) real: decay a tick and 1 - decay. MAIN is the channel that a
# layer reads as it integrates, -1 where it reads them all before; PLAIN says that no other channel ends on it.
Program = namedtuple("Program", "layers neurons projections bounds channels filters")

# What learning changes: weights by row of the pre neuron; a transposed copy of the projections that are used, or learn,
# from their other end too; biases (N,).
Weights = namedtuple("Weights", "w wt bias")

# One presentation's state; each thread has its own: neurons (4, N) real, integers (5, N), spikes (N,) 0 or 1, n_fired
# (L,), current by channel, traces (n_traces, N), accumulators as w and wt, input spikes ordered by tick or, with static
# input, ids with the n_fired[0] pixels that are not zero. stale says of every row of wt when it last equalled w: 0 it
# does, 1 + t until tick t, -1 until longer ago.
State = namedtuple(
    "State", "neurons integers spikes n_fired current traces accumulated accumulated_back stale starts ids scratch"
)

# The state of several images presented side by side: potentials, drives and what arrived, by image and in it by neuron
# after the input; ids of those that fired (L, room), in a row image by image at ``rooms`` (L,), and how many there are
# (L, images); output spikes of the read-out window by image.
Block = namedtuple("Block", "v drive arrived events rooms n_fired votes")

# Counts: layers (3, L, counters), projections (3, P + L, counters) with biases last, spikes (3, N), run (3, 2).
Counts = namedtuple("Counts", "layers projections spikes run")

# What probes record of one presentation; a first axis of length zero means off.
Record = namedtuple("Record", "raster potential rate update_place update_value n_updates")
