"""``eqspike export``: networks and counts as files of SANA-FE, NeuroBench, NIR, Brian2 and SONATA."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eqspike.cli.options import DEFAULT_CHIP, ChipOption, ForceOption, JsonOption
from eqspike.core.errors import ConfigError

if TYPE_CHECKING:
    from eqspike.substrates.spiking.simulation import Simulation
    from eqspike.training.simulation_spec import SimulationSpec


class Format(StrEnum):
    """The formats there are."""

    SANA_FE = "sana-fe"
    NEUROBENCH = "neurobench"
    NIR = "nir"
    BRIAN2 = "brian2"
    SONATA = "sonata"


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN|NETWORK",
            help="Run file, or the network of eqspike simulate by name or .toml; for brian2 also a recipe.",
        ),
    ],
    to: Annotated[Format, typer.Option("--to", help="Format to write.")],
    out: Annotated[Path, typer.Option(metavar="FILE|FOLDER", help="File to write; of sana-fe a folder.")],
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Time to simulate a network, instead of its own.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of a network, repeatable.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Of brian2: test samples to put beside the script.")] = 20,
    presentation: Annotated[int, typer.Option(min=0, help="Of sonata: which recorded presentation of a run.")] = 0,
    chip: ChipOption = DEFAULT_CHIP,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a network, or what a run counted, for other tools.

    sana-fe: architecture.yaml, network.yaml and perf.csv of a simulated network placed on --chip. neurobench: its
    metrics by their names, as JSON. nir: the network as a NIR graph, without its inputs and its rule. brian2: a script
    of a run's or recipe's network with EqSpike's learning, and an .npz of its weights and samples beside it. sonata:
    the spikes of a simulated network, or those that a run recorded.
    """
    from eqspike.cli.output import print_json, stdout

    if to is Format.BRIAN2:
        files = _export_brian2(source, settings, duration, samples, out, force)
    else:
        files = _export(source, to, out, settings, duration, chip, presentation, force)
    if as_json:
        print_json({"source": source, "format": str(to), "files": files})
    else:
        stdout().print("\n".join(f"wrote {name}" for name in files), soft_wrap=True)


def _export(
    source: str, to: Format, out: Path, settings: list[str] | None, duration: float | None, chip: str,
    presentation: int, force: bool,
) -> list[str]:  # fmt: skip
    """Write ``source`` in a format that takes runs and networks of eqspike simulate; return the files."""
    from eqspike.recording import check_output

    is_run = _is_run(source)
    if is_run and (to is Format.SANA_FE or duration or settings):
        raise ConfigError(
            "a run is exported as it is, to neurobench, nir, brian2 or sonata.",
            field=source,
            remedy="For sana-fe, --set and --duration give a network of eqspike simulate.",
        )
    written = [out / name for name in ("architecture.yaml", "network.yaml", "perf.csv")]
    for path in written if to is Format.SANA_FE else [out]:
        check_output(path, overwrite=force)
    if is_run:
        _export_run(source, to, out, presentation, force)
    else:
        _export_network(_resolve(source, settings, duration), to, out, chip, force)
    return [str(path) for path in written] if to is Format.SANA_FE else [str(out)]


def _export_brian2(
    source: str, settings: list[str] | None, duration: float | None, samples: int, out: Path, force: bool
) -> list[str]:
    from eqspike.bridges.brian2 import write_brian2
    from eqspike.cli.crosscheck import opened

    if duration:
        raise ConfigError("the phases of a run decide its time.", field="--duration", remedy="Leave it out.")
    run, (images, labels) = opened(source, settings, samples)
    return [str(path) for path in write_brian2(run, images, labels, out, overwrite=force)]


def _is_run(source: str) -> bool:
    """Return whether ``source`` is a run file: an existing file that is no TOML."""
    return Path(source).suffix != ".toml" and Path(source).is_file()


def _resolve(source: str, settings: list[str] | None, duration: float | None) -> SimulationSpec:
    from eqspike.cli.simulate import resolve

    return resolve(source, settings or (), clock=None, duration_s=duration, seed=None)


def _export_network(spec: SimulationSpec, to: Format, out: Path, chip: str, force: bool) -> None:
    if to is Format.NIR:
        from eqspike.bridges.nir import to_nir, write_nir

        tick_s = getattr(spec.clock, "tick_s", None)
        network = spec.network()
        write_nir(out, to_nir(network, seed=spec.seed, **({"tick_s": tick_s} if tick_s else {})), overwrite=force)
        return
    simulation = spec.prepare()
    simulation.run(spec.duration_s)
    if to is Format.SONATA:
        from eqspike.bridges.sonata import write_sonata

        write_sonata(out, simulation, overwrite=force)
        return
    if to is Format.NEUROBENCH:
        _write(out, _json(_of_simulation(simulation, spec.name)), force)
        return
    from eqspike.costing.export import sana_fe_files
    from hw_models import load_chip

    for name, text in sana_fe_files(simulation, _plain(spec.name), load_chip(chip)).items():
        _write(out / name, text, force)


def _plain(name: str) -> str:
    """Return ``name`` with a letter first and without what the format would misread."""
    kept = "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-_" else "_" for letter in name)
    return kept if kept[:1].isalpha() else f"n{kept}"


def _export_run(source: str, to: Format, out: Path, presentation: int, force: bool) -> None:
    from eqspike.training.run import open_run

    run = open_run(source)
    if to is Format.SONATA:
        from eqspike.bridges.sonata import write_sonata

        write_sonata(out, run, segment=presentation, overwrite=force)
        return
    if to is Format.NIR:
        from eqspike.bridges.nir import write_nir
        from eqspike.bridges.nir_runs import trained_to_nir

        spikes = run.network.layers[0].kind == "source"
        weights, biases = run.substrate.get_weights()
        graph = trained_to_nir(run.network, weights, biases, tick_s=run.spec.tick_s, spiking_input=spikes)
        write_nir(out, graph, overwrite=force)
        return
    from eqspike.costing.export import neurobench_document
    from eqspike.costing.run import workload_of

    _write(out, _json(neurobench_document(workload_of(run), run.weights)), force)


def _of_simulation(simulation: Simulation, name: str) -> dict[str, Any]:
    from eqspike.costing.export import neurobench_document
    from eqspike.costing.run import workload_of_simulation

    network = simulation.network
    sizes = {layer.name: layer.size for layer in network.layers}
    joined = {p.name: sizes[p.pre] * sizes[p.post] for p in network.projections if p.kernel is None}
    weights = simulation.weights()
    for projection in network.projections:  # one weight for all synapses is stored once
        if weights[projection.name].size == 1:
            weights[projection.name] = weights[projection.name].repeat(simulation.synapses[projection.name])
    return neurobench_document(workload_of_simulation(simulation, name), weights, joined)


def _json(document: dict[str, Any]) -> str:
    import json

    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _write(path: Path, text: str, force: bool) -> None:
    from eqspike.recording.files import write_atomically

    write_atomically(path, text.encode("utf-8"), overwrite=force)
