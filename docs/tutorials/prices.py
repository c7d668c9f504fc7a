# [chips]
import eqspike

run = eqspike.train("eqspike-digits", seed=1, training__epochs=3, out="run.h5")
for name in ("generic-28nm", "loihi", "odin", "eqspike-analog-28nm"):
    report = eqspike.price(run, chip=name)
    energy = report.per_presentation("inference")
    band = f"{energy.low:.1e} to {energy.high:.1e}"
    print(f"{name:20} {energy.value:.1e} J, {band}, {report.weakest_evidence}")

# [refusal]
from hw_models.errors import HardwareError

try:
    eqspike.price(run, chip="truenorth")
except HardwareError as error:
    print(error)

# [parts]
report = eqspike.price(run, chip="generic-28nm")
for part in ("static", "dynamic", "periphery"):
    share = report.energy("inference", part=part).value / report.energy("inference").value
    print(f"{part:10} {share:6.1%}  {report.parts[part]}")

# [margin]
all_in, marginal = (
    report.per_synaptic_event("inference"),
    report.marginal_per_synaptic_event("inference"),
)
print(f"{all_in.value:.1e} J a synaptic event all-in, {marginal.value:.1e} J for one more")

# [tornado]
whole = report.energy("inference").value
for constant, low, high in report.tornado("inference")[:3]:
    print(f"{constant:20} {low / whole:.2f} to {high / whole:.2f}")

# [knobs]
from hw_models import load_chip, ratio

chip = load_chip("generic-28nm")
for knobs in (
    {"node_nm": 22},
    {"vdd": 0.7},
    {"weight_bits": 8},
    {"transposition": "transposable"},
):
    changed = eqspike.price(run, chip=chip.at(**knobs))
    gain = ratio(changed, report, ["inference"], ["inference"])
    print(f"{knobs}: {gain.value:.2f} times as much, {gain.low:.2f} to {gain.high:.2f}")

# [workload]
from hw_models import LayerShape, PhaseCounts, ProjectionShape, Workload, price

workload = Workload(
    name="by hand",
    layers=(LayerShape("in", 100, stateful=False), LayerShape("out", 10)),
    projections=(
        ProjectionShape(
            "in->out", "in", "out", 1_000, 8, bidirectional=False, plastic=False
        ),
    ),
    phases=(
        PhaseCounts(
            "inference",
            presentations=1,
            ticks=50,
            counts={
                ("in->out", "synaptic_events_forward"): 2_000,
                ("out", "neuron_updates"): 500,
            },
        ),
    ),
    tick_s=1e-6,
)
print(f"{price(workload, chip).energy().value:.1e} J")
