"""The arrays of a simulation in ticks, grouped, and the codes in them.

Shapes: L layers, P projections, K channels, N neurons with padding. A part is what one thread owns: some neurons of
every layer, and all synapses onto them; targets are counted within the part, spikes by their number in the layer.
"""

from __future__ import annotations

from collections import namedtuple

LANES = 16
GROUP = 64  # neurons that draw their random numbers together; parts begin at multiples of it
LIST, POISSON, NEURONS = 0, 1, 2
DENSE, ONE_TO_ONE, SPARSE, CONVOLUTION = 0, 1, 2, 3
DONE, FULL = 0, 1
NO_LEAK = 63  # a shift that stands for no leak at all

# Columns of Program.layers and Program.neurons. DRIVEN is the channel of a background, -1 where it acts on V.
START, SIZE, FIRST, KIND, HARD, REFRACTORY, LISTED, DRAWN, TOTAL, DRIVEN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
KEEP, THRESHOLD, RESET, ADAPT_KEEP, ADAPT_INTO, ADAPT_STEP, WEIGHT = 0, 1, 2, 3, 4, 5, 6
# Columns of Program.projections. CHANNEL is -1 for a delta synapse, PLASTIC and OWN_DELAYS where there are none.
PRE, POST, WIRING, WEIGHTS, UNIFORM, ROW, STARTS, TARGETS, WIDE, CHANNEL = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
DELAYS, N_DELAYS, OWN_DELAYS, PLASTIC, SOURCE_STARTS, SOURCES, SOURCES_WIDE = 10, 11, 12, 13, 14, 15, 16
HEIGHT, WIDTH, DEPTH, SIDE, PADDING, MAPS, OUT_HEIGHT, OUT_WIDTH = 17, 18, 19, 20, 21, 22, 23, 24
MULTIPLIER, DOWN, UP = 25, 26, 27
# Columns of Program.channels and Program.filters.
CHANNEL_LAYER, CHANNEL_START = 0, 1
DECAY, INTO = 0, 1
# Columns of the counts of projections, in the order of eqspike.core.ledger where they are there.
EVENTS, WRITES, SUPPRESSED, SATURATIONS = 0, 1, 2, 3
TRACES_READ, LAYER_SATURATIONS = 0, 1

# Structure and constants, never written: layers (L, 10) int, neurons (L, 7) real, constant (N,) what of a tick does
# not change, the same for all neurons of a layer, projections (P, 28) int, bounds (P, 2) of weights that learn,
# channels (K, 2) int, filters (K, 2) real, starts, narrow (uint16) and wide (uint32) numbers of neurons of sparse
# projections, delays and own_delays in ticks, tails (L, k) uint32 of Poisson counts, given_starts (n_lists, ticks + 1)
# and given (n_spikes,) listed spikes.
Program = namedtuple(
    "Program",
    "layers neurons constant projections bounds channels filters starts narrow wide delays own_delays tails "
    "given_starts given",
)
# The same for integers of a chip: leaks, decays and adaptation are right shifts in the columns KEEP, DECAY and
# ADAPT_KEEP; limits is (low, high, wraps) of the potentials. What a rule asks for times MULTIPLIER / 2^DOWN is a number
# of steps of the weight, each 2^UP.
FixedProgram = namedtuple("FixedProgram", (*Program._fields, "limits"))

# State: v (N,), current by channel, adaptation (N,), pause (N,) int16 where that holds every refractory time and else
# int32, spikes (N,) uint8 of layers that take more than one pass a tick, words a view of spikes in uint64, weights of
# all projections, drawn (GROUP,) uint32 and counted (GROUP,) int32 scratch.
State = namedtuple("State", "v current adaptation pause spikes words weights drawn counted")

# Traces of plastic projections: values (2 Q, n_traces, n) of pre and post ends in turn, keep (n_traces,) the decay a
# tick, in fixed point its right shift, nearest (n_traces,) bool.
Traces = namedtuple("Traces", "values keep nearest")
FRACTION = 16  # bits of a trace in fixed point behind the point

# Counts: projections (P + L, 4) with backgrounds last, layers (L, 2).
Counts = namedtuple("Counts", "projections layers")

# Spikes of past ticks: ids (capacity,) int32 by tick and layer, starts (ticks, L + 1); row 0 is tick ``base``.
Log = namedtuple("Log", "ids starts")
