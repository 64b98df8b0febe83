"""First step: a mixture, its trajectories, and others that are held out, for each task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeline.artifacts import Provenance, seed_stream
from spikeline.dynamics.experiments.task_files import task_file
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.simulated.presets import draw_mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["data_to_file", "task_mixture", "task_trajectories"]

_BLOCK = 1000  # trajectories that are drawn at once, each block from a stream of its own
_FACTS = (
    "cell", "n_components", "n_states", "n_inputs", "n_outputs", "feedthrough", "process_noise", "observation_noise",
    "trajectories", "steps", "seed",
)  # fmt: skip


def task_mixture(experiment: str, task: dict[str, Any], root_seed: int) -> Mixture:
    """The true mixture: the same systems for all N, T and noise, so that cells of one seed are about the same systems.

    Parameters
    ----------
    experiment
        Its name.
    task
        Of `spikeline.dynamics.experiments.plan.experiment_tasks`.
    root_seed
        The run's.
    """
    shard = f"{experiment}/k{task['n_components']}-n{task['n_states']}-s{task['seed']}"
    return draw_mixture(task, seed_stream(root_seed, "molds-mixture", shard))


def task_trajectories(
    mixture: Mixture, shard: str, count: int, steps: int, root_seed: int
) -> Iterator[tuple[int, Trajectories]]:
    """Trajectories in blocks: the number of the first, and the block.

    Parameters
    ----------
    mixture
        The truth.
    shard
        Which trajectories: experiment, task, and what they are for.
    count, steps
        N and T.
    root_seed
        The run's.
    """
    for first in range(0, count, _BLOCK):
        draw = seed_stream(root_seed, "molds-trajectories", f"{shard}/{first}")
        yield (
            first,
            simulate_mixture(mixture.systems, mixture.weights, min(_BLOCK, count - first), steps, draw),
        )


def data_to_file(
    output: str | Path,
    experiment: str,
    tasks: Sequence[dict[str, Any]],
    *,
    held_out: int,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Simulate a batch of tasks.

    Parameters
    ----------
    output
        File with a group per task: facts as attributes, ``inputs``, ``outputs``, ``lengths`` and ``labels``, the
        same below ``held_out``, and the true matrices below ``truth``.
    experiment, tasks
        As for `task_mixture`.
    held_out
        Number of trajectories that no estimate sees.
    seed
        The run's.
    provenance
        For the manifest.
    """
    with task_file(output, "data", provenance) as file:
        for place, task in enumerate(tasks):
            mixture, name = task_mixture(experiment, task, seed), task["name"]
            group = file.write(name, {}, place=place, **{fact: task[fact] for fact in _FACTS})
            file.write(f"{name}/truth", mixture_arrays(mixture))
            for part, count in ((group, task["trajectories"]), (group.create_group("held_out"), held_out)):
                _write_trajectories(part, mixture, f"{experiment}{part.name}", count, task["steps"], seed)


def _write_trajectories(part: h5py.Group, mixture: Mixture, shard: str, count: int, steps: int, seed: int) -> None:
    shapes = {
        "inputs": ((count, steps, mixture.n_inputs), np.float64),
        "outputs": ((count, steps, mixture.n_outputs), np.float64),
        "lengths": ((count,), np.int64),
        "labels": ((count,), np.int64),
    }
    for name, (shape, kind) in shapes.items():
        part.create_dataset(name, shape, kind, track_times=False)
    for first, block in task_trajectories(mixture, shard, count, steps, seed):
        for name in shapes:
            part[name][first : first + len(block)] = getattr(block, name)
