"""Believable tables of a neural session, written as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from spikeline.artifacts import seed_stream, write_csv
from spikeline.figures.molds_sessions import METHODS


def write_neural_tables(
    folder: Path, *, components: int = 3, continuous: bool = False, start: str = "tensor"
) -> dict[str, Path]:
    """Tables of 80 trials whose component follows from the direction."""
    draw = seed_stream(6, "test-neural-tables")
    n = 80
    starts = [start if method == "tensor_em" else "" for method in METHODS]
    direction = draw.uniform(0, 360, n) if continuous else 45.0 * (np.arange(n) % 8)
    sector = np.floor(direction / 45 + 0.5).astype(int) % 8
    label = sector * components // 8
    labels = pd.concat(
        [
            pd.DataFrame(
                {
                    "method": method, "start": started, "trial": np.arange(n),
                    "part": np.where(np.arange(n) % 5, "train", "test"),
                    "direction_deg": direction, "sector": sector, "truth": label,
                    "label": sector if method == "directions" else label if method == "tensor_em" else label[::-1],
                    "entropy_bits": draw.uniform(0, 0.2, n) if "em" in method else np.nan,
                }
            )
            for method, started in zip(METHODS, starts, strict=True)
        ]
    )  # fmt: skip
    methods = pd.DataFrame(
        {
            "method": list(METHODS),
            "start": starts,
            "bits": 1.2,
            "chance_bits": 0.1,
            "p": 0.01,
            "ari_tensor_em": 0.8,
            "note": "",
        }
    )
    rows = [
        (kind, index, 10, which, output, lag, draw.normal() * np.exp(-lag / 100))
        for kind, count in (("component", components), ("direction", 8))
        for index in range(count)
        for which in range(2)
        for output in range(4)
        for lag in np.arange(0, 300, 20.0)
    ]
    responses = pd.DataFrame(rows, columns=["kind", "index", "trials", "input", "output", "lag_ms", "value"])
    similarity = pd.DataFrame(
        [(k, s, float(s * components // 8 == k)) for k in range(components) for s in range(8)],
        columns=["component", "sector", "cosine"],
    )
    sizes = pd.DataFrame(
        [(K, states) for states in (1, 2) for K in (1, 2, 3, 4)], columns=["components", "states"]
    ).assign(
        bic=lambda table: 1e4 + 100 * (table["components"] - components) ** 2 - 10 * table["states"],
        validation_bic=lambda table: table["bic"] / 3,
        validation_likelihood=lambda table: -1.0 - 0.1 * (table["components"] - components) ** 2,
        start=start,
        problem="",
        criterion="bic",
        chosen=lambda table: (table["components"] == components) & (table["states"] == 2),
    )
    sizes.loc[0, ["bic", "validation_bic", "validation_likelihood"]] = np.nan
    prediction = pd.DataFrame(
        [
            (*one, ahead, 20.0 * ahead, 0.7 - 0.02 * ahead, 900, 16)
            for one in zip(METHODS, starts, strict=True)
            for ahead in (1, 2, 5)
        ],
        columns=["method", "start", "bins_ahead", "ahead_ms", "r2", "numbers", "trials"],
    )
    delays = pd.DataFrame(
        {
            "delay_ms": [-40.0, 0.0, 40.0], "validation_likelihood": [-1.1, -1.0, -0.9],
            "validation_r2": [0.4, 0.5, 0.6], "chosen": [False, False, True],
        }
    )  # fmt: skip
    subsets = pd.DataFrame(
        {"subset": [0, 1, 2, 1, 2, 2], "other": ["all", "all", "all", "0", "0", "1"], "ari": draw.uniform(0.5, 1, 6)}
    )
    single = pd.DataFrame(
        {
            "trial": np.arange(n), "direction_deg": direction, "x": draw.normal(size=n), "y": draw.normal(size=n),
            "label": label, "group": label, "explained_x": 0.4, "explained_y": 0.2, "ari": 0.9,
        }
    )  # fmt: skip
    facts = {
        "train": 48, "validation": 16, "test": 16, "median_bins": 42, "bin_ms": 20.0, "units": 65, "outputs": 6,
        "explained_share": 0.25, "delay_ms": 40.0, "input_lags": 4, "input_rank": 8, "input_dimension": 8,
        "input_condition": 120.0, "input_steadiness": 0.8, "trial_locked_share": 0.1, "input_correlation": 0.95,
        "input_filter_order": 2, "input_correlation_filtered": 0.11,
    }  # fmt: skip
    tables = {
        "labels": labels, "methods": methods, "responses": responses, "similarity": similarity, "selection": sizes,
        "prediction": prediction, "delays": delays, "subsets": subsets, "single_trials": single,
        "facts": pd.DataFrame({"fact": list(facts), "value": list(facts.values())}),
    }  # fmt: skip
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)
    return {name: folder / f"{name}.csv" for name in tables}
