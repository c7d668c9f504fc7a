"""The parts that a Brian2 script is made of; names in braces are filled in by eqspike.bridges.brian2_script."""

from __future__ import annotations

HEAD = '''"""{name}: {shape} neurons in Brian2, with EqSpike's learning. Written by eqspike {version}.

    python {script}            show the samples beside this script, one free phase each
    python {script} --learn    free and nudged phase of each, and what EqSpike learns from it
    python {script} --out results.npz    keep spikes, answers, weights and biases

One step of the clock is one tick. Potentials, weights and drives are in units of the potential.
"""

import argparse
from pathlib import Path

import numpy as np
from brian2 import (
    Network, NeuronGroup, {source}SpikeMonitor, Synapses, defaultclock, network_operation, prefs, second,
)

parser = argparse.ArgumentParser()
parser.add_argument("--learn", action="store_true", help="nudge and learn after every free phase")
parser.add_argument("--samples", type=int, help="show so many samples only")
parser.add_argument("--out", type=Path, help="write spikes, answers, weights and biases (.npz)")
arguments = parser.parse_args()
LEARN = arguments.learn

prefs.codegen.target = "numpy"  # needs no compiler; "cython" is faster where many samples are shown
'''

SETTINGS = """
TICK = {tick_s!r} * second
FREE, NUDGED, READOUT = {free}, {nudged}, {readout}  # ticks of the phases, and of the window that answers
REST = {rest} if LEARN else {short_rest}  # ticks between samples, until no spike is on its way and no neuron refractory
SHOWN = FREE + (NUDGED if LEARN else 0) + REST
BETA, TARGET_RATE = {beta!r}, {target_rate!r}  # the nudge: beta (y - r)
{estimator}
defaultclock.dt = TICK

stored = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)
images, labels, signs = stored["images"][: arguments.samples], stored["labels"], stored["signs"]
weights, biases = (
    {{name.removeprefix(folder): stored[name].astype(float) for name in stored.files if name.startswith(folder)}}
    for folder in ("weights/", "biases/")
)
"""

DELAY = (
    """TAU, DELAY = {tau!r}, {delay}  # ticks: of the rate estimate, and between the rates whose difference is taken"""
)
SLOW = """TAU, TAU_SLOW = {tau!r}, {slow!r}  # ticks: of the rate estimate, and of the slower one it is compared with"""

GROUP = '''
{name} = NeuronGroup(
    {size},
    """
{equations}
    """,
    threshold="v >= {threshold!r}",
    reset="{reset}; fired = 1",{refractory}
    method="euler",
)
{name}.run_regularly("v = clip(v, {low!r}, {high!r})", when="after_resets")
'''

TRACES_DELAY = '''
# After a tick: r <- r + (s - r) / TAU, and r' = [r(t) - r(t - DELAY)] / DELAY. A static input is an activity of
# constant 1: what it owes is the sum of r' over the nudged phase.
TRACES = """
    owed += teaching * change
    rate += (fired - rate) * (1 / TAU)
    past += (late - past) * (1 / TAU)
    change = (rate - past) * (1 / DELAY)
    fired = 0
    late = 0
"""
STATES = ("fired", "rate", "past", "change", "late", "owed")
echoes = []
if LEARN:
    for group in neurons.values():
        group.run_regularly(TRACES, when="end")
        echo = Synapses(group, group, on_pre="late_post = 1", delay=DELAY * TICK)
        echo.connect(j="i")
        echoes.append(echo)
'''

TRACES_SLOW = '''
# After a tick: r <- r + (s - r) / TAU, and r' = (r - r_slow) / TAU_SLOW. A static input is an activity of constant 1:
# what it owes is the sum of r' over the nudged phase.
TRACES = """
    owed += teaching * change
    rate += (fired - rate) * (1 / TAU)
    past += (rate - past) * (1 / TAU_SLOW)
    change = (rate - past) * (1 / TAU_SLOW)
    fired = 0
"""
STATES = ("fired", "rate", "past", "change", "owed")
echoes = []
if LEARN:
    for group in neurons.values():
        group.run_regularly(TRACES, when="end")
'''

SYNAPSES = """
{variable} = Synapses(
    {pre},
    {post},
    "{model}",
    on_pre={on_pre},
    on_post={on_post},
)
for order, path in enumerate({paths!r}):
    getattr({variable}, path).order = order
{variable}.connect()
{variable}.w = weights["{name}"].ravel()
"""

SOURCE = """
shown = stored["input/sample"] < len(images)
shown &= stored["input/tick"] < SHOWN - REST
spike_times = (stored["input/sample"] * SHOWN + stored["input/tick"])[shown] * TICK
pixels = SpikeGeneratorGroup({size}, stored["input/neuron"][shown], spike_times)
"""

PHASES = """
potential = np.zeros((len(images), {n_out}))  # of the outputs when the free phase ends: it decides ties


def begin(sample):
    \"\"\"Start a sample with everything at rest and its drive set.\"\"\"
    for name, group in neurons.items():
        group.drive = biases[name]
        for state in STATES:
            setattr(group, state, 0)
{static_drive}

def nudge(sample):
    \"\"\"Push the outputs towards the label and let the synapses learn: (eta / beta) of what spikes ask for.\"\"\"
    signed = signs[sample] * BETA
    output.beta = signed
    output.target = TARGET_RATE * (np.arange({n_out}) == labels[sample])
    for group in neurons.values():
        group.teaching = 1
{gains}

def commit(sample):
    \"\"\"End the nudged phase: what waited for it reaches the weights and biases.\"\"\"
    signed = signs[sample] * BETA
{commits}    output.beta = 0
    for group in neurons.values():
        group.teaching = 0


def rest():
    \"\"\"Silence the network.\"\"\"
    for name, group in neurons.items():
        group.v = 0
        group.drive = 0
        for current in CURRENTS[name]:
            setattr(group, current, 0)


@network_operation(when="start")
def phases(t):
    \"\"\"Begin and end the phases of each sample.\"\"\"
    sample, tick = divmod(round(float(t / TICK)), SHOWN)
    if sample >= len(images):
        return
    if tick == 0:
        begin(sample)
    if tick == FREE:
        potential[sample] = output.v
        if LEARN:
            nudge(sample)
    if LEARN and tick == FREE + NUDGED:
        commit(sample)
    if tick == SHOWN - REST:
        rest()

"""

END = """
monitors = {{name: SpikeMonitor(group) for name, group in {watched}.items()}}
network = Network(neurons.values(), echoes, monitors.values(), phases)
network.add({parts})
network.run(len(images) * SHOWN * TICK)

found = {{}}
for name, monitor in monitors.items():
    found["spikes/" + name + "/sample"], found["spikes/" + name + "/tick"] = np.divmod(
        np.rint(np.asarray(monitor.t / TICK)).astype(int), SHOWN
    )
    found["spikes/" + name + "/neuron"] = np.array(monitor.i)
window = (found["spikes/output/tick"] >= FREE - READOUT) & (found["spikes/output/tick"] < FREE)
votes = np.zeros((len(images), {n_out}), int)
np.add.at(votes, (found["spikes/output/sample"][window], found["spikes/output/neuron"][window]), 1)
order = [np.lexsort((-np.arange({n_out}), potential[k], votes[k])) for k in range(len(images))]
answers = np.array([ranked[-1] for ranked in order], int)
{final_weights}
print("answers", *answers)
print("labels ", *labels[: len(images)])
for name, monitor in monitors.items():
    print(monitor.num_spikes, "spikes of", name)
if arguments.out:
    found |= {{"answers": answers}}
    found |= {{"weights/" + name: values for name, values in weights.items()}}
    found |= {{"biases/" + name: values for name, values in biases.items()}}
    np.savez_compressed(arguments.out, **found)
"""
