"""The arrays of a simulation in continuous time, grouped, and the codes in them.

Shapes: L layers, P projections, N neurons of all layers, R traces, M neurons at the ends of plastic projections.
"""

from __future__ import annotations

from collections import namedtuple

SOURCE, NEURONS = 0, 1
SILENT, LISTED, DRAWN = 0, 1, 2
DENSE, ONE_TO_ONE, NARROW, WIDE, CONVOLUTION = 0, 1, 2, 3, 4
EMITTING, DELIVERING = 0, 1
DONE, PAUSED, LOG_FULL, QUEUE_FULL, RUNAWAY, NOT_FINITE = 0, 1, 2, 3, 4, 5

# Columns of Program.layers: OUT to OUT_END and IN to IN_END are the projections from a layer, and the plastic ones onto
# it, in Program.links.
START, SIZE, KIND, HARD, OUT, OUT_END, IN, IN_END = 0, 1, 2, 3, 4, 5, 6, 7
# Columns of Program.neurons. DECAY is 1 / tau, LEVEL what V tends to; of integrate-and-fire neurons 0 and dV/dt. MOST
# is how many spikes a layer may have within a window.
DECAY, LEVEL, THRESHOLD, RESET_TO, REFRACTORY, MOST = 0, 1, 2, 3, 4, 5
# Columns of Program.projections; WEIGHTS is -1 where all synapses have one weight, OWN_DELAY 1 where every pre neuron
# has a delay of its own, PRE_TRACES and POST_TRACES are the columns of State.traces.
PRE, POST, WIRING, WEIGHTS, STARTS, TARGETS, DELAY, OWN_DELAY, PLASTIC = 0, 1, 2, 3, 4, 5, 6, 7, 8
SOURCE_STARTS, SOURCES, SOURCES_WIDE, PRE_TRACES, POST_TRACES = 9, 10, 11, 12, 13
WIDTH, DEPTH, SIDE, PADDING, MAPS, OUT_HEIGHT, OUT_WIDTH = 14, 15, 16, 17, 18, 19, 20
# Columns of State.potential and of State.marks.
V, SINCE = 0, 1
PHASE, LOGGED, WHERE = 0, 1, 2
# Columns of Inputs.table, by layer: sources first, then backgrounds.
INPUT, POINTER, END, EVENT, DRAWN_NEURON = 0, 1, 2, 3, 4
RATE, WEIGHT = 0, 1

# Structure and constants, never written: layers (L, 8) int, neurons (L, 6) real, projections (P, 21) int, links int,
# delays in seconds, starts int, narrow (uint16) and wide (uint32) numbers of neurons, common (P,) weights.
Program = namedtuple("Program", "layers neurons projections links delays starts narrow wide common")

# State: potential (N, 2) is V and since when; a neuron whose time lies ahead is refractory. crossings is a heap of
# neurons with a predicted crossing, sources one of layers, due one of queues and then of backgrounds. now (1,), marks
# (3,) int, weights, window (L,) when the count of spikes in recent (L,) began.
State = namedtuple("State", "potential crossings sources due now marks weights window recent")

# Traces: values (R, M), times (M,) when they held, taus (R,), nearest (R,) bool, bounds (2,).
Traces = namedtuple("Traces", "values times taus nearest bounds")

# Inputs: table (2 L, 5) int, rates (2 L, 2) real, times and neurons of listed spikes.
Inputs = namedtuple("Inputs", "table rates times neurons")

# Counts: layers (L, 4), projections (P + L, 9), in the order of eqspike.core.ledger; backgrounds last, by layer.
Counts = namedtuple("Counts", "layers projections")

# Spikes in the order of events: times (capacity,), neurons (capacity,) int32 among all layers.
Log = namedtuple("Log", "times neurons")
