"""Steps of the workflow on one session: files in, files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import Provenance, read_csv, write_csv, write_json
from spikeline.config.molds import NeuralSessionSettings, NeuralSettings, lags_of
from spikeline.data.binned_session import BinnedSession
from spikeline.data.session import Session
from spikeline.data.session_files import write_binned_session, write_session
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.moments.persistency import persistency
from spikeline.dynamics.neural.delays import delays_in_bins, scored_delays
from spikeline.dynamics.neural.grouping import in_order_of_direction
from spikeline.dynamics.neural.methods import compared_methods
from spikeline.dynamics.neural.neural_trajectories import TRAIN, VALIDATION, prepare_trials
from spikeline.dynamics.neural.neural_trajectory_files import read_neural_trajectories, write_neural_trajectories
from spikeline.dynamics.neural.simulated_session import simulated_session
from spikeline.dynamics.neural.single_trials import single_trial_groups
from spikeline.dynamics.neural.stability import labels_from_subsets
from spikeline.dynamics.neural.tables import (
    label_table,
    method_table,
    prediction_table,
    response_tables,
    selection_table,
)
from spikeline.dynamics.scores.labels import adjusted_rand_index
from spikeline.dynamics.selection import SizeScore, scored_sizes

__all__ = ["comparison_to_files", "session_to_files", "sizes_to_file", "stability_to_files"]


def session_to_files(
    name: str,
    settings: NeuralSessionSettings,
    shared: NeuralSettings,
    outputs: Mapping[str, str],
    *,
    seed: int,
    data_root: str | Path | None = None,
    dataset_table: str | Path | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Read or simulate a session, choose the delay, and write ``session``, ``trajectories``, ``delays`` and ``facts``.

    Parameters
    ----------
    name
        Of the session.
    settings, shared
        Its own, and those of all sessions.
    outputs
        Where each goes.
    seed
        Root seed.
    data_root, dataset_table
        The user's folder of data sets and their table; not needed for a simulated session.
    provenance
        For the manifests.
    """
    import pandas as pd

    session = _session(name, settings, seed, data_root, dataset_table)
    if isinstance(session, Session):
        write_session(outputs["session"], session, provenance=provenance)
    else:
        write_binned_session(outputs["session"], session, provenance=provenance)
    trials = prepare_trials(session, settings, shared, seed)
    delays = delays_in_bins(settings.delays_ms, trials.bin_s)
    scores = scored_delays(trials, delays, settings.delay_components, settings.delay_states, shared.fit, seed)
    best = max(scores, key=lambda score: score.likelihood).delay
    data = trials.delayed(best)
    write_neural_trajectories(outputs["trajectories"], data, provenance=provenance)
    rows = [
        {
            "delay_ms": 1e3 * score.delay * trials.bin_s,
            "validation_likelihood": score.likelihood,
            "validation_r2": score.explained,
            "chosen": score.delay == best,
        }
        for score in scores
    ]
    write_csv(outputs["delays"], pd.DataFrame(rows), provenance=provenance)
    facts = {
        "units": session.n_units,
        "trials_of_session": session.n_trials if isinstance(session, BinnedSession) else len(session.trials),
        "trials": len(data.trajectories),
        "bins": int(data.trajectories.lengths.sum()),
        "median_bins": float(np.median(data.trajectories.lengths)),
        "bin_ms": 1e3 * data.bin_s,
        "outputs": data.trajectories.n_outputs,
        "explained_share": float(data.explained.sum()),
        "inputs": data.trajectories.n_inputs,
        "delay_ms": 1e3 * data.delay_s,
    }
    facts |= asdict(
        persistency(
            data.of(TRAIN),
            lags_of(settings.delay_states, shared.fit.moments.lags),
            shared.fit.prefilter.most_lags,
            feedthrough=shared.fit.em.feedthrough,
        )
    )
    facts |= {part: int((data.parts == index).sum()) for index, part in enumerate(("train", "validation", "test"))}
    table = pd.DataFrame({"fact": list(facts), "value": list(facts.values())})
    write_csv(outputs["facts"], table, provenance=provenance)


def sizes_to_file(
    trajectories: str | Path,
    sizes: Sequence[Sequence[int]],
    shared: NeuralSettings,
    output: str | Path,
    *,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Fit some sizes, and write their scores."""
    import pandas as pd

    data = read_neural_trajectories(trajectories)
    scores = scored_sizes(data.of(TRAIN), [(K, n) for K, n in sizes], shared.fit, seed, validation=data.of(VALIDATION))
    write_csv(output, pd.DataFrame(scores), provenance=provenance)


def comparison_to_files(
    name: str,
    trajectories: str | Path,
    sizes: Sequence[str | Path],
    shared: NeuralSettings,
    horizons: Sequence[int],
    outputs: Mapping[str, str],
    *,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Choose a size, fit all methods, and write ``selection``, ``fit``, ``labels``, ``methods``, ``prediction``,
    ``responses``, ``similarity`` and ``headlines``.

    Parameters
    ----------
    name
        Of the session.
    trajectories, sizes
        Files of earlier steps.
    shared
        What sessions have in common.
    horizons
        Bins ahead that test trials are predicted.
    outputs
        Where each goes.
    seed
        Root seed.
    provenance
        For the manifests.
    """
    data = read_neural_trajectories(trajectories)
    selection = selection_table(_size_scores(sizes), shared.criterion)
    chosen = selection[selection["chosen"]].iloc[0]
    fit, methods, by_direction = compared_methods(data, int(chosen["components"]), int(chosen["states"]), shared, seed)
    fit = in_order_of_direction(fit, methods[0].labels, data.directions_deg)
    posterior = fit.posterior(data.trajectories)
    methods[0] = methods[0].named(posterior)
    labels = methods[0].labels
    responses, similarity = response_tables(data, fit, labels, by_direction, shared)
    prediction = prediction_table(data, methods, horizons)
    table = method_table(data, methods, shared, seed)
    tables = {
        "selection": selection,
        "labels": label_table(data, methods, shared),
        "methods": table,
        "prediction": prediction,
        "responses": responses,
        "similarity": similarity,
    }
    for kind, content in tables.items():
        write_csv(outputs[kind], content, provenance=provenance)
    fit.save(outputs["fit"], provenance=provenance)
    own = table.set_index("method").loc["tensor_em"]
    headlines: dict[str, Any] = {
        "components": int(chosen["components"]),
        "states": int(chosen["states"]),
        "direction_bits": round(float(own["bits"]), 6),
        "direction_bits_by_chance": round(float(own["chance_bits"]), 6),
    }
    if np.isfinite(own["ari_truth"]):
        headlines["ari_truth"] = round(float(own["ari_truth"]), 6)
    for row in prediction.itertuples():
        if row.method in ("tensor_em", "directions", "one_system", "switching"):
            headlines[f"r2_{row.method}_{row.bins_ahead}_ahead"] = round(float(row.r2), 6)
    write_json(outputs["headlines"], {"molds": {"neural": {name: headlines}}}, provenance=provenance)


def stability_to_files(
    trajectories: str | Path,
    fit: str | Path,
    shared: NeuralSettings,
    outputs: Mapping[str, str],
    *,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Fit parts of the training trials, and trials by themselves; write ``subsets`` and ``single_trials``."""
    import pandas as pd

    data, whole = read_neural_trajectories(trajectories), FittedMolds.load(fit)
    K, n = whole.mixture.n_components, whole.mixture.n_states
    reference = whole.predict(data.trajectories)
    found = labels_from_subsets(
        data.of(TRAIN),
        data.trajectories,
        K,
        n,
        shared.fit,
        subsets=shared.subsets,
        share=shared.subset_share,
        seed=seed,
    )
    rows = [
        {"subset": one, "other": "all", "ari": adjusted_rand_index(reference, labels)}
        for one, labels in enumerate(found)
    ]
    rows += [
        {"subset": one, "other": str(two), "ari": adjusted_rand_index(found[one], found[two])}
        for one in range(len(found))
        for two in range(one)
    ]
    write_csv(outputs["subsets"], pd.DataFrame(rows), provenance=provenance)
    single = single_trial_groups(data.trajectories, K, lags_of(n), seed)
    table = pd.DataFrame(
        {
            "trial": np.arange(len(reference)),
            "direction_deg": data.directions_deg,
            "x": single.points[:, 0],
            "y": single.points[:, 1] if single.points.shape[1] > 1 else 0.0,
            "label": reference,
            "group": single.labels,
            "explained_x": single.explained[0],
            "explained_y": single.explained[1] if len(single.explained) > 1 else 0.0,
            "ari": adjusted_rand_index(reference, single.labels),
        }
    )
    write_csv(outputs["single_trials"], table, provenance=provenance)


def _session(
    name: str,
    settings: NeuralSessionSettings,
    seed: int,
    data_root: str | Path | None,
    dataset_table: str | Path | None,
) -> Session | BinnedSession:
    if settings.dataset is None:
        return simulated_session(seed)
    from spikeline.data import read_dataset_table
    from spikeline.data.readers import read_dataset_session
    from spikeline.errors import ConfigError

    if data_root is None or dataset_table is None:
        raise ConfigError(
            f"session {name!r} is of the data set {settings.dataset!r}, and there is no data_root",
            "the folder of your data sets",
            "give data_root, or leave the session out",
        )
    return read_dataset_session(settings.dataset, data_root, read_dataset_table(dataset_table))


def _size_scores(paths: Sequence[str | Path]) -> list[SizeScore]:
    import pandas as pd

    table = pd.concat([read_csv(path) for path in paths], ignore_index=True)
    for name in ("start", "problem"):  # an empty text comes back as NaN
        table[name] = table[name].astype(object).where(table[name].notna(), "")
    return [SizeScore(**row) for row in table.to_dict("records")]
