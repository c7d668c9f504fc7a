"""The application: its commands, its version, and how errors reach the user."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from eqspike import __version__
from eqspike.cli.bench import bench
from eqspike.cli.calibrate import calibrate
from eqspike.cli.chips import chips
from eqspike.cli.collect import collect
from eqspike.cli.compare import compare
from eqspike.cli.crosscheck import crosscheck
from eqspike.cli.datasets import datasets
from eqspike.cli.energy import energy
from eqspike.cli.evaluate import evaluate
from eqspike.cli.export import export
from eqspike.cli.fit import fit
from eqspike.cli.gradients import gradients
from eqspike.cli.recipes import recipes
from eqspike.cli.report import report
from eqspike.cli.reproduce import reproduce
from eqspike.cli.search import search
from eqspike.cli.simulate import simulate
from eqspike.cli.stdp import stdp
from eqspike.cli.sweep import sweep
from eqspike.cli.train import JSON_KEYS, train
from eqspike.core.errors import EqspikeError
from hw_models.errors import HardwareError


class Commands(TyperGroup):
    """The commands in the order of registration; a mistake of the user ends in one message, not in a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (EqspikeError, HardwareError) as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None
        except MemoryError as error:
            reason = str(error) or "out of memory"
            typer.echo(f"error: memory: {reason}. Use a smaller network, fewer samples or fewer probes.", err=True)
            raise typer.Exit(EqspikeError.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("error: stopped by Ctrl-C.", err=True)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"eqspike {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Begin with **eqspike train**: digits, under a minute. Every command explains itself with --help; with "
    "--json it prints one JSON document on stdout, and nothing else there. Exit code 2 is a mistake that the message "
    "explains, 3 a network that does not fit a chip, 130 a run that was stopped, 1 a bug."
)
def eqspike(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Emulate neuromorphic hardware that learns by itself: train it, count its events, price them on a chip."""


app.command(epilog=JSON_KEYS)(train)
for _command in (
    evaluate,
    energy,
    compare,
    fit,
    report,
    calibrate,
    simulate,
    stdp,
    gradients,
    crosscheck,
    recipes,
    datasets,
    chips,
    export,
    sweep,
    collect,
    search,
    reproduce,
    bench,
):
    app.command()(_command)
