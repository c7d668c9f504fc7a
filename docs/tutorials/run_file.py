# [record]
import eqspike

run = eqspike.train(
    "eqspike-digits",
    seed=1,
    training__epochs=3,
    probes__presentations=2,
    probes__spikes=True,
    probes__weight_trajectory=5,
    out="run.h5",
)

# [h5py]
import json

import h5py

with h5py.File("run.h5", "r") as file:
    print(json.loads(file["results"][()])["test_accuracy"] == run.test_accuracy)
    for name in (
        "weights/input->hidden",
        "metrics/validation_accuracy",
        "probes/spikes/tick",
    ):
        said = file[name].attrs
        print(f"{name}: {said['dimensions']}, unit {said['unit']}, {said['meaning']}")

# [open]
opened = eqspike.open_run("run.h5")
print(opened)
print({name: weights.shape for name, weights in opened.weights.items()})
for epoch, accuracy in zip(
    opened.metrics["epoch"], opened.metrics["validation_accuracy"], strict=True
):
    print(f"epoch {epoch}: {accuracy:.0%} of the validation images")

# [counts]
for phase, name, counter, count in opened.ledger.rows():
    if phase == "inference" and name == "hidden->output":
        print(f"{counter:24} {count:12,}")

# [probes]
spikes = {
    name: opened.probes[f"spikes/{name}"] for name in ("sample", "tick", "layer", "neuron")
}
first = spikes["sample"] == spikes["sample"][0]
print(f"{first.sum()} spikes of the first recorded sample")

# [summary]
from eqspike.recording import read_summary

summary = read_summary("run.h5")
print(summary.status, summary.config["name"], summary.progress["epoch"])

# [damage]
from pathlib import Path

from eqspike.core.errors import RunFileError

damaged = bytearray(Path("run.h5").read_bytes())
with h5py.File("run.h5", "r") as file:
    damaged[file["weights/hidden->output"].id.get_offset()] ^= 1
Path("damaged.h5").write_bytes(damaged)
try:
    eqspike.open_run("damaged.h5")
except RunFileError as error:
    print(error)
