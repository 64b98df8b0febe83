"""Trials as SimSort's simulator makes them: distinct cells, fixed rotation, no noise, spikes as they were simulated."""

from __future__ import annotations

import functools
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.artifacts import seed_stream
from spikeline.config.recordings import ProbeSettings
from spikeline.config.simsort.paper import PaperIdentifierSceneSettings, PaperSceneSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.recordings.placement import projection_table
from spikeline.simulation.recordings.probes import contact_positions, make_probe
from spikeline.simulation.recordings.simulated_recording import RecordingPlan, block_length, render
from spikeline.simulation.recordings.sources import continuous_source
from spikeline.sorting.simsort.paper.preprocessing import band_passed

__all__ = ["MARK_MS", "PaperScene", "PaperScenes", "edge_events", "make_scene"]

MARK_MS = (2.0, 4.0)
"""A spike is marked from so long before its peak until so long after it."""
_TOLERANCE_UV = 0.01
_ATTEMPTS = 20
_APART = 1 << 40  # far beyond the number of any trial that is asked for


def edge_events(spike_samples: Int64[np.ndarray, " spikes"], sampling_rate_hz: float) -> Int64[np.ndarray, " events"]:
    """Spikes of one unit as they are read back from the rising edges of its marks (`MARK_MS`).

    A spike whose mark touches that of the spike before begins no edge, and is lost.

    Parameters
    ----------
    spike_samples
        Rising.
    sampling_rate_hz
        Of the samples.

    Notes
    -----
    Source: SimSort, released code that builds the detector's set.
    """
    mark = round(sum(MARK_MS) * sampling_rate_hz / 1e3)
    return spike_samples[np.diff(spike_samples, prepend=-mark - 1) > mark]


@dataclass(frozen=True)
class PaperScene:
    """A trial.

    Parameters
    ----------
    traces
        uV, as simulated.
    spike_samples
        Rising; the soma's peaks.
    unit_index
        Which unit fired.
    sampling_rate_hz, band_hz
        Of the traces, and the band of `band_passed`.
    """

    traces: Float32[np.ndarray, "samples channels"]
    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    sampling_rate_hz: float
    band_hz: tuple[float, float]

    @functools.cached_property
    def band_passed(self) -> Float32[np.ndarray, "samples channels"]:
        """The traces in the band, uV."""
        return band_passed(self.traces, self.band_hz, self.sampling_rate_hz).astype(np.float32)

    @property
    def trains(self) -> list[np.ndarray]:
        """Spikes of each unit, rising."""
        return [self.spike_samples[self.unit_index == unit] for unit in range(self.unit_index.max(initial=-1) + 1)]


def make_scene(
    entries: Sequence[BankEntry], settings: PaperSceneSettings, index: int, seed: int, *, stage: str
) -> PaperScene:
    """Trial number ``index``: as many units as the settings say, or as there are entries.

    Parameters
    ----------
    entries
        Bank entries at one rate; none plays twice.
    settings
        Bounds of what is drawn.
    index
        Number of the trial.
    seed
        The run's root seed.
    stage
        Name of the stream.

    Raises
    ------
    DataError
        If an entry is shorter than the trial.

    Notes
    -----
    Source: SimSort, released simulator: five cells without replacement, each rotated as in its file; the tetrode's
    first contact and the somata anywhere in a cube of 10 um times the number of cells either way.
    """
    draw = seed_stream(seed, stage, str(index))
    count = min(settings.units, len(entries))
    chosen = [entries[int(which)] for which in draw.permutation(len(entries))[:count]]
    half = settings.extent_um * settings.units
    contacts = contact_positions(make_probe(ProbeSettings(kind="tetrode")))
    contacts = contacts - contacts[0] + draw.uniform(-half, half, 3)
    somata = draw.uniform(-half, half, (count, 3))
    if settings.soma_placement == "origin":
        somata[:] = 0.0
    bank_rate, rate = chosen[0].sampling_rate_hz, settings.sampling_rate_hz
    n_samples = round(settings.duration_s * rate)
    sources, samples, units = [], [], []
    for unit, (entry, soma) in enumerate(zip(chosen, somata, strict=True)):
        first = _first_sample(entry, int(np.ceil(n_samples * bank_rate / rate)), draw)
        table = projection_table(entry, np.eye(3), soma, contacts, np.zeros(1))
        sources.append(continuous_source(entry.coefficients, entry.scale, table, first, tolerance_uv=_TOLERANCE_UV))
        spikes = np.rint((np.asarray(entry.spike_samples) - first) * rate / bank_rate).astype(np.int64)
        spikes = spikes[(spikes >= 0) & (spikes < n_samples)]
        samples.append(edge_events(spikes, rate) if settings.labels == "edges" else spikes)
        units.append(np.full(len(samples[-1]), unit, np.int64))
    plan = RecordingPlan(
        sources=sources,
        n_channels=len(contacts),
        n_samples=n_samples,
        sampling_rate_hz=rate,
        bank_rate_hz=bank_rate,
        motion=None,
        noise=None,
        block=block_length(len(contacts)),
    )
    spikes, which = np.concatenate(samples), np.concatenate(units)
    order = np.lexsort((which, spikes))
    return PaperScene(render(plan, 1), spikes[order], which[order], rate, settings.band_hz)


def _first_sample(entry: BankEntry, n_needed: int, draw: np.random.Generator) -> int:
    if n_needed > entry.n_samples:
        raise DataError(
            f"{entry.name} lasts {entry.duration_s:g} s in memory, a trial {n_needed / entry.sampling_rate_hz:g} s",
            "entries at least as long as a trial",
            "lower simsort.paper.*.scenes.duration_s, or raise simulation.bank.duration_s and simsort.bank_s",
        )
    return int(draw.integers(entry.n_samples - n_needed + 1))


class PaperScenes:
    """The trials of one stream by their number: as many different ones as the settings say, then the same again.

    Parameters
    ----------
    entries
        Of one sampling rate.
    settings
        Bounds of what is drawn. Of the identifier's: a trial with a unit that fires too rarely is drawn again.
    seed
        The run's root seed.
    stage
        Name of the stream: training and validation draw different trials.
    allowed_cells
        Cell models that may be heard; None: any.
    keep
        How many of the last trials are kept: steps that share a trial make it once.

    Raises
    ------
    DataError
        If an entry is of another cell, the entries have several rates, or there is none.
    """

    def __init__(
        self,
        entries: Sequence[BankEntry],
        settings: PaperSceneSettings,
        seed: int,
        *,
        stage: str,
        allowed_cells: Collection[str] | None = None,
        keep: int = 4,
    ) -> None:
        self.entries, self.settings, self.seed, self.stage = list(entries), settings, seed, stage
        _check(self.entries, allowed_cells)
        if len(self.entries) < settings.units:
            print(f"{stage}: {len(self.entries)} units in a trial, as many as there are bank entries", flush=True)
        self._cached = functools.lru_cache(maxsize=keep)(self._make)
        self._locks = [threading.Lock() for _ in range(64)]

    def __call__(self, index: int) -> PaperScene:
        """Trial number ``index``, counted round; made once if several threads ask for it at the same time."""
        index %= self.settings.trials
        with self._locks[index % len(self._locks)]:
            return self._cached(index)

    def _make(self, index: int) -> PaperScene:
        fewest = self.settings.spikes_per_unit if isinstance(self.settings, PaperIdentifierSceneSettings) else 0
        for attempt in range(_ATTEMPTS):
            scene = make_scene(self.entries, self.settings, index + attempt * _APART, self.seed, stage=self.stage)
            counts = np.bincount(scene.unit_index, minlength=min(self.settings.units, len(self.entries)))
            if counts.min() >= fewest:
                return scene
        raise DataError(
            f"a unit fires fewer than {fewest} times in trial {index} of {self.stage}, and in {_ATTEMPTS - 1} others "
            "drawn in its place",
            f"{fewest} spikes of each in {self.settings.duration_s:g} s",
            "lower simsort.paper.identifier.scenes.spikes_per_unit, lengthen its trials, or raise "
            "simulation.stimulus.mean_rheobase",
        )


def _check(entries: Sequence[BankEntry], allowed_cells: Collection[str] | None) -> None:
    if not entries:
        raise DataError("no bank entries", "at least one", "simulate the cells of the training side first")
    foreign = sorted({entry.cell for entry in entries} - set(allowed_cells if allowed_cells is not None else ()))
    if allowed_cells is not None and foreign:
        raise DataError(
            f"{', '.join(foreign)} among the entries to train on",
            f"cells of this side only: {', '.join(sorted(allowed_cells))}",
            "sets are split by cell model; pass the right entries, or edit simulation.cells.train and test",
        )
    rates = sorted({entry.sampling_rate_hz for entry in entries})
    if len(rates) > 1:
        raise DataError(f"bank entries at {rates} Hz", "one rate", "simulate the bank with one integration.dt_ms")
