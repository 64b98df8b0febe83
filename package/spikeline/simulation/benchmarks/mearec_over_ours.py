"""MEArec's ``gen_recordings`` beside our events drive: the same units, spikes, tetrode, rate, length and noise."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.signal

from spikeline.artifacts import Provenance, seed_stream
from spikeline.child import run_child
from spikeline.config.recordings import NoiseSettings, ProbeSettings, RecordingSettings
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import Measurement, clocked, median_ratio, take_turns
from spikeline.simulation.recordings.events import draw_rate, draw_spike_train
from spikeline.simulation.recordings.filters import band_pass
from spikeline.simulation.recordings.recording import make_recording
from spikeline.simulation.recordings.simulated_recording import SimulatedRecording, render
from spikeline.simulation.recordings.sources import EventSource

__all__ = ["CASES", "WAYS", "Case", "compare_mearec_with_ours", "make_traces", "write_mearec_over_ours"]

_METHOD = (
    "Both in two threads or processes, in turns, warm, all samples as float32 in memory (MEArec: or in its "
    "temporary file, where that is faster), noise of the same level and model, spike trains given. MEArec runs in "
    "its own environment; its templates are our units' mean spikes, made before the clock starts, at the "
    "recording's rate; it runs in the fastest of the ways listed under mearec_ways. Inside our clock: placing the "
    "units anew (which MEArec's templates come with), cutting spikes out of the bank, pasting them between samples, "
    "noise. Our spikes vary with the interval before them as in the bank, in every case; the cases differ in what "
    "MEArec's do, in the noise, and in a band-pass on both sides. The headline is modulated: MEArec's default "
    "modulation and noise, no filter."
)


class Case(NamedTuple):
    """What both sides make.

    Parameters
    ----------
    modulation
        How MEArec varies its spikes: ``none``, ``electrode`` (amplitudes at random, its default) or ``interval``
        (amplitude and shape by the interval before a spike, which is nearest to what ours do).
    colour
        ``white`` or ``coloured`` (a resonance at 300 Hz and a floor; ours follows MEArec's).
    filtered
        With a band-pass of 300-6000 Hz, third order, forward and backward.
    """

    modulation: str
    colour: Literal["white", "coloured"]
    filtered: bool


CASES = {
    "modulated": Case("electrode", "white", filtered=False),
    "identical_spikes": Case("none", "white", filtered=False),
    "band_passed": Case("electrode", "white", filtered=True),  # MEArec's default settings
    "coloured_noise": Case("electrode", "coloured", filtered=False),
    "interval_dependent": Case("interval", "white", filtered=False),
}
_HEADLINE = "modulated"
# Ways to run MEArec that are tried once each per case; the fastest then takes turns with ours.
WAYS: tuple[Mapping[str, Any], ...] = (
    {"n_jobs": 1, "chunk_duration_s": 0.0, "tmp_mode": None},
    {"n_jobs": 1, "chunk_duration_s": 10.0, "tmp_mode": None},
    {"n_jobs": 1, "chunk_duration_s": 10.0, "tmp_mode": "memmap"},
    {"n_jobs": 2, "chunk_duration_s": 10.0, "tmp_mode": "memmap"},
    {"n_jobs": 2, "chunk_duration_s": 60.0, "tmp_mode": "memmap"},
)


def _settings(
    colour: Literal["white", "coloured"], units: int, duration_s: float, sampling_rate_hz: float
) -> RecordingSettings:
    return RecordingSettings(
        probe=ProbeSettings(kind="tetrode"),
        units=units,
        duration_s=duration_s,
        sampling_rate_hz=sampling_rate_hz,
        drive="events",
        noise=NoiseSettings(level_uv=10.0, colour=colour, background_units=0),
    )


def make_traces(
    entries: Sequence[BankEntry],
    settings: RecordingSettings,
    seed: int,
    trains: Sequence[np.ndarray],
    threads: int = 2,
    filtered: bool = False,
) -> np.ndarray:
    """A whole recording in memory, from bank entries: (n_samples, n_channels) float32, uV."""
    recording = make_recording(entries, settings, seed, "benchmark", spike_trains=trains).recording
    assert isinstance(recording, SimulatedRecording)
    traces = render(recording.plan, threads)
    return band_pass(traces, settings.sampling_rate_hz, threads=threads) if filtered else traces


def _templates(
    entries: Sequence[BankEntry], settings: RecordingSettings, seed: int, trains: Sequence[np.ndarray]
) -> tuple[np.ndarray, float]:
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
    case: Case,
    *,
    seed: int,
    units: int = 6,
    duration_s: float = 120.0,
    sampling_rate_hz: float = 30_000.0,
    repetitions: int = 5,
    threads: int = 2,
    ways: Sequence[Mapping[str, Any]] = WAYS,
) -> dict[str, Any]:
    """Both sides in turns, after a first round that finds MEArec's fastest way.

    Parameters
    ----------
    entries
        Bank entries to make units of.
    peer
        The peers' interpreter and the program that runs MEArec.
    case
        What is made.
    """
    settings = _settings(case.colour, units, duration_s, sampling_rate_hz)
    streams = [seed_stream(seed, "benchmark-trains", str(unit)) for unit in range(units)]
    trains = [
        draw_spike_train(draw_rate(settings.spike_trains, s), duration_s, settings.spike_trains, s) for s in streams
    ]
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
            "coloured": case.colour == "coloured",
            "filtered": case.filtered,
            "modulation": case.modulation,
            "pitch_um": settings.probe.pitch_um,
        }

        def mearec(way: Mapping[str, Any]) -> Measurement:
            # Each of its processes gets one thread; alone it gets them all
            return run_child(peer, {**job, **way}, threads if way["n_jobs"] == 1 else 1)

        if case.filtered:  # without a file, MEArec 1.11.0 adds the filtered traces to the unfiltered ones
            ways = [way for way in ways if way["tmp_mode"] is not None]
        first = [mearec(way)["seconds"] for way in ways]
        fastest = ways[int(np.argmin(first))]
        make_traces(entries, settings, seed, trains, threads, case.filtered)  # compiles
        sides = {
            "mearec": lambda: mearec(fastest),
            "ours": clocked(lambda: make_traces(entries, settings, seed, trains, threads, case.filtered)),
        }
        result = take_turns(sides, repetitions)
    return {
        **result,
        "mearec_ways": [{**way, "seconds": seconds} for way, seconds in zip(ways, first, strict=True)],
        "fastest_way": dict(fastest),
        "spikes": sum(map(len, trains)),
        "ratio": median_ratio(result["mearec"]["seconds"], result["ours"]["seconds"]),
    }


def write_mearec_over_ours(
    path: str | Path,
    entries: Iterable[str | Path],
    peer: Sequence[str],
    *,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Measure and write the benchmark."""
    bank = [entry for entry in map(read_bank_entry, entries) if len(entry.spike_samples)]
    before = load_average()
    cases = {name: compare_mearec_with_ours(bank, peer, case, seed=seed) for name, case in CASES.items()}
    headline = {
        f"benchmark.simulation.mearec_over_ours_{name}": case["ratio"]
        for name, case in cases.items()
        if name != _HEADLINE
    }
    headline["benchmark.simulation.mearec_over_ours"] = cases[_HEADLINE]["ratio"]
    write_benchmark(
        path,
        headline=headline,
        method=_METHOD,
        threads=2,
        cases=cases,
        load=(before, load_average()),
        provenance=provenance,
    )
