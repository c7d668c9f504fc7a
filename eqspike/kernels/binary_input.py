"""What a static image of 8-bit pixels sends into a binary network: exact integer sums, once a presentation."""

from __future__ import annotations

import numpy as np

from eqspike.core.jit import splice
from eqspike.kernels.binary_layout import OFFSET, ROW
from eqspike.kernels.bits import add_row, add_rows, clear


@splice
def sum_pixels(program, weights, pixels, listed, sums):
    """Sum the pixels that are not zero over the set bits of the first projection; return their number and total.

    ``listed`` is scratch for their places, ``sums`` covers the first hidden layer.
    """
    offset, width = program.projections[0, OFFSET], program.projections[0, ROW]
    bits = weights.bits
    clear(sums)
    n, total = 0, np.int64(0)
    for i in range(pixels.size):
        if pixels[i] != 0:
            listed[n] = i
            n += 1
            total += pixels[i]
    fours = n - n % 4
    for at in range(0, fours, 4):
        i0, i1, i2, i3 = listed[at], listed[at + 1], listed[at + 2], listed[at + 3]
        a0, a1, a2, a3 = offset + i0 * width, offset + i1 * width, offset + i2 * width, offset + i3 * width
        values = np.int32(pixels[i0]), np.int32(pixels[i1]), np.int32(pixels[i2]), np.int32(pixels[i3])
        add_rows(
            bits[a0 : a0 + width], bits[a1 : a1 + width], bits[a2 : a2 + width], bits[a3 : a3 + width], values, sums
        )
    for at in range(fours, n):
        first = offset + listed[at] * width
        add_row(bits[first : first + width], np.int32(pixels[listed[at]]), sums)
    return n, total
