"""Seconds, memory, accuracy and units of SimSort beside the peers on a ten-minute tetrode."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, seed_integer
from spikeline.config.recordings import NoiseSettings, ProbeSettings, RecordingSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import median_ratio
from spikeline.sorting.benchmarks.contestants import CONTESTANTS, OURS, Contestant
from spikeline.sorting.benchmarks.scored import true_units
from spikeline.sorting.benchmarks.turns import sort_in_turns

__all__ = ["RECORDING", "compare_sorters", "headline", "most_accurate_peer", "write_sorting_over_peers"]

RECORDING = RecordingSettings(
    probe=ProbeSettings(kind="tetrode"),
    units=5,
    duration_s=600.0,
    sampling_rate_hz=10_000.0,
    drive="events",
    noise=NoiseSettings(level_uv=8.0, colour="coloured", background_units=20),
)
"""Ten minutes of five cells that no training has seen; places, rates and noise are the defaults of recordings."""

_METHOD = (
    "One recording, written once (int16, SpikeInterface's binary folder), sorted by every sorter in turns, the order "
    "reversed after each; each run is a fresh process on two cores with two threads. Inside the clock: run_sorter, "
    "from the recording on the disk to its units. Outside: interpreter and imports (start_s), a first sorting of a "
    "short stretch, which compiles (warm_up_s), writing the recording, scoring. Memory is the largest the process ever "
    "held, imports included. Each sorter has its documented settings for a tetrode, listed with its result; none is "
    "tuned to the recording. Scores are means over the true units by the one scorer; a unit not found counts as 0. "
    "The most accurate peer is the one with the highest mean accuracy by SpikeInterface's rule."
)
_ACCURACY = "accuracy_spikeinterface"


def compare_sorters(
    entries: Sequence[BankEntry],
    *,
    program: str | Path,
    peers_interpreter: str | Path | None,
    seed: int,
    settings: RecordingSettings = RECORDING,
    allowed_cells: Collection[str] | None = None,
    contestants: Mapping[str, Contestant] = CONTESTANTS,
    repetitions: int = 3,
    threads: int = 2,
    warm_up_s: float = 20.0,
) -> dict[str, Any]:
    """Make the recording and measure every sorter on it.

    Parameters
    ----------
    entries
        Bank entries of the test side.
    program, peers_interpreter, contestants, repetitions, threads, warm_up_s
        As for `spikeline.sorting.benchmarks.turns.sort_in_turns`.
    seed
        The run's root seed.
    settings
        The recording.
    allowed_cells
        Cell models of the test side; any other is refused. None: no check.

    Returns
    -------
    dict
        ``recording`` (settings and true units) and ``sorters`` (by name).
    """
    from spikeline.simulation.recordings.recording import make_recording, read_recording, write_recording

    made = make_recording(entries, settings, seed, "sorting-benchmark", allowed_cells=allowed_cells)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "recording"
        write_recording(written, made, threads=threads)
        truth = true_units(read_recording(written))
        sorters = sort_in_turns(
            written / "recording",
            settings,
            truth,
            contestants,
            program=program,
            peers_interpreter=peers_interpreter,
            seed=seed_integer(seed, "sorting", "sorting-benchmark"),
            repetitions=repetitions,
            threads=threads,
            warm_up_s=warm_up_s,
        )
    units = made.units[["unit_id", "cell", "n_spikes", "distance_um", "peak_to_peak_uv"]].to_dict("records")
    for unit in units:
        unit["snr"] = truth.snr[str(unit["unit_id"])]
    return {"recording": {"settings": settings.plain(), "units": units}, "sorters": sorters}


def most_accurate_peer(sorters: Mapping[str, Mapping[str, Any]]) -> str:
    """Name of the peer that is most accurate by SpikeInterface's rule; of equals the fastest.

    Raises
    ------
    DataError
        If no peer sorted the recording.
    """
    peers = {name: found for name, found in sorters.items() if name != OURS and found["status"] == "sorted"}
    if not peers:
        states = ", ".join(f"{name}: {found['status']}" for name, found in sorters.items())
        raise DataError(
            f"no peer sorted the recording ({states})", "at least one", "read their output in the job's log"
        )
    return max(peers, key=lambda name: (peers[name]["mean_scores"][_ACCURACY], -peers[name]["median_s"]))


def headline(sorters: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The summary's numbers: our seconds over those of the most accurate peer, and how accurate both are.

    Parameters
    ----------
    sorters
        By name, from `compare_sorters`.

    Raises
    ------
    DataError
        If ours did not sort the recording, or no peer did.
    """
    ours = sorters[OURS]
    if ours["status"] != "sorted":
        raise DataError(f"{OURS} did not sort the recording: {ours['status']}", "a sorting", "read the job's log")
    best = sorters[most_accurate_peer(sorters)]
    return {
        "benchmark.sorting.seconds_over_most_accurate_peer": median_ratio(ours["seconds"], best["seconds"]),
        "benchmark.sorting.accuracy": ours["mean_scores"][_ACCURACY],
        "benchmark.sorting.accuracy_of_most_accurate_peer": best["mean_scores"][_ACCURACY],
    }


def write_sorting_over_peers(
    path: str | Path,
    entries: Iterable[str | Path],
    *,
    program: str | Path,
    peers_interpreter: str | Path | None,
    seed: int,
    allowed_cells: Collection[str] | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Measure and write the benchmark."""
    bank = [read_bank_entry(entry) for entry in entries]
    before = load_average()
    compared = compare_sorters(
        bank, program=program, peers_interpreter=peers_interpreter, seed=seed, allowed_cells=allowed_cells
    )
    sorters = compared["sorters"]
    write_benchmark(
        path,
        headline=headline(sorters),
        method=_METHOD,
        threads=2,
        cases={"tetrode": {**compared, "most_accurate_peer": most_accurate_peer(sorters)}},
        load=(before, load_average()),
        packages=("numpy", "numba", "torch", "spikeinterface"),
        provenance=provenance,
    )
