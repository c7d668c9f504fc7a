"""Equilibrium Propagation of binary weights: a low-passed gradient flips a sign once it opposes it long enough."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from eqspike.core.config import Config


class BinaryEP(Config):
    r"""The contrast g = (post^beta pre^beta - post^0 pre^0) / beta and what it does to signs, biases and scales.

    m <- (1 - gamma) m + gamma g, mean over the mini-batch; a sign flips where -sign(w) m > tau (in convolutional
    networks >=), gamma the ``low_passes`` and tau the ``flip_thresholds``. Biases grow by ``bias_rates`` times their
    own contrast. ``learn_scales``: alpha grows by ``scale_rates`` times post^T alpha S / 2, the same contrast; that of
    a convolution's channel by twice as much, in whole steps of 2^-20. Scales stay above zero. Lists have one value per
    projection, from the input on. ``random_sign`` draws the sign of beta per mini-batch.

    The nudge is beta times what the output lacks of its target. In convolutional networks it is added to a real output
    after its bounds, which it may leave; a binary one is nudged all along by what it lacked after the free phase, and m
    starts from 2 gamma times normal numbers.

    References
    ----------
    Laydevant, Ernoult, Querlioz and Grollier, CVPR Workshops 2021, arXiv:2103.08953; the flip rule after Helwegen et
    al., NeurIPS 2019, arXiv:1906.02107.
    """

    name: Literal["binary-ep"] = "binary-ep"
    beta: float = Field(2.0, gt=0)
    random_sign: bool = True
    low_passes: list[float] = Field(min_length=1)
    flip_thresholds: list[float] = Field(min_length=1)
    bias_rates: list[float] = Field(min_length=1)
    learn_scales: bool = False
    scale_rates: list[float] = Field(default_factory=list)
