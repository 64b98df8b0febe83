"""One recording's true units, against which every sorter's are scored by the one scorer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikeline.config.sorting import ScoringSettings

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.simulation.recordings.recording import LabelledRecording

__all__ = ["TrueUnits", "true_units"]

_BAND_HZ = (300.0, 3000.0)
_MEASURES = ("accuracy", "precision", "recall")
_COUNTS = ("units_found", "well_detected", "false_positive", "redundant", "over_merged")


@dataclass(frozen=True)
class TrueUnits:
    """What a sorting is scored against.

    Parameters
    ----------
    truth
        Spike times at the extracellular peak.
    snr
        Of each unit, by its id.
    settings
        The scorer's numbers.
    """

    truth: si.BaseSorting
    snr: dict[str, float]
    settings: ScoringSettings

    def score(self, sorting: si.BaseSorting) -> dict[str, float]:
        """Means over the true units, ``accuracy_spikeinterface`` and so on, by both rules; and the unit counts.

        A unit that was not found counts as 0 in all three.
        """
        from spikeline.sorting.scoring import score_sorting

        scores, counts = score_sorting(self.truth, sorting, self.settings, recording="benchmark", sorter="sorter")
        means = scores.groupby("rule")[list(_MEASURES)].mean()
        found = {f"{measure}_{rule}": float(row[measure]) for rule, row in means.iterrows() for measure in _MEASURES}
        return {**found, **{name: float(counts[name].item()) for name in _COUNTS}}


def true_units(made: LabelledRecording, settings: ScoringSettings | None = None) -> TrueUnits:
    """The true units of a recording that has been read from its folder.

    Parameters
    ----------
    made
        Recording and truth.
    settings
        The scorer's numbers; its defaults if None.
    """
    from spikeline.sorting.scoring import aligned_truth
    from spikeline.sorting.snr import unit_peaks

    settings = settings or ScoringSettings()
    peaks = unit_peaks(made.recording, made.sorting, _BAND_HZ)
    moves = {unit: peak.offset if settings.true_time == "extracellular_peak" else 0 for unit, peak in peaks.items()}
    return TrueUnits(
        aligned_truth(made.sorting, moves), {unit: float(peak.snr) for unit, peak in peaks.items()}, settings
    )
