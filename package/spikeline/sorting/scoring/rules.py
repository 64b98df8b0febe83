"""The two rules by which a sorting is compared with the truth: who is matched with whom, and how well they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int, Int64
from scipy.optimize import linear_sum_assignment

from spikeline.config.sorting import ScoringSettings
from spikeline.sorting.scoring.matching import count_matches, tolerance_in_samples

__all__ = ["Comparison", "RULES", "agreement_scores", "compare"]

Rule = Literal["spikeinterface", "simsort"]
RULES: tuple[Rule, ...] = ("spikeinterface", "simsort")


@dataclass(frozen=True)
class Comparison:
    """A sorting beside the truth, by one rule.

    Parameters
    ----------
    rule
        Which rule.
    tolerance
        Largest distance of coincident spikes, in samples.
    n_true_spikes, n_found_spikes
        Spike counts of each unit.
    counts
        Coincident spikes.
    agreement
        In [0, 1].
    match
        Index of the found unit that stands for each true unit, -1 for none.
    """

    rule: Rule
    tolerance: int
    n_true_spikes: Int64[np.ndarray, " true_units"]
    n_found_spikes: Int64[np.ndarray, " found_units"]
    counts: Int64[np.ndarray, "true_units found_units"]
    agreement: Float64[np.ndarray, "true_units found_units"]
    match: Int64[np.ndarray, " true_units"]

    @property
    def matched_counts(self) -> Int64[np.ndarray, " true_units"]:
        """Coincident spikes with the matched unit, 0 without one."""
        return np.array([self.counts[i, j] if j >= 0 else 0 for i, j in enumerate(self.match)], dtype=np.int64)


def agreement_scores(
    counts: Int[np.ndarray, "true_units found_units"],
    n_true_spikes: Int[np.ndarray, " true_units"],
    n_found_spikes: Int[np.ndarray, " found_units"],
) -> Float64[np.ndarray, "true_units found_units"]:
    """Agreement TP / (TP + FP + FN) of every pair: ``counts / (n_true + n_found - counts)``, 0 for two empty units."""
    union = n_true_spikes[:, None] + n_found_spikes[None, :] - counts
    return np.divide(counts, union, out=np.zeros(counts.shape), where=union > 0)


def _assign(gain: np.ndarray, least: float) -> np.ndarray:
    """Hungarian assignment that maximises the total gain; pairs below ``least``, or with no gain at all, are undone."""
    match = np.full(gain.shape[0], -1, dtype=np.int64)
    for i, j in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
        if gain[i, j] >= least and gain[i, j] > 0:
            match[i] = j
    return match


def compare(
    true_samples: Int[np.ndarray, " true_spikes"],
    true_index: Int[np.ndarray, " true_spikes"],
    n_true: int,
    found_samples: Int[np.ndarray, " found_spikes"],
    found_index: Int[np.ndarray, " found_spikes"],
    n_found: int,
    sampling_rate_hz: float,
    rule: Rule,
    settings: ScoringSettings,
) -> Comparison:
    """Compare found units with true ones over the whole recording.

    ``spikeinterface`` is `compare_sorter_to_ground_truth` with its defaults (0.4 ms; Hungarian on agreement, below
    0.5 unmatched).
    ``simsort`` is the rule of the SimSort code (+-1 ms, one-to-one in time order; Hungarian on the number of coincident
    spikes, without a minimum). SimSort scores stretches of 100 s apart and averages; here both rules see the whole
    recording.

    Parameters
    ----------
    true_samples, true_index, n_true, found_samples, found_index, n_found
        See `count_matches`.
    sampling_rate_hz
        Samples per second.
    rule, settings
        Which rule, and its numbers.
    """
    simsort = rule == "simsort"
    tolerance = tolerance_in_samples(
        settings.simsort_tolerance_ms if simsort else settings.spikeinterface_tolerance_ms, sampling_rate_hz
    )
    counts = count_matches(
        true_samples, true_index, n_true, found_samples, found_index, n_found, tolerance, one_to_one=simsort
    )
    n_true_spikes, n_found_spikes = (
        np.bincount(true_index, minlength=n_true),
        np.bincount(found_index, minlength=n_found),
    )
    agreement = agreement_scores(counts, n_true_spikes, n_found_spikes)
    if simsort:
        match = _assign(counts.astype(float), 0.0)
    else:
        least = settings.spikeinterface_minimum_agreement
        match = _assign(np.where(agreement < least, 0.0, agreement), least)
    return Comparison(rule, tolerance, n_true_spikes, n_found_spikes, counts, agreement, match)
