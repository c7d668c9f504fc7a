# [train]
import eqspike

run = eqspike.train("eqspike-digits", seed=1, out="run.h5")
print(f"test accuracy {run.test_accuracy:.1%} after {run.results['epochs']} epochs")

# [count]
for phase, counter in (
    ("inference", "spikes"),
    ("inference", "synaptic_events"),
    ("nudged", "weight_writes"),
):
    mean = run.ledger.per_presentation(counter, phase)
    print(f"{phase:10} {counter:16} {mean:10,.0f} a sample")

# [price]
report = eqspike.price(run, chip="generic-28nm")
for what, phases in (
    ("an inference", ["inference"]),
    ("a training sample", ["free", "nudged"]),
):
    energy = report.per_presentation(*phases)
    print(f"{energy.value:.1e} J {what}, between {energy.low:.1e} and {energy.high:.1e}")

# [change]
smaller = eqspike.train("eqspike-digits", seed=1, network__hidden=[50], training__epochs=5)
accuracy = smaller.results["validation_accuracy"]
print(f"50 hidden neurons, 5 epochs: {accuracy:.0%} of the validation images")

# [resume]
longer = eqspike.resume("run.h5", epochs=16)
print(longer)
