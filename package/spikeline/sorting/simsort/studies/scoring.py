"""What two networks are worth on a recording: its units sorted, its spikes detected, true spikes told apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.sorting.simsort.evaluation.cut_spikes import DRAWS, cut_true_spikes
from spikeline.sorting.simsort.evaluation.detection_tables import EVEN_ODDS, LEAST_SNR
from spikeline.sorting.simsort.evaluation.detections import FALSE, HIT, match_detections
from spikeline.sorting.simsort.evaluation.detector_events import detector_events
from spikeline.sorting.simsort.evaluation.network_view import NetworkView, network_view, probabilities_of_groups
from spikeline.sorting.simsort.evaluation.rand_index import adjusted_rand_index
from spikeline.sorting.simsort.evaluation.truth import Truth, true_spikes

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.simulation.recordings.labelled_recording import LabelledRecording
    from spikeline.sorting.simsort.networks import Networks


__all__ = ["after", "score_networks"]


def after(made: LabelledRecording, start_s: float) -> tuple[si.BaseRecording, si.BaseSorting]:
    """Traces and true units from a time on; all of them from 0 s."""
    if start_s == 0:
        return made.recording, made.sorting
    first = round(start_s * made.recording.get_sampling_frequency())
    last = made.recording.get_num_samples()
    return made.recording.frame_slice(first, last), made.sorting.frame_slice(first, last)


def score_networks(
    made: LabelledRecording,
    weights: Path,
    sorter: SorterSettings,
    scoring: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    name: str,
    seed: int,
    start_s: float = 0.0,
    threads: int = 1,
    folder: Path | None = None,
) -> pd.DataFrame:
    """Sort a recording with two networks, and look at each network by itself.

    Parameters
    ----------
    made
        A recording with its truth.
    weights
        Folder of the two networks.
    sorter
        SimSort's parameters; its ``weights`` do not matter.
    scoring, filter_hz
        As sortings are scored.
    name
        The recording's; seeds depend on it.
    seed
        The run's.
    start_s
        What comes before is left out, of the sorting too.
    threads
        Of everything; changes no score but by rounding.
    folder
        Where a long recording's whitened traces are kept meanwhile.

    Returns
    -------
    pandas.DataFrame
        One row per true unit and rule: the columns of `spikeline.sorting.scoring.score_sorting`, and, the same in all
        rows, ``detection_precision``, ``detection_recall``, ``detection_f1`` (spikes of units above SNR 5, at even
        odds; NaN without such a unit), ``ari`` (the sorter's clustering of true spikes, of each group of channels the
        first 3000 from ``start_s`` on, mean over draws of their jitter; NaN without 60 spikes) and ``units_found``.
    """
    from spikeline.artifacts import seed_integer
    from spikeline.sorting.run import sort_recording
    from spikeline.sorting.scoring import score_sorting
    from spikeline.sorting.scoring.matching import tolerance_in_samples
    from spikeline.sorting.simsort.networks import load_networks

    recording, sorting = after(made, start_s)
    truth = true_spikes(recording, sorting, filter_hz, scoring.true_time)
    with_weights = {**sorter.parameters, "weights": str(weights), "device": "cpu"}
    found = sort_recording(
        recording,
        sorter.model_copy(update={"parameters": with_weights}),
        threads,
        seed_integer(seed, "sorting", f"{name}/{sorter.sorter}"),
        output=None if folder is None else folder / "sorting.h5",
    )
    cells = dict(zip(made.units["unit_id"].astype(str), made.units["cell"].astype(str), strict=True))
    scores, counts = score_sorting(
        _as_sorting(truth, recording.get_sampling_frequency()),
        found,
        scoring,
        recording=name,
        sorter=sorter.sorter,
        cells=cells,
        snr=dict(zip(truth.unit_ids, truth.snr.tolist(), strict=True)),
    )
    networks = load_networks(weights, "cpu")
    view = network_view(recording, networks, threads=threads, folder=folder)
    tolerance = tolerance_in_samples(scoring.spikeinterface_tolerance_ms, recording.get_sampling_frequency())
    places = recording.get_channel_locations()
    facts = {
        **_detection(view, truth, networks, places, tolerance),
        "ari": _identification(view, truth, networks, name, seed),
        "units_found": int(counts["units_found"].iloc[0]),
    }
    return scores.assign(**facts)


def _as_sorting(truth: Truth, rate_hz: float) -> si.BaseSorting:
    from spikeline.sorting.sorting_file import make_sorting

    return make_sorting(truth.spike_samples, truth.unit_index, truth.unit_ids, rate_hz)


def _detection(
    view: NetworkView, truth: Truth, networks: Networks, places: np.ndarray, tolerance: int
) -> dict[str, float]:
    detections = detector_events(view, probabilities_of_groups(view, networks)).above(EVEN_ODDS)
    kinds = match_detections(truth, detections, places, tolerance, LEAST_SNR).kind
    n = int((truth.snr > LEAST_SNR)[truth.unit_index].sum())
    hit, false = int((kinds == HIT).sum()), int((kinds == FALSE).sum())
    return {
        "detection_precision": hit / (hit + false) if hit + false else np.nan,
        "detection_recall": hit / n if n else np.nan,
        "detection_f1": 2 * hit / (n + hit + false) if n else np.nan,
    }


def _identification(view: NetworkView, truth: Truth, networks: Networks, name: str, seed: int) -> float:
    from spikeline.sorting.simsort.evaluation.clusterings import mixture_units

    indices = []
    for draw in range(DRAWS):
        cuts = cut_true_spikes(view, truth, name=name, seed=seed, draw=draw)
        found = [mixture_units(networks.embed(cut.traces, cut.peaks), cut) for cut in cuts]
        indices.append(adjusted_rand_index([cut.unit_index for cut in cuts], found))
    return float(np.mean(indices))
