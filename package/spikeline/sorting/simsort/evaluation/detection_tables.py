"""The tables of the figures ``detection`` and ``detection_excerpt``: detectors on one recording with known spikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spikeline.simulation.illustration.filtered import band_passed, noise_level
from spikeline.simulation.illustration.recording import busiest_window
from spikeline.sorting.simsort.evaluation.detections import FALSE, HIT, OF_SMALL_UNIT, Detections, Match
from spikeline.sorting.simsort.evaluation.detections import match_detections as match
from spikeline.sorting.simsort.evaluation.detector_events import detector_events
from spikeline.sorting.simsort.evaluation.network_view import NetworkView, network_view, probabilities_of_groups
from spikeline.sorting.simsort.evaluation.threshold_detectors import (
    above,
    published_detections,
    threshold_detections,
)
from spikeline.sorting.simsort.evaluation.truth import Truth

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.networks import Networks

__all__ = ["EVEN_ODDS", "LEAST_SNR", "PROBABILITIES", "THRESHOLDS", "detection_tables"]

LEAST_SNR = 5.0
"""Units above it are to be found; spikes of the others may be, or not."""

EVEN_ODDS = 0.5
"""SimSort's detector by itself: an event where a spike is likelier than none. The sorter looks at less likely ones too,
because what is no spike makes no unit (`spikeline.config.simsort.SimSortSettings.detection_probability`)."""

PROBABILITIES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
THRESHOLDS = (3.0, 3.5, 4.0, 4.5, 5.0, 6.0)
"""In multiples of the noise."""

# Of a plain detector: which extrema, and the time in which an event is the largest. SpikeInterface's are its defaults.
_EITHER_SIGN = {"sign": "both", "exclude_ms": 0.5}
_SPIKEINTERFACE = {"sign": "neg", "exclude_ms": 1.0}
_DEFAULT_THRESHOLDS = {"spikeinterface": 5.0, "published_threshold": 6.0}
_KINDS = {HIT: "hit", OF_SMALL_UNIT: "small unit", FALSE: "false"}


@dataclass(frozen=True)
class _Run:
    """One detector at one threshold."""

    detector: str
    threshold: float
    default: bool
    in_sorter: bool
    detections: Detections


def detection_tables(
    recording: si.BaseRecording,
    truth: Truth,
    networks: Networks,
    *,
    name: str,
    data: str = "simulated",
    tolerance: int,
    probability: float,
    band_hz: tuple[float, float] = (300.0, 3000.0),
    least_snr: float = LEAST_SNR,
    window_ms: float = 1000.0,
    threads: int = 1,
    folder: Path | None = None,
) -> dict[str, pd.DataFrame]:
    """Score SimSort's detector and plain thresholds on one recording, and cut an excerpt out of it.

    The detectors: ``simsort`` (threshold: probability), ``threshold`` (band-passed traces, extrema of either sign, the
    largest within 0.5 ms), ``whitened_threshold`` (the same on the traces the network sees), ``spikeinterface``
    (its ``detect_peaks``, ``locally_exclusive``; by default troughs beyond 5 times the noise, the largest within 1 ms)
    and ``published_threshold`` (`threshold_detectors.published_detections`, on the traces the network sees; as
    published beyond 6 times the noise).

    Parameters
    ----------
    recording, truth
        With contact positions, unfiltered; see `truth.true_spikes`.
    networks
        Of which the detector is used.
    name, data
        The recording's name, and ``simulated`` or ``real``, in the tables.
    tolerance
        Largest distance of a detection from its spike, in samples of the recording, inclusive.
    probability
        The sorter's ``detection_probability``.
    band_hz
        Of the plain thresholds.
    least_snr
        See `detections.match_detections`.
    window_ms
        Length of the excerpt.
    threads
        Of the whitening; changes no result.
    folder
        Where a long recording's whitened traces are kept meanwhile.

    Returns
    -------
    dict
        ``scores``: one row per detector and threshold; ``default`` marks what a method is used with unless told
        otherwise (SimSort: even odds), ``in_sorter`` the probability above which the sorter looks at events; ``n``
        true spikes are of units above ``least_snr``, precision leaves out detections of others.
        ``units``: recall of each unit, for the same. ``excerpt`` (time_ms, channel, value: whitened), ``probability``
        (time_ms, probability), ``spikes`` (time_ms, unit_id, snr, wanted, and whether simsort found it) and ``events``
        (detector, threshold, time_ms, kind): simsort at even odds, and the best of the others (without a unit above
        ``least_snr`` SpikeInterface's at its default), in the busiest window of the group of channels that most units
        are nearest to.
    """
    view = network_view(recording, networks, threads=threads, folder=folder)
    probabilities = probabilities_of_groups(view, networks)
    filtered = band_passed(recording, band_hz)
    noise = noise_level(filtered)
    levels = sorted({*PROBABILITIES, EVEN_ODDS, probability})
    found = detector_events(view, probabilities, levels[0])
    runs = [_Run("simsort", level, level == EVEN_ODDS, level == probability, found.above(level)) for level in levels]
    runs += _plain_runs(recording, filtered, noise, view)
    places = recording.get_channel_locations()
    matches = [match(truth, run.detections, places, tolerance, least_snr) for run in runs]
    scores = pd.DataFrame(
        [
            {"recording": name, "data": data, "noise": float(noise.mean()), **_score(run, matched, truth, least_snr)}
            for run, matched in zip(runs, matches, strict=True)
        ]
    )
    units = pd.concat(
        [_recalls(run, matched, truth) for run, matched in zip(runs, matches, strict=True)], ignore_index=True
    )
    units.insert(0, "recording", name)
    shown = [
        next(i for i, run in enumerate(runs) if run.detector == "simsort" and run.default),
        _best_plain(scores),
    ]
    excerpt = _excerpt_tables(view, truth, probabilities, [(runs[i], matches[i]) for i in shown], least_snr, window_ms)
    return {"scores": scores, "units": units, **excerpt}


def _best_plain(scores: pd.DataFrame) -> int:
    """Row of the plain detector with the largest F1; where nothing has one, of SpikeInterface's at its default."""
    plain = scores[scores["detector"] != "simsort"]
    known = plain["f1"].dropna()
    if len(known):
        return int(known.idxmax())
    return int(plain.index[(plain["detector"] == "spikeinterface") & plain["default"]][0])


def _plain_runs(
    recording: si.BaseRecording, filtered: si.BaseRecording, noise: np.ndarray, view: NetworkView
) -> list[_Run]:
    import spikeinterface as si

    stored = noise / recording.get_channel_gains() if recording.has_scaleable_traces() else noise
    seen = si.NumpyRecording([view.traces], view.resampling.rate_hz)
    seen.set_probegroup(recording.get_probegroup())
    deviation = np.array([np.median(np.abs(trace - np.median(trace))) / 0.6745 for trace in view.traces.T])
    kinds = (
        ("threshold", filtered, stored, _EITHER_SIGN),
        ("whitened_threshold", seen, deviation, _EITHER_SIGN),
        ("spikeinterface", filtered, stored, _SPIKEINTERFACE),
    )
    runs = []
    for detector, traces, level, options in kinds:
        events, heights = threshold_detections(traces, level, lowest=min(THRESHOLDS), **options)
        if traces is seen:
            events = Detections(view.to_source(events.samples), events.channels)
        for threshold in THRESHOLDS:
            default = threshold == _DEFAULT_THRESHOLDS.get(detector)
            runs.append(_Run(detector, threshold, default, False, above(events, heights, threshold)))
    for threshold in THRESHOLDS:
        default = threshold == _DEFAULT_THRESHOLDS["published_threshold"]
        detections = published_detections(view, deviation, threshold)
        runs.append(_Run("published_threshold", threshold, default, False, detections))
    return runs


def _score(run: _Run, matched: Match, truth: Truth, least_snr: float) -> dict[str, object]:
    wanted = (truth.snr > least_snr)[truth.unit_index]
    n, n_hit = int(wanted.sum()), int((matched.kind == HIT).sum())
    n_false = int((matched.kind == FALSE).sum())
    return {
        "detector": run.detector,
        "threshold": run.threshold,
        "default": run.default,
        "in_sorter": run.in_sorter,
        "precision": n_hit / (n_hit + n_false) if n_hit + n_false else np.nan,
        "recall": n_hit / n if n else np.nan,
        "f1": 2 * n_hit / (n + n_hit + n_false) if n else np.nan,
        "n": n,
        "n_units": int((truth.snr > least_snr).sum()),
        "n_hit": n_hit,
        "n_of_small_units": int((matched.kind == OF_SMALL_UNIT).sum()),
        "n_false": n_false,
    }


def _recalls(run: _Run, matched: Match, truth: Truth) -> pd.DataFrame:
    counts = truth.counts()
    found = np.bincount(truth.unit_index, weights=matched.found, minlength=len(counts))
    return pd.DataFrame(
        {
            "detector": run.detector,
            "threshold": run.threshold,
            "default": run.default,
            "unit_id": truth.unit_ids,
            "snr": truth.snr,
            "n_true": counts,
            "recall": np.divide(found, counts, out=np.full(len(counts), np.nan), where=counts > 0),
        }
    )


def _excerpt_tables(
    view: NetworkView,
    truth: Truth,
    probabilities: list[np.ndarray],
    shown: list[tuple[_Run, Match]],
    least_snr: float,
    window_ms: float,
) -> dict[str, pd.DataFrame]:
    hoods, rate = view.neighbourhoods, view.resampling.source_hz
    home = hoods.home[truth.channels]
    group = int(np.bincount(home, minlength=len(hoods.groups)).argmax())
    near = home[truth.unit_index] == group
    trains = {
        unit: truth.spike_samples[near & (truth.unit_index == index)]
        for index, unit in enumerate(truth.unit_ids)
        if home[index] == group
    }
    window = min(round(window_ms * rate / 1000), view.n_source)
    start = busiest_window(trains, view.n_source, window)
    low, high = view.from_source(np.array([start, start + window]))
    clock = np.round(view.resampling.to_source(np.arange(low, high, dtype=np.float64)) * 1000 / rate, 6)
    channels = hoods.groups[group]
    spikes = np.flatnonzero(near & (truth.spike_samples >= start) & (truth.spike_samples < start + window))
    unit = truth.unit_index[spikes]
    events = []
    for run, matched in shown:
        inside = (run.detections.samples >= start) & (run.detections.samples < start + window)
        inside &= hoods.home[run.detections.channels] == group
        events.append(
            pd.DataFrame(
                {
                    "detector": run.detector,
                    "threshold": run.threshold,
                    "time_ms": np.round(run.detections.samples[inside] * 1000 / rate, 6),
                    "kind": [_KINDS[kind] for kind in matched.kind[inside]],
                }
            )
        )
    return {
        "excerpt": pd.DataFrame(
            {
                "time_ms": np.tile(clock, len(channels)),
                "channel": np.repeat(channels, high - low),
                "value": np.round(view.traces[low:high, channels].T.ravel().astype(float), 3),
            }
        ),
        "probability": pd.DataFrame(
            {"time_ms": clock, "probability": np.round(probabilities[group][low:high].astype(float), 4)}
        ),
        "spikes": pd.DataFrame(
            {
                "time_ms": np.round(truth.spike_samples[spikes] * 1000 / rate, 6),
                "unit_id": [truth.unit_ids[index] for index in unit],
                "snr": truth.snr[unit],
                "wanted": truth.snr[unit] > least_snr,
                "found": shown[0][1].found[spikes],
            }
        ),
        "events": pd.concat(events, ignore_index=True),
    }
