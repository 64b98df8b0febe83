"""Units that are no neuron: templates of two neurons' spikes that happened to overlap.

In a long recording two units that fire often overlap at about the same distance often enough to make a cluster, and
matching then gives its template what belongs to both. Such a unit is known by three things: without its template most
of its spikes are found as two spikes of other units, the traces are hardly less likely then, and there are no more of
them than chance makes of these two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from spikeline.sorting.simsort.matched_filter import MatchedSpikes, match_spikes
from spikeline.sorting.simsort.template_bank import TemplateBank
from spikeline.sorting.simsort.templates import TEMPLATE_AFTER, TEMPLATE_BEFORE, TemplateTrack

__all__ = ["units_of_overlaps"]

_MORE_OFTEN = 4  # times the overlaps' number, at least, is that of each part's spikes: few of them meet the other part
_MOST_SPIKES = 60  # of a unit that are looked at
_REACH = 80  # samples around them
_TOGETHER = TEMPLATE_AFTER  # samples up to which spikes overlap
_MOSTLY = 0.5  # of the spikes must be two others
_LOST = 0.25  # share of the spikes' likelihood ratios up to which the template is not missed
_EXCESS = 2.0  # times chance: rates change, and cells fire together
_COMMON = 0.1  # share of the spikes from which on a pair counts


def units_of_overlaps(
    traces: Float32[np.ndarray, "samples channels"],
    tracks: Sequence[TemplateTrack],
    found: MatchedSpikes,
    log_odds: Float[np.ndarray, " units"],
    block_samples: int,
) -> Bool[np.ndarray, " units"]:
    """Which units are overlapping spikes of others.

    Parameters
    ----------
    traces
        Whitened.
    tracks
        Template of each unit.
    found
        Spikes that were matched with them.
    log_odds
        Logarithm of the odds against a spike of each unit at a given sample.
    block_samples
        Length of the blocks that have templates of their own.
    """
    counts = np.bincount(found.unit_index, minlength=len(tracks))
    chance = (2 * _TOGETHER + 1) / len(traces)  # that a spike falls near another
    seen = [set(track.channels.tolist()) for track in tracks]
    drop = np.zeros(len(tracks), bool)
    # The rarest first: the more often a unit fires, the likelier it is a part of others
    for unit in np.argsort(counts, kind="stable").tolist():
        parts = [
            k
            for k in range(len(tracks))
            if counts[k] >= max(_MORE_OFTEN * counts[unit], 1) and not drop[k] and seen[k] & seen[unit]
        ]
        pairs = (counts[parts].sum() ** 2 - (counts[parts] ** 2).sum()) / 2
        if not counts[unit] or counts[unit] > _EXCESS * chance * pairs:
            continue
        samples = _some_spikes(found.samples[found.unit_index == unit], len(traces))
        lost, both = _without(traces, tracks, log_odds, unit, parts, samples, block_samples)
        share = len(both) / max(len(samples), 1)
        if share < _MOSTLY or lost > _LOST:
            continue
        common = [pair for pair, count in Counter(both).items() if count >= _COMMON * len(both)]
        coincidences = chance * sum(float(counts[i]) * float(counts[j]) for i, j in common)
        drop[unit] = share * counts[unit] <= _EXCESS * coincidences
    return drop


def _some_spikes(samples: Float[np.ndarray, " spikes"], n_samples: int) -> Int64[np.ndarray, " some"]:
    """An even choice of those that are not at the ends."""
    nearest = np.rint(samples).astype(np.int64)
    nearest = nearest[(nearest >= _REACH) & (nearest < n_samples - _REACH)]
    return nearest[np.linspace(0, len(nearest) - 1, min(len(nearest), _MOST_SPIKES)).astype(np.int64)]


def _without(
    traces: np.ndarray,
    tracks: Sequence[TemplateTrack],
    log_odds: np.ndarray,
    unit: int,
    parts: list[int],
    samples: Int64[np.ndarray, " spikes"],
    block_samples: int,
) -> tuple[float, list[tuple[int, ...]]]:
    """What becomes of a unit's spikes when the parts alone are matched.

    Returns
    -------
    tuple
        Share of the spikes' likelihood ratios that is lost; and for each that is found as two spikes instead, or more,
        whose the two likeliest are.
    """
    moves = any(tracks[k].moves for k in (unit, *parts))
    blocks = samples // block_samples if moves else np.zeros_like(samples)
    own = lost = 0.0
    pairs = []
    for block in np.unique(blocks).tolist():
        places = samples[blocks == block]
        pieces = np.concatenate([traces[at - _REACH : at + _REACH] for at in places])
        whole, less = (_matched(pieces, tracks, log_odds, units, block) for units in ([*parts, unit], parts))
        own += float(whole.scores[whole.unit_index == unit].sum())
        lost += float(whole.scores.sum() - less.scores.sum())
        for centre in range(_REACH, len(pieces), 2 * _REACH):
            added = _units_at(less, centre)
            for k in _units_at(whole, centre):
                if k in added:
                    added.remove(k)
            if len(added) > 1:
                pairs.append(tuple(sorted(added[:2])))
    return (lost / own if own > 0 else np.inf), pairs


def _matched(
    pieces: np.ndarray, tracks: Sequence[TemplateTrack], log_odds: np.ndarray, units: list[int], block: int
) -> MatchedSpikes:
    """Spikes of some units in one block, scored by how far they exceed the odds."""
    channels = np.array([tracks[k].channels for k in units])
    bank = TemplateBank(channels, np.array([tracks[k].at(block) for k in units]), TEMPLATE_BEFORE, log_odds[units])
    spikes = match_spikes(pieces, bank)
    of_all = np.array(units)[spikes.unit_index]
    return MatchedSpikes(spikes.samples, of_all, spikes.scores - log_odds[of_all])


def _units_at(spikes: MatchedSpikes, centre: int) -> list[int]:
    """Whose spikes lie there, the likeliest first."""
    near = np.flatnonzero(np.abs(spikes.samples - centre) <= _TOGETHER)
    return spikes.unit_index[near[np.argsort(-spikes.scores[near], kind="stable")]].tolist()
