"""``eqspike simulate``: run a network in continuous time, count its events, price them, draw its spikes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, ForceOption, JsonOption

if TYPE_CHECKING:
    from eqspike.substrates.spiking.simulation import Simulation
    from eqspike.training.simulation_spec import SimulationSpec

DEFAULT_NETWORK = "brunel-1k"
SLICES = 50  # looks at progress, and for a signal to stop, in a run


def simulate(
    network: Annotated[
        str | None,
        typer.Argument(metavar="NETWORK", help=f"Shipped network or TOML file; by default {DEFAULT_NETWORK}."),
    ] = None,
    duration: Annotated[float | None, typer.Option(metavar="SECONDS", help="Instead of the network's.")] = None,
    clock: Annotated[
        str | None, typer.Option(metavar="KIND", help="clocked, fixed-point or exact, with their defaults.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, repeatable: --set clock.tick_s=1e-3."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the network's.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads; results do not depend on it.")] = 1,
    out: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Write spikes, weights and counts.")] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw the spikes (.png, .svg, .pdf).")] = None,
    force: ForceOption = False,
    chip: ChipOption = DEFAULT_CHIP,
    list_networks: Annotated[bool, typer.Option("--list", help="List the networks that ship, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a network in continuous time on one of three clocks and count its events.

    Ctrl-C or SIGTERM ends it early: what was simulated until then is shown and written, and the exit code is 130.
    """
    from eqspike.cli.output import print_json
    from eqspike.core.errors import Interrupted
    from eqspike.recording import check_output
    from eqspike.recording.simulations import check_suffix, write_simulation
    from hw_models import load_chip

    if list_networks:
        _list(as_json)
        return
    load_chip(chip)
    spec = resolve(network or DEFAULT_NETWORK, settings or (), clock=clock, duration_s=duration, seed=seed)
    if out is not None:
        check_suffix(out)
    for path in (out, figure):
        if path is not None:
            check_output(path, overwrite=force)
    simulation, stopped, seconds = _run(spec, threads)
    document = _document(spec, simulation, chip, seconds)
    spikes = {name: (each.t, each.i) for name, each in simulation.spikes.items()}
    if out is not None:
        learnt = [p.name for p in simulation.network.projections if p.plastic]
        weights = {name: values for name, values in simulation.weights().items() if name in learnt}
        settled = spec.model_dump(mode="json", exclude_none=True)
        write_simulation(out, spikes, weights, simulation.ledger(), settled, document, overwrite=force)
    if figure is not None:
        from eqspike.plots.raster import draw_raster
        from eqspike.plots.style import save_figure

        sizes = {layer.name: layer.size for layer in simulation.network.layers}
        save_figure(draw_raster(spikes, sizes, simulation.time_s, title=spec.name), figure, overwrite=force)
    if as_json:
        print_json(document)
    else:
        _show(document)
    if stopped:
        raise Interrupted(f"stopped by {stopped} at {simulation.time_s:.4g} s.", field=spec.name)


def resolve(network: str, pairs: list[str] | tuple, **given: Any) -> SimulationSpec:
    """Return the specification of ``network`` with the changes that the options ask for."""
    from eqspike.cli.settings import changes_from
    from eqspike.recipes import load_network
    from eqspike.training.simulation_spec import parse_simulation
    from eqspike.training.spec import with_settings

    base = load_network(network)
    if given["clock"] is not None:
        base = base | {"clock": {"kind": given["clock"]}}
    options = {key: given[key] for key in ("duration_s", "seed") if given[key] is not None}
    return parse_simulation(with_settings(base, changes_from(pairs) | options), origin=network)


def _run(spec: SimulationSpec, threads: int) -> tuple[Simulation, str, float]:
    """Run in slices, so that progress is seen and a signal is heard; return how it was stopped and the seconds."""
    import time

    from eqspike.cli.progress import Monitor
    from eqspike.training.interruption import stop_on_signals

    with Monitor() as monitor, stop_on_signals() as stop:
        monitor.stage(f"building {spec.name}")
        simulation = spec.prepare(threads)
        monitor.stage("preparing kernels (the first run of a version compiles them, about 20 s)")
        started = time.perf_counter()
        for part in range(1, SLICES + 1):
            ahead = spec.duration_s * part / SLICES - simulation.time_s
            if ahead <= 0:
                continue
            simulation.run(ahead)
            monitor.amount(f"{spec.name} at {simulation.time_s:.3g} s", part, SLICES)
            if stop or simulation.outcome.kind != "completed":
                break
        return simulation, stop.reason, time.perf_counter() - started


def _document(spec: SimulationSpec, simulation: Simulation, chip: str, seconds: float) -> dict[str, Any]:
    from eqspike.analysis.statistics import interval_cv, mean_rate

    layers = {}
    for layer in simulation.network.layers:
        t, i = simulation.spikes[layer.name].t, simulation.spikes[layer.name].i
        cv = interval_cv(t, i, layer.size, simulation.time_s)
        layers[layer.name] = {
            "neurons": layer.size,
            "spikes": len(t),
            "rate_hz": mean_rate(t, i, layer.size, simulation.time_s),
            "cv": cv if cv == cv else None,
        }
    ledger = simulation.ledger()
    totals = ("spikes", "synaptic_events", "neuron_updates", "weight_writes", "saturations")
    return {
        "network": spec.name,
        "clock": spec.clock.kind,
        "seed": spec.seed,
        "outcome": simulation.outcome.kind,
        "message": simulation.outcome.message,
        "time_s": simulation.time_s,
        "seconds": seconds,
        "layers": layers,
        **{name: sum(ledger.total(phase, name) for phase in ledger.phases) for name in totals},
        **_energy(spec, simulation, chip),
    }


def _energy(spec: SimulationSpec, simulation: Simulation, chip: str) -> dict[str, Any]:
    """Return the energy of the whole run, or why there is none."""
    from eqspike.core.errors import ConfigError
    from eqspike.costing.run import price
    from hw_models.errors import HardwareError

    try:
        report = price(simulation, chip)
    except (HardwareError, ConfigError) as error:
        return {"chip": chip, "energy_j": None, "not_priced": str(error)}
    return {
        "chip": chip,
        "energy_j": report.energy().to_dict(),
        "tick_s": report.tick_s,
        "tick_source": report.tick_source,
        "energy_warnings": list(report.warnings),
        "not_modelled": list(report.not_modelled),
    }


def _show(document: dict[str, Any]) -> None:
    from eqspike.cli.output import band, count, facts, stdout, table

    console = stdout()
    made = table("layer", "neurons", "spikes", "rate (Hz)", "CV of intervals")
    for name, layer in document["layers"].items():
        cv = "-" if layer["cv"] is None else f"{layer['cv']:.2f}"
        made.add_row(name, f"{layer['neurons']:,}", f"{layer['spikes']:,}", f"{layer['rate_hz']:.3g}", cv)
    console.print(made)
    ended = document["outcome"] + (f": {document['message']}" if document["message"] else "")
    energy = band(document["energy_j"]) if document["energy_j"] else f"not priced: {document['not_priced']}"
    rows = [
        ("outcome", f"{ended} at {document['time_s']:.4g} s, clock {document['clock']}"),
        ("computed in", f"{document['seconds']:.3g} s"),
        ("synaptic events", count(document["synaptic_events"])),
        ("neuron updates", count(document["neuron_updates"])),
        ("weight writes", count(document["weight_writes"])),
        (f"energy on {document['chip']}", energy),
    ]
    console.print(facts(row for row in rows if row[1] != "0"))


def _list(as_json: bool) -> None:
    from eqspike.cli.output import print_json, stdout, table
    from eqspike.recipes import shipped_networks

    found = {name: settings["title"] for name, settings in shipped_networks().items()}
    if as_json:
        print_json({"networks": [{"name": name, "title": title} for name, title in found.items()]})
        return
    made = table("network", "what", left=2)
    for name, title in found.items():
        made.add_row(name, title)
    stdout().print(made)
