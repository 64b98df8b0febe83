"""Mixtures of linear dynamical systems by hand."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikeline.cli.group import Commands
from spikeline.cli.options import output_option

if TYPE_CHECKING:
    from spikeline.config.molds import FitSettings
    from spikeline.dynamics import FittedMolds

__all__ = ["molds"]

_settings_option = click.option(
    "--settings", "settings_text", default="{}", show_default=True,
    help="Settings of the fit as YAML, e.g. '{em: {feedthrough: false}}'; keys as fit in config/reference.yaml.",
)  # fmt: skip


class NumberList(click.ParamType):
    """Whole numbers, 1 or more, between commas."""

    name = "numbers"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """The numbers."""
        from spikeline.errors import ConfigError

        try:
            numbers = [int(part) for part in str(value).split(",")]
        except ValueError:
            numbers = []
        if min(numbers, default=0) < 1:
            raise ConfigError(
                f"--{param.name if param else 'numbers'} {value}", "whole numbers, 1 or more, such as 1,2,3",
                "separate them by commas, without spaces",
            )  # fmt: skip
        return numbers


@click.group(cls=Commands)
def molds() -> None:
    """Mixtures of linear dynamical systems (MoLDS): simulate trajectories, fit, and say which component made which.

    Trajectories are HDF5 files as the workflow makes them, or .npz files with inputs (N, T, m) and outputs (N, T, q),
    and if need be lengths (N), labels (N) and observed (N, T, q).
    """


@molds.command()
@click.option("--components", "-k", default=3, show_default=True, help="Systems of the mixture, drawn at random.")
@click.option("--states", "-n", default=2, show_default=True, help="States of each.")
@click.option("--inputs", "-m", default=1, show_default=True, help="Inputs: white noise of variance 1.")
@click.option("--outputs", "-q", default=1, show_default=True, help="Outputs.")
@click.option("--trajectories", default=400, show_default=True, help="How many.")
@click.option("--steps", default=60, show_default=True, help="Steps of each.")
@click.option("--seed", default=42, show_default=True, help="Root seed.")
@output_option("HDF5 file of trajectories, with true labels.")
def simulate(
    components: int, states: int, inputs: int, outputs: int, trajectories: int, steps: int, seed: int, output: Path
) -> None:
    """Draw trajectories from a random mixture of equal weights, to try a fit on.

    \b
    Example:
      spikeline molds simulate --components 3 --states 2 -o my/trajectories.h5
    """
    import numpy as np

    from spikeline.artifacts import Provenance, seed_stream
    from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
    from spikeline.dynamics.trajectory_files import write_trajectories
    from spikeline.errors import ConfigError

    sizes = locals()
    for name in ("components", "states", "inputs", "outputs", "trajectories", "steps"):
        if sizes[name] < 1:
            raise ConfigError(f"--{name} {sizes[name]}", "1 or more", f"ask for more {name}")
    draw = seed_stream(seed, "molds-by-hand")
    systems = [random_system(states, inputs, outputs, draw) for _ in range(components)]
    made = simulate_mixture(systems, np.full(components, 1 / components), trajectories, steps, draw)
    facts = {"components": components, "states": states, "inputs": inputs, "outputs": outputs}
    write_trajectories(output, made, provenance=Provenance(settings=facts, seed=seed))
    click.echo(f"{output}: {trajectories} trajectories of {steps} steps, {components} components")


@molds.command()
@click.argument("trajectories", type=click.Path(path_type=Path))
@click.option("--components", "-k", required=True, type=int, help="Components of the mixture (K).")
@click.option("--states", "-n", required=True, type=int, help="States of each (n).")
@_settings_option
@click.option("--seed", default=42, show_default=True, help="Root seed.")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), help="Keep EM's state here; a fit that was killed goes on from it."
)
@output_option("HDF5 file of the fit.")
def fit(
    trajectories: Path,
    components: int,
    states: int,
    settings_text: str,
    seed: int,
    checkpoint: Path | None,
    output: Path,
) -> None:
    """Fit a mixture to TRAJECTORIES: moments first, then EM.

    \b
    Example:
      spikeline molds fit my/trajectories.h5 --components 3 --states 2 -o my/fit.h5
    """
    from spikeline.dynamics import fit_molds
    from spikeline.dynamics.trajectory_files import read_trajectories

    with _told_as_notes():
        made = fit_molds(
            read_trajectories(trajectories),
            components,
            states,
            _fit_settings(settings_text),
            seed=seed,
            checkpoint=checkpoint,
        )
    made.save(output)
    _tell(made)
    end = "converged" if made.converged else "not converged yet"
    weights = ", ".join(f"{weight:.3f}" for weight in made.mixture.weights)
    click.echo(
        f"{output}: {end} after {len(made.log_likelihoods) - 1} iterations, log-likelihood "
        f"{made.log_likelihoods[-1]:.6g}, weights {weights}"
    )


@molds.command()
@click.argument("trajectories", type=click.Path(path_type=Path))
@click.option("--components", "-k", required=True, type=NumberList(), help="Numbers of components (K), e.g. 1,2,3.")
@click.option("--states", "-n", required=True, type=NumberList(), help="Numbers of states (n), e.g. 2,3.")
@_settings_option
@click.option("--validation", type=click.Path(path_type=Path), help="Trajectories that no fit sees.")
@click.option(
    "--criterion", type=click.Choice(["bic", "validation_bic", "validation_likelihood"]), default="bic",
    show_default=True, help="What chooses; those on trajectories left out need --validation.",
)  # fmt: skip
@click.option("--seed", default=42, show_default=True, help="Root seed.")
@click.option("--table", type=click.Path(path_type=Path), help="CSV file: one row per size.")
@output_option("HDF5 file of the chosen fit.")
def select(
    trajectories: Path,
    components: list[int],
    states: list[int],
    settings_text: str,
    validation: Path | None,
    criterion: str,
    seed: int,
    table: Path | None,
    output: Path,
) -> None:
    """Fit mixtures of several sizes to TRAJECTORIES, and keep the one that a criterion chooses.

    \b
    Example:
      spikeline molds select my/trajectories.h5 -k 1,2,3,4 -n 1,2 --table my/sizes.csv -o my/fit.h5
    """
    import pandas as pd

    from spikeline.artifacts import write_csv
    from spikeline.dynamics import select_molds
    from spikeline.dynamics.trajectory_files import read_trajectories

    with _told_as_notes():
        made = select_molds(
            read_trajectories(trajectories),
            components,
            states,
            _fit_settings(settings_text),
            validation=None if validation is None else read_trajectories(validation),
            criterion=criterion,
            seed=seed,
        )
    if table is not None:
        write_csv(table, pd.DataFrame(made.scores))
    made.best.save(output)
    for score in made.scores:
        value = score.problem or f"{getattr(score, criterion):.6g}"
        click.echo(f"{score.components} components of {score.states} states: {value}", err=True)
    _tell(made.best)
    mixture = made.best.mixture
    click.echo(f"{output}: {mixture.n_components} components of {mixture.n_states} states, chosen by {criterion}")


@molds.command()
@click.argument("fitted", type=click.Path(path_type=Path))
@click.argument("trajectories", type=click.Path(path_type=Path))
@output_option("CSV file: one row per trajectory, with its component and the probability of each.")
def predict(fitted: Path, trajectories: Path, output: Path) -> None:
    """Say which component of a FITTED mixture made each of some TRAJECTORIES, the same or others.

    \b
    Example:
      spikeline molds predict my/fit.h5 my/trajectories.h5 -o my/components.csv
    """
    import pandas as pd

    from spikeline.artifacts import write_csv
    from spikeline.dynamics import FittedMolds
    from spikeline.dynamics.trajectory_files import read_trajectories

    model, given = FittedMolds.load(fitted), read_trajectories(trajectories)
    posterior = model.posterior(given)
    table = pd.DataFrame({"trajectory": range(len(given)), "component": posterior.argmax(axis=1)})
    for k in range(posterior.shape[1]):
        table[f"probability_{k}"] = posterior[:, k]
    table["log_likelihood_nat"] = model.log_likelihood(given)
    write_csv(output, table)
    click.echo(f"{output}: {len(table)} trajectories, {table['component'].nunique()} components met")


@contextlib.contextmanager
def _told_as_notes() -> Iterator[None]:
    """What a start warns of is told by `_tell`."""
    from spikeline.dynamics import StartWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StartWarning)
        yield


def _tell(fit: FittedMolds) -> None:
    for note in (*fit.start.warnings, *fit.notes):
        click.echo(f"note: {note}", err=True)


def _fit_settings(text: str) -> FitSettings:
    from pydantic import ValidationError

    from spikeline.config.molds import FitSettings
    from spikeline.config.problems import describe_problems
    from spikeline.config.yaml_text import parse_yaml
    from spikeline.errors import ConfigError

    values, _ = parse_yaml(text, "--settings")
    try:
        return FitSettings.parse(values)
    except ValidationError as error:
        problems = "\n".join(f"  - {problem}" for problem in describe_problems(error, FitSettings, {}))
        raise ConfigError(
            f"--settings {text!r}\n{problems}", "keys and bounds of a fit", "correct the keys named above"
        ) from None
