"""The tables of the figures ``identification`` and ``embedding``: features of true spikes, and the clusters in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spikeline.artifacts import seed_integer
from spikeline.data.recording_unit import unit_of_samples
from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.cut_spikes import DRAWS, JITTER, CutSpikes, cut_true_spikes
from spikeline.sorting.simsort.evaluation.embedding_tables import embedding_tables
from spikeline.sorting.simsort.evaluation.identification_scores import (
    cluster_spikes,
    cluster_spikes_again,
    identification_scores,
    mean_over_draws,
)
from spikeline.sorting.simsort.evaluation.lone_snippets import whitened_snippets
from spikeline.sorting.simsort.evaluation.network_view import network_view
from spikeline.sorting.simsort.evaluation.truth import Truth

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.data.readers import Snippets
    from spikeline.sorting.simsort.networks import Networks

__all__ = ["identification_tables", "snippet_identification_tables"]

_WAVEFORM_MS = (1.0, 2.0)
_FAR_APART_S = 10.0


def identification_tables(
    recording: si.BaseRecording,
    truth: Truth,
    networks: Networks,
    *,
    name: str,
    data: str = "simulated",
    seed: int,
    band_hz: tuple[float, float] = (300.0, 3000.0),
    least_snr: float = 5.0,
    most_spikes: int = 3000,
    jitter: tuple[float, float, float] = JITTER,
    draws: int = DRAWS,
    threads: int = 1,
    folder: Path | None = None,
) -> dict[str, pd.DataFrame]:
    """Cluster true spikes of a recording, by default the first 3000 of each group of channels, by several features.

    Parameters
    ----------
    recording, truth
        With contact positions, unfiltered; see `truth.true_spikes`.
    networks
        Of which the identifier is used.
    name, data
        The recording's name, and ``simulated`` or ``real``, in the tables.
    seed
        The run's; everything random is drawn from it for this recording.
    band_hz
        Of the mean waveforms.
    least_snr
        Units above it have an index of their own.
    most_spikes, jitter
        See `cut_spikes.cut_true_spikes`.
    draws
        Of the jitter. Features without UMAP, clustered as the sorter does, are scored in each of them; all else in the
        first.
    threads
        Of the whitening; changes no result.
    folder
        Where a long recording's whitened traces are kept meanwhile.

    Returns
    -------
    dict
        ``scores``: recording, data, and see `identification_scores.mean_over_draws`. Of the group of channels with
        most units, in the first draw: ``points`` and ``outlines`` (`embedding_tables.embedding_tables`), and
        ``waveforms`` (unit_id, snr, n, unit, channel, time_ms, mean, sd).

    Raises
    ------
    DataError
        If no group of channels has 60 spikes.
    """
    view = network_view(recording, networks, threads=threads, folder=folder)
    first, *others = (
        cut_true_spikes(view, truth, name=name, seed=seed, most_spikes=most_spikes, jitter=jitter, draw=draw)
        for draw in range(draws)
    )
    if not first:
        raise DataError(
            f"{name} has too few true spikes to be clustered", "60 in one group of channels", "record for longer"
        )
    own_seed = seed_integer(seed, "identification", name)
    groups = [cluster_spikes(cut, networks, own_seed) for cut in first]
    again = ([cluster_spikes_again(cut, networks) for cut in cuts] for cuts in others)
    scores = mean_over_draws([identification_scores(each, truth.snr > least_snr) for each in (groups, *again)])
    shown = max(groups, key=lambda group: len(np.unique(group.cut.unit_index)))
    units = np.unique(shown.cut.unit_index)
    channels = view.neighbourhoods.groups[int(view.neighbourhoods.home[truth.channels[units[0]]])]
    return {
        "scores": _named(scores, name, data),
        **embedding_tables(shown, truth.unit_ids),
        "waveforms": _waveforms(recording, truth, units, channels, band_hz),
    }


def snippet_identification_tables(
    snippets: Snippets, networks: Networks, *, name: str, seed: int, most_spikes: int = 3000
) -> dict[str, pd.DataFrame]:
    """The same for waveforms of one channel that somebody else cut out, aligned as they come.

    They are whitened as `lone_snippets` says. Without times nothing is known of refractory periods, and without traces
    nothing of an SNR: ``ari_large`` is empty. Waveforms are in the unit of the file. Clustered are the first
    ``most_spikes`` of the file; mean waveforms are of all.
    """
    unit_ids, index = np.unique(snippets.labels, return_inverse=True)
    names = [str(unit) for unit in unit_ids]
    lone = whitened_snippets(snippets, networks.sampling_rate_hz, networks.band_hz, seed=seed)
    kept = np.arange(len(index))[:most_spikes]
    times = kept * round(_FAR_APART_S * lone.rate_hz)
    cut = CutSpikes(lone.traces, lone.peaks[kept], times, lone.rate_hz, index[kept].astype(np.int64))
    group = cluster_spikes(cut, networks, seed_integer(seed, "identification", name))
    scores = mean_over_draws([identification_scores([group], np.zeros(len(names), bool))])
    time = (np.arange(snippets.waveforms.shape[1]) - snippets.peak_sample) * 1000 / snippets.sampling_rate_hz
    waveforms = []
    for unit, label in enumerate(names):
        own = snippets.waveforms[index == unit]
        facts = {"unit_id": label, "snr": np.nan, "n": len(own), "unit": "arbitrary", "channel": "0"}
        waveforms.append(pd.DataFrame({**facts, "time_ms": np.round(time, 6), "mean": own.mean(0), "sd": own.std(0)}))
    return {
        "scores": _named(scores, name, "snippets"),
        **embedding_tables(group, names),
        "waveforms": pd.concat(waveforms, ignore_index=True),
    }


def _named(scores: pd.DataFrame, name: str, data: str) -> pd.DataFrame:
    scores.insert(0, "recording", name)
    scores.insert(1, "data", data)
    return scores


def _waveforms(
    recording: si.BaseRecording, truth: Truth, units: np.ndarray, channels: np.ndarray, band_hz: tuple[float, float]
) -> pd.DataFrame:
    from spikeline.simulation.illustration.filtered import band_passed, spike_waveforms

    filtered, rate = band_passed(recording, band_hz), recording.get_sampling_frequency()
    before, after = (round(ms * rate / 1000) for ms in _WAVEFORM_MS)
    time = np.round(np.arange(-before, after) * 1000 / rate, 6)
    kind = unit_of_samples(recording)
    rows = []
    for unit in units:
        train = truth.spike_samples[truth.unit_index == unit]
        mean, deviation = spike_waveforms(filtered, train, before, after)
        facts = {"unit_id": truth.unit_ids[unit], "snr": truth.snr[unit], "n": len(train), "unit": kind}
        for channel in channels:
            shape = {"time_ms": time, "mean": mean[:, channel], "sd": deviation[:, channel]}
            rows.append(pd.DataFrame({**facts, "channel": str(recording.channel_ids[channel]), **shape}))
    return pd.concat(rows, ignore_index=True)
