"""Seventh step: EM, from one kind of start."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, config_hash, open_hdf5, read_manifest, write_hdf5
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, task_file, tasks_in
from spikeline.dynamics.mixture_files import mixture_arrays, mixture_of
from spikeline.errors import FormatError, NumericalError

__all__ = ["fits_to_file", "work_folder"]

_FIT = "molds-fit"


def work_folder(output: str | Path, key: str) -> Path:
    """Where finished fits of an unfinished batch lie, and the checkpoint of the one at work: hidden beside it."""
    output = Path(output)
    return output.with_name(f".{output.name}.work-{key}")


def fits_to_file(
    data_path: str | Path,
    starts_path: str | Path,
    output: str | Path,
    kind: str,
    settings: EMSettings,
    *,
    provenance: Provenance | None = None,
) -> None:
    """Fit every task of a batch from one kind of start.

    A job that is killed leaves finished fits and a checkpoint behind; the next one with the same settings and inputs
    goes on from there.

    Parameters
    ----------
    data_path, starts_path
        Files of `data.data_to_file` and `starting.starts_to_file`.
    output
        File with groups task/number: the mixture, ``log_likelihoods``, ``converged``, and a ``note`` in place of all of
        it where there was no start, or EM failed.
    kind
        ``tensor``, ``truth`` or ``random``.
    settings
        Of EM; whether there is a feedthrough, each task says itself.
    provenance
        For the manifest.
    """
    inputs = [read_manifest(path)["sha256"] for path in (data_path, starts_path)]
    folder = work_folder(output, config_hash({"kind": kind, "settings": settings.plain(), "inputs": inputs}))
    for stale in folder.parent.glob(work_folder(output, "*").name):
        if stale != folder:
            shutil.rmtree(stale)
    with (
        open_tasks(data_path, "data") as data,
        open_tasks(starts_path, "starts") as starts,
        task_file(output, f"fits-{kind}", provenance) as file,
    ):
        for name in tasks_in(data):
            for number in sorted(starts[name][kind], key=int):
                done = folder / name / f"{number}.h5"
                if not _is_whole(done):
                    _fit_one(data[name], starts[name][kind][number], done, settings)
                with open_hdf5(done, _FIT) as fit:
                    arrays = {part: fit[part][()] for part in fit}
                    file.write(f"{name}/{number}", arrays, note=str(fit.attrs["note"]))
    shutil.rmtree(folder)


def _is_whole(path: Path) -> bool:
    try:
        with open_hdf5(path, _FIT):
            return True
    except FormatError:
        return False


def _fit_one(task: h5py.Group, start: h5py.Group, done: Path, settings: EMSettings) -> None:
    note, arrays = str(start.attrs["note"]), {}
    if not note:
        trajectories = piece_of(task)
        own = settings.model_copy(update={"feedthrough": bool(task.attrs["feedthrough"])})
        done.parent.mkdir(parents=True, exist_ok=True)
        checkpoint = done.with_suffix(".checkpoint")
        try:
            fit = fit_mixture_em(
                trajectories,
                mixture_of(start),
                own,
                checkpoint=checkpoint,
                engine=make_engine(own, trajectories),
            )
        except NumericalError as error:
            note = error.seen
        else:
            facts = {"log_likelihoods": fit.log_likelihoods, "converged": np.array(fit.converged)}
            arrays = mixture_arrays(fit.mixture) | facts
        checkpoint.unlink(missing_ok=True)
    write_hdf5(done, _FIT, arrays, attributes={"note": note})
