# [price]
import eqspike
from hw_models import load_chip

run = eqspike.train("eqspike-digits", seed=1, training__epochs=3, out="run.h5")
chip = load_chip("chip.toml")
report = eqspike.price(run, chip=chip)
energy = report.per_presentation("inference")
print(f"{energy.value:.1e} J an inference, between {energy.low:.1e} and {energy.high:.1e}")

# [parts]
for row in report.rows:
    if row.phase == "inference" and row.energy_j:
        share = row.energy_j / report.energy("inference").value
        print(f"{row.kind:8} {row.entity:15} {row.action:24} {share:6.1%}")
for warning in report.warnings:
    print(warning)

# [knobs]
for knobs in ({"node_nm": 22}, {"vdd": 0.7}, {"tick_s": 1e-3}):
    changed = eqspike.price(run, chip=chip.at(**knobs)).per_presentation("inference")
    print(f"{knobs}: {changed.value / energy.value:.2f} times as much")

# [mistake]
from pathlib import Path

from hw_models.errors import HardwareError

text = Path("chip.toml").read_text("utf-8")
Path("slip.toml").write_text(text.replace('price = "event"', 'price = "evnt"', 1), "utf-8")
try:
    load_chip("slip.toml")
except HardwareError as error:
    print(error)
