"""Units found twice: by two groups of channels, or cut in two by the clustering."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from spikeline.sorting.simsort.mean_spikes import MeanSpike
from spikeline.sorting.simsort.merging import same_unit_evidence
from spikeline.sorting.simsort.template_distance import difference

__all__ = ["alternation", "coincident_share", "merge_units"]

_NEAR = 3.5  # difference of templates
_SURE = 1.0  # evidence of one unit
_LEAST_EVIDENCE = 0.5
_SAME = 1.5
_TOGETHER = 0.5
_FEW = 0.05
_LIKE, _IN_TURNS = 0.9, 0.2  # likeness of templates that take turns, and how seldom they change


def coincident_share(first: Int64[np.ndarray, " a"], second: Int64[np.ndarray, " b"], reach: int = 3) -> float:
    """Share of the shorter train's spikes within ``reach`` samples of a spike of the other."""
    few, many = (first, second) if len(first) <= len(second) else (second, first)
    if not len(few):
        return 0.0
    at = np.searchsorted(many, few)
    away = np.minimum(
        np.abs(few - many[np.clip(at, 0, len(many) - 1)]), np.abs(few - many[np.clip(at - 1, 0, len(many) - 1)])
    )
    return float((away <= reach).mean())


def alternation(first: Int64[np.ndarray, " a"], second: Int64[np.ndarray, " b"]) -> float:
    """How often the other train comes next, over how often it would in two independent trains.

    About 1 for two units that fire all the time, less if one fires in bursts; close to 0 for trains that take turns, as
    the parts of a unit do that moves against the probe.
    """
    if not (len(first) and len(second)):
        return 0.0
    owner = np.repeat([False, True], [len(first), len(second)])
    owner = owner[np.argsort(np.concatenate([first, second]), kind="stable")]
    expected = 2 * len(first) * len(second) / (len(first) + len(second))
    return float((owner[1:] != owner[:-1]).sum() / expected)


def merge_units(
    trains: list[Int64[np.ndarray, " _"]],
    means: list[MeanSpike],
    sampling_rate_hz: float,
) -> list[Int64[np.ndarray, " _"]]:
    """Merge the trains of units that are one.

    Two are one if most spikes of the smaller are spikes of the other (found by two groups of channels); if the
    templates are near each other and the cross-correlogram says so; if they are hardly different and it does not
    object; or if templates of one shape, however large, take turns (a jump against the probe). Spikes are moved by the
    shift between the templates; of spikes that then coincide one is kept.

    Parameters
    ----------
    trains
        Rising samples.
    means
        One per train (`mean_spikes.mean_spikes`).
    """
    trains = [np.asarray(train, np.int64) for train in trains]
    energy = [mean.energy for mean in means]
    alive = list(range(len(trains)))
    pairs = {}
    for i in alive:
        for j in alive:
            if i < j:
                pair = difference(means[i], means[j])
                # of twins found by two groups the smaller may be a part of the larger
                twins = pair.apart**2 < 0.75 * min(energy[i], energy[j])
                if pair.apart < _NEAR or twins or pair.likeness > _LIKE:
                    pairs[i, j] = pair
    changed = True
    while changed:
        changed = False
        for (i, j), (apart, shift, likeness) in sorted(pairs.items(), key=lambda item: item[1].apart):
            if i not in alive or j not in alive:
                continue
            moved = trains[j] + shift
            twice = coincident_share(trains[i], moved) > _TOGETHER
            evidence = same_unit_evidence(trains[i], moved, sampling_rate_hz)
            few = min(len(trains[i]), len(trains[j])) < _FEW * max(len(trains[i]), len(trains[j]))
            sure = apart < 2 * _NEAR and evidence > _evidence_asked_for(apart)
            # a few spikes beside many, not much different: those on which others were lying
            odd = apart < 2 * _NEAR and few and evidence > -_SURE
            alike = apart < _SAME and evidence > -_SURE
            moved_on = likeness > _LIKE and evidence > -_SURE and alternation(trains[i], moved) < _IN_TURNS
            if twice or sure or odd or alike or moved_on:
                keep, drop = (i, j) if len(trains[i]) * energy[i] >= len(trains[j]) * energy[j] else (j, i)
                other = trains[drop] + (shift if keep == i else -shift)
                trains[keep] = _union(trains[keep], other)
                alive.remove(drop)
                changed = True
    return [trains[i] for i in alive]


def _evidence_asked_for(apart: float) -> float:
    """The farther two templates are apart, the more the cross-correlogram has to say for them.

    A distance d between the means of one unit's parts would have the log-likelihood -d^2 / 2 if noise alone made it;
    drift and bursts make it too, so half of that is asked back.
    """
    return max((apart / 2) ** 2, _LEAST_EVIDENCE)


def _union(kept: np.ndarray, added: np.ndarray, reach: int = 5) -> np.ndarray:
    """Both trains; of the added spikes those that are not already there."""
    at = np.searchsorted(kept, added)
    away = np.minimum(
        np.abs(added - kept[np.clip(at, 0, len(kept) - 1)]), np.abs(added - kept[np.clip(at - 1, 0, len(kept) - 1)])
    )
    return np.sort(np.concatenate([kept, added[away > reach]]))
