"""Believable tables of SimSort's studies, written as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from spikeline.artifacts import seed_stream, write_csv

REDUCERS = ("none", "pca", "umap", "t_sne")
CLUSTERERS = ("mixture", "mean_shift", "dbscan", "told_mixture", "told_k_means", "told_spectral")
CELLS = ("L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1", "L5_MC_bAC217_1", "L5_STPC_cADpyr232_1")


def study_table(
    study: str,
    variants: dict[str, dict[str, float]],
    *,
    recordings: tuple[str, ...] = ("tetrode", "tetrode_drift"),
    repeats: int = 1,
    by: str = "variant",
) -> pd.DataFrame:
    """Scores of every variant, each with a ``level`` and maybe its amounts, on four units of each recording."""
    stream = seed_stream(5, "test-study", study)
    hard = stream.uniform(0, 0.3, (len(recordings), len(CELLS)))
    rows = []
    for variant, facts in variants.items():
        for repeat in range(repeats):
            for place, recording in enumerate(recordings):
                level = facts["level"] + stream.normal(0, 0.01)
                for unit, cell in enumerate(CELLS):
                    for rule in ("spikeinterface", "simsort"):
                        rows.append(
                            {
                                "study": study, by: variant, "repeat": repeat, "recording": recording,
                                "unit_id": str(unit), "rule": rule, "cell": cell, "snr": 4.0 + 3 * unit,
                                "accuracy": float(np.clip(level - hard[place, unit], 0, 1)),
                                "detection_f1": float(np.clip(level + 0.05, 0, 1)),
                                "ari": float(np.clip(level - 0.1, 0, 1)),
                                "minutes": facts.get("minutes", 20.0), "neurons": facts.get("neurons", 6),
                            }
                        )  # fmt: skip
    return pd.DataFrame(rows)


def clustering_rows(recording: str) -> pd.DataFrame:
    """Every combination that `clustering_table` has."""
    rows = [
        ("off", reducer, clusterer, 0.9 - 0.1 * r - 0.05 * c)
        for r, reducer in enumerate(REDUCERS)
        for c, clusterer in enumerate(CLUSTERERS)
    ]
    rows += [("batch", "none", "mixture", 0.6), ("fixed_basis", "none", "mixture", 0.8)]
    table = pd.DataFrame(rows, columns=["denoising", "reducer", "clusterer", "ari"])
    return table.assign(recording=recording, n_clusters=5, n=500, n_units=5)


def write_study_tables(folder: Path) -> dict[str, Path]:
    """One table of each kind, two for the ablations."""
    amounts = {
        "four": {"level": 0.5, "minutes": 1.3},
        "sixteen": {"level": 0.7, "minutes": 5.0},
        "all": {"level": 0.9, "minutes": 25.0},
    }
    neurons = {"two": {"level": 0.6, "neurons": 2}, "six": {"level": 0.9, "neurons": 6}}
    classes = {
        "all cells": {"level": 0.9, "neurons": 6},
        "without pyramidal cells": {"level": 0.8, "neurons": 4},
        "without interneurons": {"level": 0.6, "neurons": 2},
    }
    changed = {name: {"level": level} for name, level in (("as_configured", 0.9), ("without", 0.7), ("half", 0.85))}
    tuned = {labelled_s: {"level": level} for labelled_s, level in ((0.0, 0.7), (5.0, 0.8), (20.0, 0.85))}
    tables = {
        "recording": study_table("recording", amounts),
        "neurons": study_table("neurons", neurons),
        "classes": study_table("classes", classes, repeats=2),
        "augmentation": study_table("augmentation", changed),
        "architecture": study_table("architecture", {"as_configured": {"level": 0.9}, "narrow": {"level": 0.88}}),
        "tuning": study_table("tuning", tuned, by="labelled_s").drop(columns="study"),
        "clusterings": clustering_rows("tetrode"),
        "clusterings_drift": clustering_rows("tetrode_drift"),
    }
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)
    return {name: folder / f"{name}.csv" for name in tables}
