"""Events that a detector reports, and how they are scored: each is a time and a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.sorting.simsort.evaluation.pairs_in_time import pairs_in_time
from spikeline.sorting.simsort.evaluation.truth import Truth

__all__ = ["FALSE", "HIT", "OF_SMALL_UNIT", "Detections", "Match", "match_detections", "paired"]

HIT, OF_SMALL_UNIT, FALSE = 0, 1, 2
"""What a detection is: of a unit that counts, of one too small to be asked for, or of none."""

_RADIUS_UM = 60.0  # as far as a spike can be about as large as on its best channel; more than any two of a tetrode's


@dataclass(frozen=True)
class Detections:
    """Detected events, in samples of the recording.

    Parameters
    ----------
    samples
        Rising.
    channels
        Index of the channel on which each is largest.
    """

    samples: Int64[np.ndarray, " events"]
    channels: Int64[np.ndarray, " events"]


@dataclass(frozen=True)
class Match:
    """Detections beside true spikes.

    Parameters
    ----------
    found
        Whether a true spike got a detection of its own.
    kind
        `HIT`, `OF_SMALL_UNIT` or `FALSE` of each detection.
    """

    found: Bool[np.ndarray, " spikes"]
    kind: Int64[np.ndarray, " events"]


def paired(
    first: Int64[np.ndarray, " a"],
    second: Int64[np.ndarray, " b"],
    first_um: Float[np.ndarray, "a dimensions"],
    second_um: Float[np.ndarray, "b dimensions"],
    tolerance: int,
) -> Int64[np.ndarray, " a"]:
    """Index of each first event's partner among the second, -1 for none: one to one, as many pairs as there can be.

    Parameters
    ----------
    first, second
        Rising samples.
    first_um, second_um
        Places.
    tolerance
        Largest distance of partners, in samples, inclusive. In space it is 60 um.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rows, columns = pairs_in_time(first, second, tolerance)
    if not len(rows):
        return np.full(len(first), -1, np.int64)
    near = np.linalg.norm(first_um[rows] - second_um[columns], axis=1) <= _RADIUS_UM
    graph = csr_array((np.ones(near.sum(), np.int8), (rows[near], columns[near])), (len(first), len(second)))
    return maximum_bipartite_matching(graph, perm_type="column").astype(np.int64)


def match_detections(
    truth: Truth,
    detections: Detections,
    locations_um: Float[np.ndarray, "channels dimensions"],
    tolerance: int,
    least_snr: float,
) -> Match:
    """Give true spikes detections of their own: first those of units above an SNR, then the others what is left.

    Parameters
    ----------
    truth, detections
        Of one recording.
    locations_um
        Contact positions.
    tolerance
        In samples, inclusive.
    least_snr
        Units up to it need not be found: a detection of their spikes is neither a hit nor a false alarm.
    """
    large = (truth.snr > least_snr)[truth.unit_index]
    found, kind = np.zeros(len(large), bool), np.full(len(detections.samples), FALSE, np.int64)
    for of_large, verdict in ((True, HIT), (False, OF_SMALL_UNIT)):
        spikes, events = np.flatnonzero(large == of_large), np.flatnonzero(kind == FALSE)
        partner = paired(
            truth.spike_samples[spikes],
            detections.samples[events],
            locations_um[truth.channels[truth.unit_index[spikes]]],
            locations_um[detections.channels[events]],
            tolerance,
        )
        found[spikes] = partner >= 0
        kind[events[partner[partner >= 0]]] = verdict
    return Match(found, kind)
