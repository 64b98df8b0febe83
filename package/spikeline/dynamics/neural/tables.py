"""What figures of a session are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int64

from spikeline.artifacts import seed_stream
from spikeline.config.molds import NeuralSettings
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.neural.direction_information import (
    against_chance,
    circular_information,
    counted_information,
)
from spikeline.dynamics.neural.folds import sector_of
from spikeline.dynamics.neural.grouping import named_alike
from spikeline.dynamics.neural.methods import Method
from spikeline.dynamics.neural.neural_trajectories import TEST, TRAIN, VALIDATION, NeuralTrajectories
from spikeline.dynamics.neural.prediction import explained_share
from spikeline.dynamics.neural.stability import posterior_entropy
from spikeline.dynamics.scores.labels import adjusted_rand_index
from spikeline.dynamics.selection import SizeScore, best_size
from spikeline.dynamics.systems import LinearSystem

if TYPE_CHECKING:  # pandas takes a quarter of a second to import
    import pandas as pd

__all__ = ["label_table", "method_table", "prediction_table", "response_tables", "selection_table"]

_PARTS = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}
_RESPONSE_S, _FEWEST_LAGS = 0.3, 6


def selection_table(scores: Sequence[SizeScore], criterion: str) -> pd.DataFrame:
    """A row for each size; ``chosen`` marks the one."""
    import pandas as pd

    best = best_size(scores, criterion)
    ordered = sorted(scores, key=lambda score: (score.states, score.components))
    rows = [asdict(score) | {"chosen": (score.components, score.states) == best} for score in ordered]
    return pd.DataFrame(rows).assign(criterion=criterion)


def label_table(data: NeuralTrajectories, methods: Sequence[Method], settings: NeuralSettings) -> pd.DataFrame:
    """A row for each method and trial: its group, named as in the first method, and what the method knows of it."""
    import pandas as pd

    reference = methods[0].labels
    truth = data.trajectories.labels
    shared = {
        "trial": np.arange(len(reference)),
        "part": [_PARTS[part] for part in data.parts],
        "direction_deg": data.directions_deg,
        "sector": sector_of(data.directions_deg, settings.sectors),
        "truth": np.full(len(reference), np.nan) if truth is None else named_alike(truth, reference),
    }
    tables = []
    for method in methods:
        known = method.posterior is not None
        tables.append(
            pd.DataFrame(
                {
                    "method": method.name,
                    "start": method.start,
                    **shared,
                    "label": method.labels if method.name == "directions" else named_alike(method.labels, reference),
                    "probability": method.posterior.max(axis=1) if known else np.nan,
                    "entropy_bits": posterior_entropy(method.posterior) if known else np.nan,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def method_table(
    data: NeuralTrajectories, methods: Sequence[Method], settings: NeuralSettings, seed: int
) -> pd.DataFrame:
    """A row for each method: what its groups say of directions, and how alike they are to the first method's."""
    import pandas as pd

    sectors = sector_of(data.directions_deg, settings.sectors)
    truth = data.trajectories.labels
    rows: list[dict[str, Any]] = []
    for method in methods:
        draw = seed_stream(seed, "molds-neural-shuffles", method.name)
        counted = against_chance(
            lambda labels: counted_information(labels, sectors), method.labels, settings.shuffles, draw
        )
        circular = against_chance(circular_information(data.directions_deg), method.labels, settings.shuffles, draw)
        rows.append(
            {
                "method": method.name,
                "start": method.start,
                "groups": len(np.unique(method.labels)),
                **counted._asdict(),
                **{f"circular_{name}": value for name, value in circular._asdict().items()},
                "ari_tensor_em": adjusted_rand_index(methods[0].labels, method.labels),
                "ari_truth": np.nan if truth is None else adjusted_rand_index(truth, method.labels),
                "note": method.note,
            }
        )
    return pd.DataFrame(rows)


def prediction_table(data: NeuralTrajectories, methods: Sequence[Method], horizons: Sequence[int]) -> pd.DataFrame:
    """A row for each method and horizon: R2 of the test trials, all of them over the same steps."""
    import pandas as pd

    test = data.of(TEST)
    rows = []
    for method in methods:
        for ahead in sorted(horizons):
            share, numbers = explained_share(method.forecast(ahead), test, max(horizons))
            rows.append(
                {
                    "method": method.name,
                    "start": method.start,
                    "bins_ahead": ahead,
                    "ahead_ms": 1e3 * ahead * data.bin_s,
                    "r2": share,
                    "numbers": numbers,
                    "trials": len(test),
                }
            )
    return pd.DataFrame(rows)


def response_tables(
    data: NeuralTrajectories,
    fit: FittedMolds,
    labels: Int64[np.ndarray, " N"],
    by_direction: dict[int, LinearSystem],
    settings: NeuralSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Impulse responses of components and of the directions' own systems, and how alike they are.

    Returns
    -------
    tuple
        ``kind`` (component, direction), index, trials, input, output, lag_ms, value; and component, sector, cosine: of
        the angle between the two responses as long lists of numbers.
    """
    import pandas as pd

    lags = max(_FEWEST_LAGS, round(_RESPONSE_S / data.bin_s))
    sectors = sector_of(data.directions_deg, settings.sectors)
    kinds = {
        "component": (fit.impulse_responses(lags), np.bincount(labels, minlength=fit.mixture.n_components)),
        "direction": (
            Mixture(tuple(by_direction.values()), np.full(len(by_direction), 1 / len(by_direction))).responses(lags),
            np.array([int((sectors == sector).sum()) for sector in by_direction]),
        ),
    }
    tables = []
    for kind, (responses, trials) in kinds.items():
        names = list(range(len(responses))) if kind == "component" else list(by_direction)
        K, n_lags, q, m = np.indices(responses.shape).reshape(4, -1)
        tables.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "index": np.array(names)[K],
                    "trials": trials[K],
                    "input": m,
                    "output": q,
                    "lag_ms": 1e3 * n_lags * data.bin_s,
                    "value": responses.ravel(),
                }
            )
        )
    cosines = _cosines(kinds["component"][0], kinds["direction"][0])
    alike = [
        {"component": k, "sector": sector, "cosine": cosines[k, place]}
        for k in range(len(cosines))
        for place, sector in enumerate(by_direction)
    ]
    return pd.concat(tables, ignore_index=True), pd.DataFrame(alike)


def _cosines(one: Float[np.ndarray, "K l q m"], other: Float[np.ndarray, "J l q m"]) -> Float[np.ndarray, "K J"]:
    flat = [part.reshape(len(part), -1) for part in (one, other)]
    unit = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), np.finfo(float).tiny) for part in flat]
    return unit[0] @ unit[1].T
