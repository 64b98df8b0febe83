"""Sixth step: the mixtures that EM starts from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py

from spikeline.artifacts import Provenance, seed_stream
from spikeline.dynamics.experiments.components import realisations_of
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, task_file, tasks_in
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays, mixture_of
from spikeline.dynamics.starts.noise_initialisation import NoiseVariant, with_noise
from spikeline.dynamics.starts.random_start import random_start

__all__ = ["starts_to_file", "tensor_start"]


def tensor_start(task: h5py.Group, found: h5py.Group, noise: NoiseVariant) -> Mixture:
    """The mixture that the tensor stage ends with.

    Parameters
    ----------
    task, found
        Group of a task in a file of data, and of what was found of it in a file of components.
    noise
        First Q and R.
    """
    systems = with_noise(realisations_of(found), piece_of(task), noise)
    return Mixture(tuple(systems), found["weights"][:])


def starts_to_file(
    data_path: str | Path,
    components_path: str | Path | None,
    output: str | Path,
    kinds: Sequence[str],
    *,
    stage: tuple[str, str],
    noise: NoiseVariant,
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
        File of `components.components_to_file`; None if no EM starts there.
    output
        File with groups task/kind/number, each a mixture, or empty with a ``note`` where there is none.
    kinds
        ``tensor``, ``truth``, ``random``.
    stage
        Estimator and decomposition of the tensor stage that EM starts from.
    noise
        First Q and R of the tensor stage.
    random_starts
        How many random mixtures.
    experiment, seed
        For the random mixtures.
    provenance
        For the manifest.
    """
    components = None
    with open_tasks(data_path, "data") as data, task_file(output, "starts", provenance) as file:
        if "tensor" in kinds:
            with open_tasks(components_path, "components") as components:
                for name in tasks_in(data):
                    found = components[name]["/".join(stage)]
                    note = str(found.attrs["note"])
                    arrays = {} if note else mixture_arrays(tensor_start(data[name], found, noise))
                    file.write(f"{name}/tensor/0", arrays, note=note)
        for name in tasks_in(data):
            task = data[name]
            if "truth" in kinds:
                file.write(f"{name}/truth/0", mixture_arrays(mixture_of(task["truth"])), note="")
            if "random" in kinds:
                trajectories, facts = piece_of(task), task.attrs
                for number in range(random_starts):
                    draw = seed_stream(seed, "molds-random-start", f"{experiment}/{name}/{number}")
                    mixture = random_start(
                        trajectories,
                        int(facts["n_components"]),
                        int(facts["n_states"]),
                        draw,
                        feedthrough=bool(facts["feedthrough"]),
                    )
                    file.write(f"{name}/random/{number}", mixture_arrays(mixture), note="")
