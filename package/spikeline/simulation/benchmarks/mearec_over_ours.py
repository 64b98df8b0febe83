"""MEArec's ``gen_recordings`` beside our events drive: the same units, spikes, tetrode, rate, length and noise."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal

from spikeline.artifacts import Provenance, seed_stream
from spikeline.config.recordings import NoiseSettings, ProbeSettings, RecordingSettings
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.benchmarks.child import run_child
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import Measurement, clocked, median_ratio, take_turns
from spikeline.simulation.events import draw_rate, draw_spike_train
from spikeline.simulation.recordings import make_recording
from spikeline.simulation.simulated_recording import SimulatedRecording, recording_blocks
from spikeline.simulation.synthesis import EventSource

__all__ = ["MEAREC_SETTINGS", "compare_mearec_with_ours", "make_traces", "write_mearec_over_ours"]

_METHOD = (
    "Both in two threads or processes, in turns, warm, traces of all samples in memory as float32, no filter, white noise of the same level, "
    "spike trains given. MEArec runs in its own environment; its templates are our units' mean spikes, made before the clock starts, at the "
    "recording's rate; it has the fastest of the settings listed under mearec_settings. Inside our clock: placing the units anew (which MEArec's "
    "templates come with), cutting spikes out of the bank, whose amplitudes and shapes vary, pasting them between samples, noise."
)
# What is tried once each; the fastest then takes turns with ours. Without modulation every spike of a unit is the same.
MEAREC_SETTINGS: tuple[Mapping[str, Any], ...] = tuple(
    {"n_jobs": n_jobs, "chunk_duration_s": chunk, "tmp_mode": mode, "modulation": "none"}
    for n_jobs, chunk in ((1, 0.0), (1, 10.0), (2, 10.0), (2, 60.0))
    for mode in (None, "memmap")
) + ({"n_jobs": 2, "chunk_duration_s": 10.0, "tmp_mode": "memmap", "modulation": "electrode"},)


def _settings(units: int, duration_s: float, sampling_rate_hz: float) -> RecordingSettings:
    return RecordingSettings(
        probe=ProbeSettings(kind="tetrode"), units=units, duration_s=duration_s, sampling_rate_hz=sampling_rate_hz, drive="events",
        noise=NoiseSettings(level_uv=10.0, colour="white", background_units=0),
    )  # fmt: skip


def make_traces(
    entries: Sequence[BankEntry], settings: RecordingSettings, seed: int, trains: Sequence[np.ndarray], threads: int = 2
) -> np.ndarray:
    """A whole recording in memory, from bank entries: (n_samples, n_channels) float32, uV."""
    recording = make_recording(entries, settings, seed, "benchmark", spike_trains=trains).recording
    assert isinstance(recording, SimulatedRecording)
    traces = np.empty((recording.plan.n_samples, recording.plan.n_channels), np.float32)
    start = 0
    for block in recording_blocks(recording.plan, threads):
        traces[start : start + len(block)] = block
        start += len(block)
    return traces


def _templates(entries: Sequence[BankEntry], settings: RecordingSettings, seed: int, trains: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Mean spikes (n_units, n_channels, n_samples) at the recording's rate, and the time of their peak, ms."""
    recording = make_recording(entries, settings, seed, "benchmark", spike_trains=trains).recording
    assert isinstance(recording, SimulatedRecording)
    spikes = []
    for source in recording.plan.sources:
        assert isinstance(source, EventSource)
        spikes.append(source.projection[0] @ source.components.mean(axis=0))
        peak_ms = 1e3 * source.centre / recording.plan.bank_rate_hz
    mean = np.stack(spikes)
    count = round(mean.shape[2] * settings.sampling_rate_hz / recording.plan.bank_rate_hz)
    return scipy.signal.resample(mean, count, axis=2).astype(np.float32), peak_ms


def compare_mearec_with_ours(
    entries: Sequence[BankEntry],
    peer: Sequence[str],
    *,
    seed: int,
    units: int = 6,
    duration_s: float = 120.0,
    sampling_rate_hz: float = 30_000.0,
    repetitions: int = 5,
    threads: int = 2,
    mearec_settings: Sequence[Mapping[str, Any]] = MEAREC_SETTINGS,
) -> dict[str, Any]:
    """Both sides in turns, after a first round that finds MEArec's fastest settings.

    Parameters
    ----------
    entries
        Bank entries to make units of.
    peer
        The peers' interpreter and the program that runs MEArec.
    """
    settings = _settings(units, duration_s, sampling_rate_hz)
    streams = [seed_stream(seed, "benchmark-trains", str(unit)) for unit in range(units)]
    trains = [draw_spike_train(draw_rate(settings.spike_trains, s), duration_s, settings.spike_trains, s) for s in streams]
    templates, peak_ms = _templates(entries, settings, seed, trains)
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "units.npz"
        np.savez(arrays, templates=templates, spikes_s=np.concatenate(trains), counts=[len(train) for train in trains])
        job = {
            "arrays_file": str(arrays),
            "duration_s": duration_s,
            "sampling_rate_hz": sampling_rate_hz,
            "peak_ms": peak_ms,
            "noise_uv": settings.noise.level_uv,
            "pitch_um": settings.probe.pitch_um,
        }

        def mearec(chosen: Mapping[str, Any]) -> Measurement:
            # Each of its processes gets one thread; alone it gets them all
            return run_child(peer, {**job, **chosen}, threads if chosen["n_jobs"] == 1 else 1)

        first = [mearec(chosen)["seconds"] for chosen in mearec_settings]
        fastest = mearec_settings[int(np.argmin(first))]
        make_traces(entries, settings, seed, trains, threads)  # compiles
        sides = {
            "mearec": lambda: mearec(fastest),
            "ours": clocked(lambda: make_traces(entries, settings, seed, trains, threads)),
        }
        result = take_turns(sides, repetitions)
    return {
        **result,
        "mearec_settings": [{**chosen, "seconds": seconds} for chosen, seconds in zip(mearec_settings, first, strict=True)],
        "fastest_settings": dict(fastest),
        "spikes": sum(map(len, trains)),
        "ratio": median_ratio(result["mearec"]["seconds"], result["ours"]["seconds"]),
    }


def write_mearec_over_ours(
    path: str | Path, entries: Iterable[str | Path], peer: Sequence[str], *, seed: int, provenance: Provenance | None = None
) -> None:
    """Measure and write the benchmark."""
    bank = [entry for entry in map(read_bank_entry, entries) if len(entry.spike_samples)]
    before = load_average()
    case = compare_mearec_with_ours(bank, peer, seed=seed)
    write_benchmark(
        path, headline={"benchmark.simulation.mearec_over_ours": case["ratio"]}, method=_METHOD, threads=2,
        cases={"tetrode": case}, load=(before, load_average()), provenance=provenance,
    )  # fmt: skip
