"""Bits of an address-event packet."""

from __future__ import annotations

from hw_models.errors import ConstantError


def packet_bits(neurons: int, payload_bits: int = 0) -> int:
    """Return the bits that name one of ``neurons``, ceil(log2 N) and at least one, and the payload beside them.

    Published packets are wider: 32 bits on TrueNorth (Merolla et al. 2014, doi:10.1126/science.1254642) and Loihi
    (Davies et al. 2018, doi:10.1109/MM.2018.112130359), 40 or 72 on SpiNNaker (Painkras et al. 2013,
    doi:10.1109/JSSC.2013.2259038).

    Raises
    ------
    ConstantError
        If there is no neuron to name.
    """
    if neurons < 1:
        raise ConstantError(f"{neurons} neurons have no address.", field="neurons", remedy="Give 1 or more.")
    return max(1, (neurons - 1).bit_length()) + payload_bits
