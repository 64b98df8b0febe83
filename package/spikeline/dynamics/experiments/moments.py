"""Second to fourth step: second moments piece by piece, whitening by their sum, third moments piece by piece."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py

from spikeline.artifacts import Provenance
from spikeline.config.molds import lags_of
from spikeline.dynamics.experiments.estimators import second_moment, third_moment
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, task_file, tasks_in
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.tensor.whitening import whitened_directions

__all__ = ["second_moments_to_file", "summed", "third_moments_to_file", "whitening_to_file"]


def _pieces(data: h5py.File, piece: int, size: int | None) -> Iterator[tuple[str, h5py.Group, int, int]]:
    """Tasks that have such a piece: name, group, number of the first trajectory, how many."""
    for name in tasks_in(data):
        group = data[name]
        count = int(group.attrs["trajectories"])
        size_here = size or count
        first = piece * size_here
        if first < count:
            yield name, group, first, min(size_here, count - first)


def window_lags(group: h5py.Group, lags: int | None) -> tuple[int, int]:
    """How many lags the moments of a task have, and the first of them; ``lags`` as for `second_moments_to_file`."""
    first_lag = 0 if group.attrs["feedthrough"] else 1
    return lags_of(int(group.attrs["n_states"]), lags) - first_lag, first_lag


def second_moments_to_file(
    data_path: str | Path,
    output: str | Path,
    estimators: Sequence[str],
    *,
    lags: int | None = None,
    piece: int = 0,
    trajectories_per_piece: int | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Sum the second moments of one piece of every task of a batch.

    Parameters
    ----------
    data_path
        File of `data.data_to_file`.
    output
        File with groups task/estimator: ``total``, ``count``. A task without such a piece has none.
    estimators
        Of `estimators.second_moment`.
    lags
        Length of responses, with lag 0; None: as long as each task's states need (`spikeline.config.molds.lags_of`).
    piece, trajectories_per_piece
        Which piece, and how many trajectories each has; None: all.
    provenance
        For the manifest.
    """
    with open_tasks(data_path, "data") as data, task_file(output, "second-moments", provenance) as file:
        for name, group, first, count in _pieces(data, piece, trajectories_per_piece):
            part, (kept, first_lag) = piece_of(group, first, count), window_lags(group, lags)
            for estimator in estimators:
                moment = second_moment(estimator, part, kept, first_lag, first)
                file.write(f"{name}/{estimator}", {"total": moment.total}, count=moment.count)


def summed(files: Sequence[h5py.File], group: str) -> MomentSum:
    """A moment over all pieces that its task has."""
    parts = [MomentSum(file[group]["total"][:], float(file[group].attrs["count"])) for file in files if group in file]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def whitening_to_file(
    data_path: str | Path,
    second_paths: Sequence[str | Path],
    output: str | Path,
    estimators: Sequence[str],
    *,
    provenance: Provenance | None = None,
) -> None:
    """Whiten by the sum of all pieces: one job, because all pieces of the third moment must see the same directions.

    Parameters
    ----------
    data_path
        File of `data.data_to_file`; tells the number of components.
    second_paths
        Files of `second_moments_to_file`, all pieces.
    output
        File with groups task/estimator: ``forward``, ``back``, ``eigenvalues``, and whether the last component
        ``stands_out`` of the noise.
    estimators
        As before.
    provenance
        For the manifest.
    """
    import contextlib

    with contextlib.ExitStack() as opened:
        data = opened.enter_context(open_tasks(data_path, "data"))
        second = [opened.enter_context(open_tasks(path, "second-moments")) for path in second_paths]
        file = opened.enter_context(task_file(output, "whitening", provenance))
        for name in tasks_in(data):
            for estimator in estimators:
                group = f"{name}/{estimator}"
                with warnings.catch_warnings(record=True) as said:
                    warnings.simplefilter("always")
                    found = whitened_directions(summed(second, group).value, int(data[name].attrs["n_components"]))
                arrays = {"forward": found.forward, "back": found.back, "eigenvalues": found.eigenvalues}
                file.write(group, arrays, stands_out=not said)


def third_moments_to_file(
    data_path: str | Path,
    whitening_path: str | Path,
    output: str | Path,
    *,
    lags: int | None = None,
    piece: int = 0,
    trajectories_per_piece: int | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Sum the whitened third moments of one piece of every task of a batch.

    Parameters
    ----------
    data_path, output, lags, piece, trajectories_per_piece, provenance
        As for `second_moments_to_file`.
    whitening_path
        File of `whitening_to_file`; tells the estimators.
    """
    with (
        open_tasks(data_path, "data") as data,
        open_tasks(whitening_path, "whitening") as whitening,
        task_file(output, "third-moments", provenance) as file,
    ):
        for name, group, first, count in _pieces(data, piece, trajectories_per_piece):
            part, (kept, first_lag) = piece_of(group, first, count), window_lags(group, lags)
            for estimator in whitening[name]:
                forward = whitening[name][estimator]["forward"][:]
                moment = third_moment(estimator, part, kept, forward, first_lag, first)
                file.write(f"{name}/{estimator}", {"total": moment.total}, count=moment.count)
