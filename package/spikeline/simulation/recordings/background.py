"""Background units: neurons too far to be sorted, whose summed activity is part of the noise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from spikeline.artifacts import seed_stream
from spikeline.config import RecordingSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.recordings.placement import mean_spike, place_background, projection_table
from spikeline.simulation.recordings.sources import ContinuousSource, background_source

__all__ = ["background_sources"]


def background_sources(
    entries: Sequence[BankEntry],
    used: Collection[str],
    settings: RecordingSettings,
    seed: int,
    name: str,
    contacts: Float[np.ndarray, "channels 3"],
    grid: Float[np.ndarray, " steps"],
    conductivity: float,
) -> tuple[list[ContinuousSource], float]:
    """Far units and their variance (uV^2): scaled to their share of the noise, but never into spikes one could sort.

    Entries that no unit uses come first; one that must serve again, or that a unit uses too, does so from another
    time on. A few units that seldom fire reach their share only by spikes as large as those of the units of
    interest, which no sorting could be blamed for finding: `NoiseSettings.background_peak_uv` is the bound.

    Parameters
    ----------
    entries
        Bank entries to choose from.
    used
        Names of those that units of interest play.
    settings, seed, name
        The recording.
    contacts
        Positions in um.
    grid
        Displacements of the tissue at which the field is computed, um.
    conductivity
        S/m.
    """
    wanted_std = settings.noise.level_uv * np.sqrt(settings.noise.background_share)
    if settings.noise.background_units == 0 or wanted_std == 0:
        return [], 0.0
    rng = seed_stream(seed, "recording-background", name)
    order = [entries[i] for i in rng.permutation(len(entries))]
    order.sort(key=lambda entry: entry.name in used)
    sources, variances, peaks_uv = [], [], []
    for i in range(settings.noise.background_units):
        entry = order[i % len(order)]
        placement = place_background(contacts, settings.placement.rotation, rng)
        table = projection_table(entry, placement.rotation, placement.position_um, contacts, grid, conductivity)
        first = int(rng.integers(entry.n_samples))
        source, own = background_source(entry.coefficients, entry.scale, table, first, entry.moments)
        sources.append(source)
        variances.append(own)
        peaks_uv.append(_largest_spike_uv(entry, table))
    factors = np.full(len(sources), wanted_std / np.sqrt(sum(variances)))
    factors = np.minimum(factors, settings.noise.background_peak_uv / np.maximum(peaks_uv, 1e-9))
    scaled = [replace(s, projection=s.projection * np.float32(f)) for s, f in zip(sources, factors, strict=True)]
    return scaled, float(factors**2 @ variances)


def _largest_spike_uv(entry: BankEntry, table: np.ndarray) -> float:
    try:
        return float(np.abs(table @ mean_spike(entry)).max())
    except DataError:  # silent, or its only spikes lie at its ends: nothing to be sorted
        return 0.0
