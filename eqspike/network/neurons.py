"""Neurons in continuous time: the same description runs on every clock."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from eqspike.core.config import Config


class LIF(Config):
    r"""A leaky integrate-and-fire neuron, or an integrate-and-fire one without a time constant, adaptive or not.

    tau_membrane dV/dt = v_rest - V + drive + sum_k g_k - a, or dV/dt = drive + sum_k g_k - a where ``tau_membrane_s``
    is None; tau_adaptation da/dt = -a. A spike where V >= v_threshold; then V = v_reset (hard) or V - (v_threshold -
    v_reset) (soft), and a grows by ``adaptation_step``. For ``refractory_s`` after a spike V stands at v_reset and what
    arrives at delta synapses is lost. Potentials, weights, ``drive`` and a have one unit of the user's choice (of an
    integrate-and-fire neuron ``drive``, a and currents are in that unit per second); times are in seconds.

    References
    ----------
    Brette et al., J. Comput. Neurosci. 23:349, 2007, doi:10.1007/s10827-007-0038-6 (models and benchmarks).
    """

    tau_membrane_s: float | None = Field(0.02, gt=0)
    v_threshold: float = 1.0
    v_rest: float = 0.0
    v_reset: float = 0.0
    reset: Literal["hard", "soft"] = "hard"
    refractory_s: float = Field(0.0, ge=0)
    drive: float = 0.0
    tau_adaptation_s: float | None = Field(None, gt=0)
    adaptation_step: float = 0.0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.v_reset < self.v_threshold:
            raise ValueError("v_reset must lie below v_threshold")
        if not self.v_rest < self.v_threshold:
            raise ValueError("v_rest must lie below v_threshold; a neuron that fires by itself has a drive")
        if self.reset == "soft" and self.refractory_s > 0:
            raise ValueError("a refractory time needs reset = 'hard': the potential stands at v_reset meanwhile")
        if self.adaptation_step != 0 and self.tau_adaptation_s is None:
            raise ValueError("adaptation_step needs tau_adaptation_s")
        return self
