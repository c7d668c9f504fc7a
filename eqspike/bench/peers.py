"""Other ways to run the same networks, to compare with."""

from __future__ import annotations

import numpy as np

from eqspike.substrates.spiking.substrate import SpikingSubstrate


def dense_inference(substrate: SpikingSubstrate, images: np.ndarray) -> np.ndarray:
    """Answer ``images`` step by step with NumPy matrix-vector products, spikes or not: what a dense loop costs.

    For static input, delta synapses, soft reset and one hidden layer.
    """
    (w_in, w_out), biases = substrate.get_weights()[0].values(), substrate.get_weights()[1]
    neuron, phases = substrate.network.layer("hidden").neuron, substrate.phases
    answers = []
    for image in images:
        drive = image @ w_in + biases["hidden"]
        v_hidden, v_out = np.zeros_like(drive), np.zeros_like(biases["output"])
        s_hidden, s_out, count = np.zeros_like(v_hidden), np.zeros_like(v_out), np.zeros_like(v_out)
        for tick in range(phases.free_ticks):
            v_hidden, v_out = v_hidden + drive + w_out @ s_out, v_out + s_hidden @ w_out + biases["output"]
            s_hidden, s_out = (v_hidden >= neuron.threshold) * 1.0, (v_out >= neuron.threshold) * 1.0
            v_hidden = np.clip(v_hidden - neuron.threshold * s_hidden, neuron.v_min, neuron.v_max)
            v_out = np.clip(v_out - neuron.threshold * s_out, neuron.v_min, neuron.v_max)
            if tick >= phases.free_ticks - phases.readout_ticks:
                count += s_out
        answers.append(np.lexsort((-np.arange(len(count)), v_out, count))[-1])
    return np.array(answers)
