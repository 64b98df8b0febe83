"""All sorters on one recording, in turns, each run in a fresh process."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeline.child import run_child
from spikeline.config.recordings import RecordingSettings
from spikeline.errors import DataError
from spikeline.sorting.benchmarks.contestants import Contestant, parameters_of
from spikeline.sorting.benchmarks.scored import TrueUnits
from spikeline.sorting.catalogue import PEERS
from spikeline.sorting.run_elsewhere import read_spikes

__all__ = ["sort_in_turns"]

# For their versions.
_PACKAGES = {"simsort": ["spikeline"], **PEERS}
_MEASURED = ("seconds", "processor_seconds", "start_s", "warm_up_s", "peak_mb")


def sort_in_turns(
    recording_folder: str | Path,
    settings: RecordingSettings,
    truth: TrueUnits,
    contestants: Mapping[str, Contestant],
    *,
    program: str | Path,
    peers_interpreter: str | Path | None,
    seed: int,
    repetitions: int,
    threads: int,
    warm_up_s: float,
) -> dict[str, dict[str, Any]]:
    """Sort one recording with all sorters, then again in reverse order, and so on.

    Parameters
    ----------
    recording_folder
        A folder that SpikeInterface loads.
    settings
        What the recording was made with.
    truth
        Its units.
    contestants
        Name -> sorter.
    program
        ``scripts/benchmarks/peers/sorting_run.py``.
    peers_interpreter
        Python of the environment the peers are installed in; None, or one that is not there: they are reported as not
        installed.
    seed
        For the sorters that take one.
    repetitions
        Turns. A sorter that fails is not asked again.
    threads
        Cores and threads of each sorter.
    warm_up_s
        Length of the stretch that is sorted before; 0: none.

    Returns
    -------
    dict
        Name -> ``status`` (``sorted``, ``not installed`` or ``failed: ...``), parameters, versions; the times of every
        turn; the median of the seconds and the largest memory; the scores of every turn's sorting, and their means.
    """
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
    order = list(contestants)
    parameters = {name: parameters_of(contestants[name], settings, threads, seed) for name in order}
    for turn in range(repetitions):
        for name in order if turn % 2 == 0 else reversed(order):
            if any(run["status"] != "sorted" for run in runs[name]):
                continue
            interpreter = peers_interpreter if contestants[name].elsewhere else sys.executable
            runs[name].append(
                _sort_once(
                    [str(interpreter), str(program)] if interpreter and Path(interpreter).exists() else None,
                    {
                        "recording": str(recording_folder),
                        "sorter": contestants[name].sorter,
                        "parameters": parameters[name],
                        "cores": threads,
                        "warm_up_s": warm_up_s,
                        "packages": _PACKAGES.get(contestants[name].sorter, []),
                    },
                    truth,
                    settings.sampling_rate_hz,
                    threads,
                )
            )
            # The sorters talk much and take minutes: what came of each, in the job's log
            run = runs[name][-1]
            print(
                f"turn {turn + 1}, {name}: {run['status']}, {run.get('seconds', 0.0):.1f} s",
                file=sys.stderr,
                flush=True,
            )
    return {name: _summary(runs[name], parameters[name]) for name in order}


def _sort_once(
    command: Sequence[str] | None, job: Mapping[str, Any], truth: TrueUnits, rate_hz: float, threads: int
) -> dict[str, Any]:
    if command is None:
        return {"status": "not installed"}
    with tempfile.TemporaryDirectory() as folder:
        spikes = Path(folder) / "spikes.npz"
        try:
            run = dict(run_child(command, {**job, "spikes": str(spikes)}, threads))
        except DataError as error:  # a crash that no error tells of
            return {"status": f"failed: {error.seen.splitlines()[-1].strip()}"}
        if run["status"] == "sorted":
            run["scores"] = truth.score(read_spikes(spikes, rate_hz))
    return run


def _summary(runs: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    last = {key: value for key, value in runs[-1].items() if key not in _MEASURED and key != "scores"}
    summary = {**last, "parameters": dict(parameters)}
    for key in _MEASURED:
        if values := [run[key] for run in runs if key in run]:
            summary[key] = values
    if runs[-1]["status"] == "sorted":
        scores = [run["scores"] for run in runs]
        summary["median_s"] = statistics.median(summary["seconds"])
        summary["largest_peak_mb"] = max(summary["peak_mb"])
        summary["scores"] = scores
        summary["mean_scores"] = {key: statistics.mean(score[key] for score in scores) for key in scores[0]}
    return summary
