# [sweep]
import eqspike

result = eqspike.sweep("sweep.toml", out="results", workers=1)
print(f"{result.done} runs done, {result.failed} failed")

# [again]
again = eqspike.sweep("sweep.toml", out="results", workers=1)
print(f"{again.done} runs done, {again.skipped} done before")

# [collect]
table = eqspike.collect("results")
print(table.varied)
for row in table:
    if row["chip"] == "generic-28nm":
        energy = row["energy_per_inference_j"]
        hidden, seed = row["network.hidden"], row["seed"]
        print(f"{hidden!s:6} seed {seed}: {row['test_accuracy']:.0%}, {energy:.1e} J")

# [price]
for row in eqspike.collect("results", chips=["odin"]):
    if row["seed"] == 1:
        energy = row["energy_per_inference_j"]
        print(f"{row['network.hidden']!s:6} on {row['chip']}: {energy:.1e} J")

# [mistake]
from eqspike.core.errors import ConfigError

try:
    eqspike.sweep(
        {"recipe": "eqspike-digits", "grid": {"network.hiden": [[20]]}}, out="other"
    )
except ConfigError as error:
    print(error)
