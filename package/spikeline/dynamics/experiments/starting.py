"""Sixth step: the mixtures that EM starts from."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, seed_stream
from spikeline.config.molds import StartSettings
from spikeline.dynamics.experiments.components import responses_of
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, task_file, tasks_in
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays, mixture_of
from spikeline.dynamics.moments.unit_scale import UnitScale, unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.from_responses import mixture_from_responses
from spikeline.dynamics.starts.random_start import random_start
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["starts_to_file"]


def _of_responses(task: h5py.Group, found: h5py.Group, trajectories: Trajectories, settings: StartSettings) -> Mixture:
    estimate, states = responses_of(found), int(task.attrs["n_states"])
    feedthrough = bool(task.attrs["feedthrough"])
    return mixture_from_responses(
        estimate.markov, estimate.weights, trajectories, states, settings, Notes(), feedthrough=feedthrough
    )


def _random_start(task: h5py.Group, scale: UnitScale, draw: np.random.Generator) -> Mixture:
    sizes = (int(task.attrs[name]) for name in ("n_components", "n_states", "n_inputs", "n_outputs"))
    drawn = random_start(*sizes, draw, feedthrough=bool(task.attrs["feedthrough"]))
    return Mixture(tuple(scale.undone(system) for system in drawn.systems), drawn.weights)


def starts_to_file(
    data_path: str | Path,
    components_path: str | Path | None,
    output: str | Path,
    kinds: Sequence[str],
    *,
    stage: tuple[str, str],
    settings: StartSettings,
    random_starts: int,
    experiment: str,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Make what EM starts from, for a batch of tasks.

    Parameters
    ----------
    data_path
        File of `data.data_to_file`.
    components_path
        File of `components.components_to_file`; None without the kind tensor.
    output
        File with groups task/kind/number, each a mixture, or empty with a ``note`` where there is none. With the kind
        tensor there is the kind moments too: the tensor stage's responses realised as they are, where nothing starts.
    kinds
        ``tensor``, ``truth``, ``random``.
    stage
        Estimator and decomposition of the tensor stage that EM starts from.
    settings
        How responses of the tensor stage become a mixture: ``regress_anew`` and ``noise``.
    random_starts
        How many random mixtures.
    experiment, seed
        For the random mixtures.
    provenance
        For the manifest.
    """
    alone = settings.model_copy(update={"regress_anew": False})
    with contextlib.ExitStack() as opened:
        data = opened.enter_context(open_tasks(data_path, "data"))
        file = opened.enter_context(task_file(output, "starts", provenance))
        components = (
            None if components_path is None else opened.enter_context(open_tasks(components_path, "components"))
        )
        for name in tasks_in(data):
            task, trajectories = data[name], piece_of(data[name])
            if components is not None:
                found = components[name]["/".join(stage)]
                note = str(found.attrs["note"])
                for kind, how in (("tensor", settings), ("moments", alone)):
                    arrays = {} if note else mixture_arrays(_of_responses(task, found, trajectories, how))
                    file.write(f"{name}/{kind}/0", arrays, note=note)
            if "truth" in kinds:
                file.write(f"{name}/truth/0", mixture_arrays(mixture_of(task["truth"])), note="")
            for number in range(random_starts if "random" in kinds else 0):
                draw = seed_stream(seed, "molds-random-start", f"{experiment}/{name}/{number}")
                mixture = _random_start(task, unit_scale(trajectories), draw)
                file.write(f"{name}/random/{number}", mixture_arrays(mixture), note="")
