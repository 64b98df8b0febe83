"""Run a sorter that is installed in another environment: its dependencies never meet ours."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from spikeline.artifacts import scratch_beside
from spikeline.child import run_child
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.catalogue import PEERS, refuse_unknown_parameters
from spikeline.sorting.documented_settings import documented_settings
from spikeline.sorting.parameters import merged
from spikeline.sorting.run import check_recording
from spikeline.sorting.sorting_file import make_sorting

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = [
    "PeersEnvironment",
    "parameters_elsewhere",
    "peers_environment",
    "read_spikes",
    "sort_elsewhere",
]

# How the sorters that read SpikeInterface's job keywords as parameters of their own are given their threads.
_JOB = {"pool_engine": "thread", "chunk_duration": "1s", "progress_bar": False, "mp_context": None}


@dataclass(frozen=True)
class PeersEnvironment:
    """Where the peers live.

    Parameters
    ----------
    interpreter
        Python of their environment.
    program
        ``scripts/benchmarks/peers/sorting_run.py``, which needs nothing of spikeline.
    """

    interpreter: Path
    program: Path


def peers_environment(files: Sequence[str | Path]) -> PeersEnvironment | None:
    """From a rule's input, if any: the list of what is installed, beside the environment, and the program."""
    if not files:
        return None
    installed, program = map(Path, files)
    return PeersEnvironment(installed.parent / "venv/bin/python", program)


def parameters_elsewhere(
    settings: SorterSettings,
    locations_um: Float[np.ndarray, "channels dimensions"],
    sampling_rate_hz: float,
    threads: int,
    seed: int,
) -> dict[str, Any]:
    """As `spikeline.sorting.parameters.sorter_parameters`, of a sorter that cannot be asked for its defaults here."""
    refuse_unknown_parameters(settings.sorter, settings.parameters, None)
    given = merged(documented_settings(settings.sorter, locations_um, sampling_rate_hz), settings.parameters)
    seeds = {"whitening_seed": seed} if settings.sorter == "mountainsort5" else {}
    return {**given, **seeds, "n_jobs": threads, **_JOB}


def sort_elsewhere(
    recording: si.BaseRecording,
    settings: SorterSettings,
    peers: PeersEnvironment | None,
    threads: int,
    seed: int,
    *,
    output: str | Path,
) -> si.NumpySorting:
    """As `spikeline.sorting.run.sort_recording`, in the peers' environment.

    Parameters
    ----------
    recording, settings, threads, seed
        As there.
    peers
        Their environment; None is refused.
    output
        Where the sorting will be written; the recording's copy lies beside it meanwhile.

    Raises
    ------
    ConfigError
        If there is no such environment, a parameter is reserved, or the sorter is not installed there.
    DataError
        If the recording cannot be sorted, or the sorter fails.
    """
    if peers is None:
        raise ConfigError(
            f"sorter {settings.sorter!r} with environment: peers, and no such environment here",
            "the workflow, which makes it",
            "sort by snakemake, or install the sorter beside spikeline and leave out environment",
        )
    check_recording(recording)
    rate = recording.get_sampling_frequency()
    parameters = parameters_elsewhere(settings, recording.get_channel_locations(), rate, threads, seed)
    with scratch_beside(output) as folder:
        with warnings.catch_warnings():
            # SpikeInterface notes that the copy does not remember where it came from; nothing reads that.
            warnings.filterwarnings("ignore", message="The extractor is not serializable to file")
            recording.save(folder=folder / "recording", n_jobs=1, verbose=False, progress_bar=False)
        job = {
            "recording": str(folder / "recording"),
            "sorter": settings.sorter,
            "parameters": parameters,
            "cores": None,
            "warm_up_s": 0,
            "packages": PEERS.get(settings.sorter, []),
            "spikes": str(folder / "spikes.npz"),
        }
        told = run_child([str(peers.interpreter), str(peers.program)], job, threads)
        if told["status"] == "sorted":
            return read_spikes(folder / "spikes.npz", rate)
    if told["status"] == "not installed":
        raise ConfigError(
            f"sorter {settings.sorter!r} is not installed in the environment of {peers.interpreter}",
            "one of " + ", ".join(PEERS),
            "leave out environment: peers, and install the sorter beside spikeline",
        )
    raise DataError(
        f"sorter {settings.sorter!r} {told['status']}",
        "a recording and parameters that it can sort",
        "read its traceback above this error; sort with another sorter or other parameters under sorting.sorters",
    )


def read_spikes(path: Path, sampling_rate_hz: float) -> si.NumpySorting:
    """What ``sorting_run.py`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        n_units = int(file["n_units"])
        note = "" if n_units else "the sorter kept no unit"
        names = [str(unit) for unit in range(n_units)]
        return make_sorting(file["spike_samples"], file["unit_index"], names, sampling_rate_hz, note)
