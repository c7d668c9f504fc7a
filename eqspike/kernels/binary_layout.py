"""The arrays that kernels of binary networks read and write, grouped, and the codes in them.

Shapes: L layers, the input first; P projections; N neurons of all layers but the input, each layer padded to whole
words; W = N / 32. A projection's signs are stored once, as rows of bits along its wider side: what arrives from the
other side is added to the lanes of a row, what arrives from the lanes is counted by the bits that a row shares with it.
"""

from __future__ import annotations

from collections import namedtuple

# Columns of Program.layers: first neuron and first word are -1 for the input.
START, SIZE, WORD, WORDS = 0, 1, 2, 3
# Columns of Program.projections; rows belong to the neurons of the post layer where the pre layer lies along them.
PRE, POST, ALONG_PRE, OFFSET, ROWS, ROW = 0, 1, 2, 3, 4, 5
FREE, NUDGED, INFERENCE = 0, 1, 2
# Columns of the ledger's tables, in the order of eqspike.core.ledger.
SPIKES, NEURON_UPDATES = 0, 1
EVENTS_FORWARD, EVENTS_BACKWARD, WEIGHT_WRITES, WEIGHT_FLIPS, ACCUMULATOR_WRITES = 0, 1, 4, 5, 7
TICKS, PRESENTATIONS = 0, 1

# Structure, never written by a kernel: layers (L, 4), projections (P, 6) int.
Program = namedtuple("Program", "layers projections")

# Neurons: share of the old state, share of the drive, threshold, the number next below it; real.
Neurons = namedtuple("Neurons", "keep move threshold below")

# Weights: bits by projection, a set one for +1; unit (P,) of the forward sums, scale (P,) of the backward ones, both
# real; biases (N,) real.
Weights = namedtuple("Weights", "bits unit scale bias")

# One presentation's state, binary activations; each thread has its own: s and drive (N,) real; on (W,) bits of active
# neurons, and what has switched on and off in this tick; sums over set bits of what arrived from below and from above
# (N,) int, its totals (2, L), and whether it has changed since the drives were worked out (L,); lists of words, of
# neurons that flipped, and of pixels; the pull on a word's neurons.
SpikingState = namedtuple(
    "SpikingState", "s drive on switched_on switched_off forward backward arrived stale places flipped pixels pull"
)

# The same for real activations: signed sums (N,) real; the differences (N,) of this tick and how many a layer (L,);
# integer sums of the pixels over set bits; partial sums of a few rows.
GradedState = namedtuple("GradedState", "s changed forward backward moved pixel_sums places pixels parts")

# What presentations begin with, every neuron active: states, their bits, and the sums over set bits (N,).
Start = namedtuple("Start", "s on forward backward")

# Scratch of learning from a mini-batch of n: gradient (N,) int or real, and which of its words are not zero (W,); lists
# (n, N) of the neurons that flipped between the phases of a sample, or of samples, and their lengths (n,); of a layer
# (n, 2) how many neurons are active at the end of both phases.
Lesson = namedtuple("Lesson", "gradient marked listed n_listed active")

# What phases ended with, one row a presentation: bits of active neurons (n, W), or states (n, N); output (n, n_out).
Ends = namedtuple("Ends", "free nudged output")

# Counts: layers (3, L, counters), projections (3, P + L - 1, counters) with biases last, spikes (3, N), run (3, 2).
Counts = namedtuple("Counts", "layers projections spikes run")
