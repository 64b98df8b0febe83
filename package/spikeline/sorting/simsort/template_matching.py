"""From the trains of clustered spikes to all spikes: templates, matched filtering, and both once more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort.matched_filter import MatchedSpikes, match_spikes
from spikeline.sorting.simsort.overlap_units import units_of_overlaps
from spikeline.sorting.simsort.template_bank import TemplateBank
from spikeline.sorting.simsort.template_centring import centred
from spikeline.sorting.simsort.template_merging import merge_units
from spikeline.sorting.simsort.templates import TEMPLATE_BEFORE, TemplateTrack, track_template

__all__ = ["MatchedUnits", "match_units"]

_BLOCK_S = 2.0
_MARGIN = 200  # samples beyond a block in which spikes are matched too and then left to the next block
_FEWEST_ROUNDS, _MOST_ROUNDS = 3, 6


@dataclass(frozen=True)
class MatchedUnits:
    """Spikes of all units.

    Parameters
    ----------
    samples
        Rising, with fractions.
    unit_index
        Whose they are.
    scores
        Log-likelihood ratio of each.
    channels
        Best channel of each unit.
    """

    samples: Float64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    scores: Float32[np.ndarray, " spikes"]
    channels: Int64[np.ndarray, " units"]


def match_units(
    traces: Float32[np.ndarray, "samples channels"],
    trains: list[Int64[np.ndarray, " _"]],
    sampling_rate_hz: float,
    settings: SimSortSettings,
    *,
    threads: int = 1,
    advance: Callable[[float], None] = lambda share: None,
) -> MatchedUnits:
    """Find all spikes of units known by some of their spikes.

    Parameters
    ----------
    traces
        Whitened.
    trains
        Peaks of each unit.
    sampling_rate_hz
        Of the traces.
    settings
        Fewest spikes of a unit.
    """
    middles = (np.arange(max(1, -(-len(traces) // _samples_of_block(sampling_rate_hz)))) + 0.5) * _BLOCK_S
    found, tracks = None, []
    for turn in range(1, _MOST_ROUNDS + 2):
        tracks = [track_template(traces, train, sampling_rate_hz, middles) for train in trains]
        tracks = [track for track in tracks if _acceptable(track, len(traces))]
        if not tracks:
            break
        odds = np.array([_log_odds(track, len(traces)) for track in tracks])
        found = _match_blocks(traces, tracks, odds, sampling_rate_hz, threads)
        if turn > _MOST_ROUNDS:  # after the last merge too, or units judged to be one would be reported as two
            break
        nearest = np.rint(found.samples).astype(np.int64)
        overlaps = units_of_overlaps(traces, tracks, found, odds, _samples_of_block(sampling_rate_hz))
        trains = [nearest[found.unit_index == unit] for unit in np.flatnonzero(~overlaps)]
        trains = [train for train in trains if len(train) >= settings.fewest_spikes]
        trains = merge_units(*centred(traces, trains), sampling_rate_hz)
        # Matching makes trains purer, and purer trains show more clearly which of them are one unit
        settled = turn >= _FEWEST_ROUNDS and len(trains) == len(tracks)
        advance(1 / _FEWEST_ROUNDS if turn < _FEWEST_ROUNDS else 0)
        if settled or not trains:
            break
    advance(1 / _FEWEST_ROUNDS)
    if found is None or not tracks:
        nothing = np.empty(0)
        return MatchedUnits(nothing, nothing.astype(np.int64), nothing.astype(np.float32), nothing.astype(np.int64))
    count = np.bincount(found.unit_index, minlength=len(tracks))
    kept = np.flatnonzero(count >= settings.fewest_spikes)
    number = np.full(len(tracks), -1)
    number[kept] = np.arange(len(kept))
    stay = number[found.unit_index] >= 0
    channels = [_loudest_channel(tracks[unit]) for unit in kept]
    return MatchedUnits(
        found.samples[stay],
        number[found.unit_index[stay]],
        found.scores[stay].astype(np.float32),
        np.array(channels, np.int64),
    )


def _loudest_channel(track: TemplateTrack) -> int:
    return int(track.channels[(track.waveforms.mean(axis=0) ** 2).sum(axis=1).argmax()])


def _samples_of_block(sampling_rate_hz: float) -> int:
    return round(_BLOCK_S * sampling_rate_hz)


def _log_odds(track: TemplateTrack, n_samples: int) -> float:
    return float(np.log(n_samples / max(track.n_spikes, 1)))


def _acceptable(track: TemplateTrack, n_samples: int) -> bool:
    """Whether the unit's usual spike would be accepted: half its energy exceeds the odds against a spike."""
    mean = track.waveforms.mean(axis=0)
    seen = int(mean.any(axis=1).sum()) * mean.shape[1]
    energy = float((mean**2).sum()) - seen / max(track.n_spikes, 1)  # less what is noise of the average
    return energy / 2 > _log_odds(track, n_samples)


def _match_blocks(
    traces: np.ndarray, tracks: list[TemplateTrack], odds: np.ndarray, sampling_rate_hz: float, threads: int
) -> MatchedSpikes:
    step = _samples_of_block(sampling_rate_hz)
    channels, waveforms = np.array([track.channels for track in tracks]), np.array([track.at(0) for track in tracks])
    still = TemplateBank(channels, waveforms, TEMPLATE_BEFORE, odds)
    moving = np.flatnonzero([track.moves for track in tracks])

    def one(block: int) -> MatchedSpikes:
        start, stop = block * step, min((block + 1) * step, len(traces))
        low, high = max(0, start - _MARGIN), min(len(traces), stop + _MARGIN)
        bank = still
        if len(moving):
            bank = still.with_waveforms(moving, np.array([tracks[unit].at(block) for unit in moving]))
        spikes = match_spikes(traces[low:high], bank)
        at = spikes.samples + low
        inside = (at >= start - 0.5) & (at < stop - 0.5)
        return MatchedSpikes(at[inside], spikes.unit_index[inside], spikes.scores[inside])

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(one, range(-(-len(traces) // step))))
    return MatchedSpikes(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("samples", "unit_index", "scores"))
    )
