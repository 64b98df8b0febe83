"""Mixtures of linear dynamical systems by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikeline.cli.group import Commands
from spikeline.cli.options import output_option

if TYPE_CHECKING:
    from spikeline.config.molds import FitSettings

__all__ = ["molds"]


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
@click.option(
    "--settings", "settings_text", default="{}", show_default=True,
    help="Settings of the fit as YAML, e.g. '{em: {feedthrough: false}}'; keys as fit in config/reference.yaml.",
)  # fmt: skip
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

    made = fit_molds(
        read_trajectories(trajectories),
        components,
        states,
        _fit_settings(settings_text),
        seed=seed,
        checkpoint=checkpoint,
    )
    made.save(output)
    for note in (*made.start.warnings, *made.notes):
        click.echo(f"note: {note}", err=True)
    end = "converged" if made.converged else "not converged yet"
    weights = ", ".join(f"{weight:.3f}" for weight in made.mixture.weights)
    click.echo(
        f"{output}: {end} after {len(made.log_likelihoods) - 1} iterations, log-likelihood "
        f"{made.log_likelihoods[-1]:.6g}, weights {weights}"
    )


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
