"""What an experiment consists of: tasks, batches of them for one job each, and pieces of trajectories.

From the settings alone, when a run is planned: no file is opened, and ten thousand tasks take a fraction of a second.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from spikeline.config.molds.experiments import ExperimentSettings

__all__ = ["Batch", "experiment_batches", "experiment_tasks"]

_SIZES = ("n_inputs", "n_outputs", "feedthrough")


@dataclass(frozen=True)
class Batch:
    """Tasks that one job handles, one after the other.

    Parameters
    ----------
    name
        Part of a path.
    tasks
        As of `experiment_tasks`.
    pieces
        Into how many pieces the moments of its largest task fall.
    """

    name: str
    tasks: tuple[dict[str, Any], ...]
    pieces: int


def experiment_tasks(settings: ExperimentSettings) -> list[dict[str, Any]]:
    """Every cell with every seed, as plain values: name, sizes, noise and weights of the mixture, N, T, seed.

    The first seed of all cells comes first, then the second, so that more seeds are more tasks at the end, and the
    batches before them stay as they are.
    """
    mixture = settings.mixture
    sizes = {name: mixture.size(name) for name in _SIZES}
    axes = (
        settings.n_components or [mixture.size("n_components")],
        settings.n_states or [mixture.size("n_states")],
        settings.process_noise or [mixture.size("process_noise")],
        settings.observation_noise or [mixture.size("observation_noise")],
        settings.trajectories,
        settings.steps,
    )
    cells = [
        {
            "cell": f"k{K}-n{n}-q{process:g}-r{observation:g}-N{trajectories}-T{steps}",
            "n_components": K,
            "n_states": n,
            **sizes,
            "process_noise": process,
            "observation_noise": observation,
            "weights": mixture.weights_of(K),
            "trajectories": trajectories,
            "steps": steps,
        }
        for K, n, process, observation, trajectories, steps in itertools.product(*axes)
    ]
    return [
        {"name": f"{cell['cell']}-s{seed}", **cell, "seed": seed} for seed in range(settings.seeds) for cell in cells
    ]


def experiment_batches(settings: ExperimentSettings) -> dict[str, Batch]:
    """Tasks in the order of `experiment_tasks`, so many for one job as the settings say; by name."""
    tasks = experiment_tasks(settings)
    per_job = settings.tasks_per_job
    batches = {}
    for first in range(0, len(tasks), per_job):
        own = tuple(tasks[first : first + per_job])
        largest = max(task["trajectories"] for task in own)
        piece = settings.trajectories_per_piece or largest
        name = f"b{first // per_job:04d}"
        batches[name] = Batch(name, own, -(-largest // piece))
    return batches
