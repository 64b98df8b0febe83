"""How many seconds of recording are made per second of work, from bank entries, noise included."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance
from spikeline.config.recordings import NoiseSettings, ProbeSettings, RecordingSettings
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import clocked, take_turns
from spikeline.simulation.recordings.recording import make_recording
from spikeline.simulation.recordings.simulated_recording import SimulatedRecording, recording_blocks

__all__ = ["CASES", "enough_entries", "synthesis_case", "write_synthesis_realtime"]

_METHOD = (
    "Continuous drive, two threads, default placement and noise (coloured, 20 background units from the bank). "
    "Inside the clock: every sample of every channel in order, as float32 uV, and the engine's set-up. Outside: "
    "reading the bank, drawing the recording (places, rotations), compiling. Where the bank has fewer entries than "
    "a recording needs, copies of the entries stand in, each with its own memory and its own stretch of time."
)
_SECONDS = 20.0  # of each entry that is used, so that a long bank does not make a long benchmark


def _settings(kind: str, units: int, sampling_rate_hz: float, **noise: Any) -> RecordingSettings:
    return RecordingSettings(
        probe=ProbeSettings(kind=kind),
        units=units,
        sampling_rate_hz=sampling_rate_hz,
        drive="continuous",
        noise=NoiseSettings(**noise),
    )


# Name, settings and repetitions; the first two are the headline.
CASES: OrderedDict[str, tuple[RecordingSettings, int]] = OrderedDict(
    tetrode=(_settings("tetrode", 5, 10_000.0), 25),
    dense=(_settings("neuropixels", 50, 30_000.0), 5),
    tetrode_without_background=(_settings("tetrode", 5, 10_000.0, background_units=0), 25),
    tetrode_white_noise=(_settings("tetrode", 5, 10_000.0, background_units=0, colour="white"), 25),
)


def enough_entries(entries: Sequence[BankEntry], wanted: int, seconds: float = _SECONDS) -> list[BankEntry]:
    """The entries, cut to a length, and copies of them under other seeds until there are ``wanted``."""
    samples = min(round(seconds * entries[0].sampling_rate_hz), *(entry.n_samples for entry in entries))
    made = []
    for index in range(max(wanted, len(entries))):
        entry = entries[index % len(entries)]
        made.append(
            replace(
                entry,
                seed=entry.seed + 1000 * (index // len(entries)),
                coefficients=entry.coefficients[:, :samples].copy(),
                spike_samples=entry.spike_samples[entry.spike_samples < samples],
                soma_voltage_mv=entry.soma_voltage_mv[:samples],
            )
        )
    return made


def synthesis_case(
    entries: Sequence[BankEntry], settings: RecordingSettings, seed: int, repetitions: int, threads: int = 2
) -> dict[str, Any]:
    """Seconds to make a recording from memory, and seconds of recording per second (``realtime``, from the median)."""
    # A fifth of each entry is left over, so that copies of one entry play different stretches of it
    duration = 0.8 * min(entry.duration_s for entry in entries)
    made = make_recording(entries, settings.model_copy(update={"duration_s": duration}), seed, "benchmark")
    assert isinstance(made.recording, SimulatedRecording)
    plan = made.recording.plan

    def drain() -> None:
        for _ in recording_blocks(plan, threads):
            pass

    drain()
    result = take_turns({"ours": clocked(drain)}, repetitions)
    facts = {
        "duration_s": duration,
        "channels": plan.n_channels,
        "units": settings.units,
        "sampling_rate_hz": plan.sampling_rate_hz,
    }
    return {**facts, **result, "realtime": duration / result["ours"]["median_s"]}


def write_synthesis_realtime(
    path: str | Path,
    entries: Iterable[str | Path],
    *,
    seed: int,
    threads: int = 2,
    provenance: Provenance | None = None,
) -> None:
    """Measure the tetrode and the dense probe and write the benchmark."""
    bank = [entry for entry in map(read_bank_entry, entries) if len(entry.spike_samples)]
    before = load_average()
    cases = {}
    for name, (settings, repetitions) in CASES.items():
        wanted = settings.units + settings.noise.background_units
        cases[name] = synthesis_case(enough_entries(bank, wanted), settings, seed, repetitions, threads)
    headline = {
        f"benchmark.simulation.synthesis_realtime_{name}": cases[name]["realtime"] for name in ("tetrode", "dense")
    }
    headline["benchmark.simulation.synthesis_realtime"] = cases["tetrode"]["realtime"]
    write_benchmark(
        path,
        headline=headline,
        method=_METHOD,
        threads=threads,
        cases=cases,
        load=(before, load_average()),
        provenance=provenance,
    )
