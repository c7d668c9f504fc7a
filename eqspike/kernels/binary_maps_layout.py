"""The arrays that kernels of convolutional binary networks read and write, grouped, and the columns in them.

Shapes: L layers, the input first; projection p joins layer p to p + 1; N neurons of all layers but the input, channel
last; C channels of these; Z sums before pooling, of those places that a pool reads, channels padded to whole words. A
dense layer is a map of one place. Signs are kept in blocks of 32 output channels, in each the rows (ky, kx, c_in) of
one word: what comes from below adds a word to 32 sums, what comes from above walks along the rows of a block.
"""

from __future__ import annotations

from collections import namedtuple

# Columns of MapProgram.layers; the input has arrays of its own and starts at 0.
START, SIZE, HEIGHT, WIDTH, CHANNELS, CHANNEL = 0, 1, 2, 3, 4, 5
# Columns of MapProgram.projections: first word, rows and number of blocks, the kernel, and the sums before pooling.
OFFSET, ROWS, BLOCKS, TALL, WIDE, PADDING, POOL, FIRST, DOWN, ACROSS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9

# Structure, never written by a kernel: layers (L, 6), projections (P, 10) int.
MapProgram = namedtuple("MapProgram", "layers projections")

# Neurons: share of the old state, share of the drive, threshold, real; whether they emit their state itself.
MapNeurons = namedtuple("MapNeurons", "keep move threshold graded")

# Weights: bits by projection, a set one for +1; unit (C,) real of the forward sums, own (C,) what a neuron's event is
# multiplied by on its way down, quantum (P + 1,) real of the sums of such, none for the output; biases (C,) real;
# scale (C,) in double precision, what the others come from.
MapWeights = namedtuple("MapWeights", "bits unit own quantum bias scale")

# One presentation's state: s (N,) real; what is emitted and what was when events last went out, with the places in
# their pools (N,); pooled sums from below and sums from above (N,); the nudge (N,) real; sums before pooling (Z,) and
# those of the pixels; places to be pooled anew; lists of channels, and of values and whole numbers; rounded sums of one
# place. Sums of real activations are kept in double precision: what comes and goes leaves nothing behind, and equals
# stay equal.
MapState = namedtuple(
    "MapState", "s emitted sent where sent_where forward backward push z pixels stale listed values integers rounded"
)

# What presentations begin with: states, what they emit, their sums, and the events (P, 2) that brought them.
MapStart = namedtuple("MapStart", "s emitted where forward backward z events")

# What presentations ended with, the free phase first: what was emitted (2, n, N), where in their pools the sums stood
# that moved neurons last (2, n, N), sums (2, C) of emitted x pooled sum; output (n, n_out) of the free phase.
MapEnds = namedtuple("MapEnds", "emitted where power output")
