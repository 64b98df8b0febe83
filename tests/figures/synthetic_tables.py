"""Believable tables for every figure, written as CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from spikeline.artifacts import seed_stream, write_csv
from spikeline.simulation.bank import write_bank_entry
from spikeline.simulation.illustration.bank_tables import bank_tables
from tests.synthetic_bank import synthetic_entry

SORTERS = ("lupin", "simple", "spykingcircus2", "tridesclous2")


def _write(folder: Path, tables: dict[str, pd.DataFrame]) -> dict[str, Path]:
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)
    return {name: folder / f"{name}.csv" for name in tables}


def write_bank_tables(
    folder: Path, cells: tuple[str, ...] = ("L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1", "ball_and_stick")
) -> dict[str, Path]:
    """morphology, footprint, rank_error, traces, bank."""
    paths = []
    for cell in cells:
        paths.append(folder / f"{cell}.h5")
        write_bank_entry(paths[-1], synthetic_entry(cell, rank=10))
    return _write(folder, bank_tables(paths))


def write_recording_tables(folder: Path, channels: int = 4, units: int = 5) -> dict[str, Path]:
    """excerpt, spikes, units, contacts."""
    stream = seed_stream(3, "test-recording", str(channels))
    place = np.array([[13.0 * (i % 2), 13.0 * (i // 2)] for i in range(channels)])
    time = np.arange(0, 400, 0.1)
    somata = place.mean(axis=0) + stream.uniform(-1, 1, (units, 2)) * np.maximum(30.0, np.ptp(place, axis=0) / 2)
    traces = 6.0 * stream.normal(size=(len(time), channels))
    rows, facts = [], []
    shape_time = np.arange(-10, 30) / 10
    shape = -np.exp(-0.5 * (shape_time / 0.2) ** 2) + 0.3 * np.exp(-0.5 * ((shape_time - 0.8) / 0.5) ** 2)
    for unit in range(units):
        amplitude = 260.0 / (1 + unit) * 20 / (20 + np.linalg.norm(place - somata[unit], axis=1))
        home = int(np.argmax(amplitude))
        for at in np.sort(stream.choice(np.arange(50, len(time) - 50, 90), 8, replace=False)):
            traces[at - 10 : at + 30] += shape[:, None] * amplitude
            rows.append((time[at], f"u{unit}", home))
        facts.append(
            (
                f"u{unit}",
                ("L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1")[unit % 2],
                *somata[unit],
                1.3 * amplitude.max(),
                amplitude.max() / 6,
            )
        )
    excerpt = pd.DataFrame(
        {
            "time_ms": np.tile(time, channels),
            "channel": np.repeat(np.arange(channels), len(time)),
            "potential_uv": traces.T.ravel(),
        }
    )
    return _write(
        folder,
        {
            "excerpt": excerpt,
            "spikes": pd.DataFrame(rows, columns=["time_ms", "unit_id", "channel"]).sort_values("time_ms"),
            "units": pd.DataFrame(facts, columns=["unit_id", "cell", "x_um", "y_um", "peak_to_peak_uv", "snr"]),
            "contacts": pd.DataFrame({"channel": range(channels), "x_um": place[:, 0], "y_um": place[:, 1]}),
        },
    )


def write_score_tables(folder: Path, recordings: tuple[str, ...] = ("tetrode",), units: int = 5) -> dict[str, Path]:
    """scores and counts."""
    stream = seed_stream(5, "test-scores")
    scores, counts = [], []
    for recording in recordings:
        snr = stream.uniform(1, 15, units)
        for place, sorter in enumerate(SORTERS):
            strict = np.clip(1 / (1 + np.exp(-(snr - 4 - place) / 1.5)) + 0.05 * stream.normal(size=units), 0, 1)
            for rule, accuracy in (
                ("spikeinterface", np.where(strict < 0.5, 0.0, strict)),
                ("simsort", np.minimum(1, strict + 0.05)),
            ):
                for unit in range(units):
                    value = accuracy[unit]
                    scores.append(
                        (
                            recording,
                            sorter,
                            f"u{unit}",
                            rule,
                            value,
                            value or np.nan,
                            value,
                            value,
                            200,
                            190,
                            round(200 * value),
                            snr[unit],
                            0.03,
                            "L5_NBC_bAC217_1",
                        )
                    )
            counts.append((recording, sorter, units, units + 1, int((strict > 0.8).sum()), 1, place % 2, 0))
    columns = [
        "recording",
        "sorter",
        "unit_id",
        "rule",
        "accuracy",
        "precision",
        "recall",
        "f1",
        "n_true",
        "n_found",
        "n_matched",
        "snr",
        "collision_fraction",
        "cell",
    ]
    return _write(
        folder,
        {
            "scores": pd.DataFrame(scores, columns=columns),
            "counts": pd.DataFrame(
                counts,
                columns=[
                    "recording",
                    "sorter",
                    "units_true",
                    "units_found",
                    "well_detected",
                    "false_positive",
                    "redundant",
                    "over_merged",
                ],
            ),
        },
    )


def write_real_tables(folder: Path, channels: int = 4) -> dict[str, Path]:
    """waveforms, excerpt, spikes."""
    stream = seed_stream(9, "test-real")
    time = np.arange(-15, 30) / 15
    waveforms, spikes = [], []
    for place, sorter in enumerate(SORTERS[:3]):
        for unit in range(3 + place):
            size = 300.0 / (unit + 1)
            for channel in range(channels):
                mean = -size * (0.4 + 0.6 * (channel == unit % channels)) * np.exp(-0.5 * (time / 0.2) ** 2)
                waveforms += [(sorter, unit, channel, t, m, 20.0) for t, m in zip(time, mean, strict=True)]
            for at in np.sort(stream.uniform(0, 28, 40)):
                spikes.append((sorter, unit, at, -size * (1 + 0.1 * stream.normal())))
    clock = np.arange(0, 400, 1 / 15)
    excerpt = pd.concat(
        [
            pd.DataFrame({"time_ms": clock, "channel": c, "value": 20 * stream.normal(size=len(clock)), "unit": "adc"})
            for c in range(channels)
        ]
    )
    return _write(
        folder,
        {
            "waveforms": pd.DataFrame(waveforms, columns=["sorter", "unit_id", "channel", "time_ms", "mean", "sd"]),
            "excerpt": excerpt,
            "spikes": pd.DataFrame(spikes, columns=["sorter", "unit_id", "time_s", "amplitude"]),
        },
    )


def write_detection_tables(folder: Path, recordings: tuple[str, ...] = ("tetrode", "real_one")) -> dict[str, Path]:
    """scores, units, excerpt, probability, spikes, events."""
    stream = seed_stream(11, "test-detection")
    thresholds = {"simsort": (0.1, 0.3, 0.5), **{name: (3.0, 5.0) for name in ("threshold", "spikeinterface")}}
    scores, units = [], []
    for recording in recordings:
        for detector, levels in thresholds.items():
            for place, level in enumerate(levels):
                default = (detector, level) in (("simsort", 0.5), ("spikeinterface", 5.0))
                in_sorter = (detector, level) == ("simsort", 0.3)
                recall = 0.99 - 0.1 * place * stream.uniform()
                precision = 0.5 + 0.2 * place + 0.05 * stream.uniform()
                data = "real" if recording.startswith("real") else "simulated"
                f1 = 2 / (1 / recall + 1 / precision)
                scores.append(
                    (recording, data, 5.0, detector, level, default, in_sorter, precision, recall, f1, 900, 3)
                )
                for unit in range(4):
                    units.append((recording, detector, level, default, f"u{unit}", 3.0 + 4 * unit, recall))
    time = np.arange(0, 500, 0.1)
    traces = [
        pd.DataFrame({"time_ms": time, "channel": channel, "value": stream.normal(size=len(time))})
        for channel in range(4)
    ]
    at = np.sort(stream.uniform(5, 495, 30))
    spikes = pd.DataFrame(
        {
            "time_ms": at,
            "unit_id": [f"u{i % 3}" for i in range(30)],
            "snr": [4.0 + 3 * (i % 3) for i in range(30)],
            "wanted": [i % 3 > 0 for i in range(30)],
            "found": [i % 7 > 0 for i in range(30)],
        }
    )
    kinds = np.array(["hit", "small unit", "false"])
    events = pd.concat(
        [
            pd.DataFrame({"detector": name, "threshold": level, "time_ms": at, "kind": kinds[np.arange(30) % 3]})
            for name, level in (("simsort", 0.5), ("threshold", 5.0))
        ]
    )
    probability = pd.DataFrame({"time_ms": time, "probability": stream.uniform(size=len(time)) ** 8})
    named = [
        "recording",
        "data",
        "noise",
        "detector",
        "threshold",
        "default",
        "in_sorter",
        "precision",
        "recall",
        "f1",
        "n",
        "n_units",
    ]
    return _write(
        folder,
        {
            "scores": pd.DataFrame(scores, columns=named),
            "units": pd.DataFrame(
                units, columns=["recording", "detector", "threshold", "default", "unit_id", "snr", "recall"]
            ),
            "excerpt": pd.concat(traces),
            "probability": probability,
            "spikes": spikes,
            "events": events,
        },
    )


def write_identification_tables(folder: Path) -> dict[str, Path]:
    """scores, points, outlines, waveforms."""
    stream = seed_stream(12, "test-identification")
    features, clusterings = ("embedding", "pca", "pca_told", "umap"), ("mixture", "mean_shift", "oracle_mixture")
    scores = [
        (recording, data, feature, clustering, 0.9 - 0.1 * i - 0.05 * j, large, 600, 3, 3 + i + j, *spread)
        for recording, data, large in (
            ("one", "simulated", 0.95),
            ("two", "simulated", 0.5),
            ("cut", "snippets", np.nan),
        )
        for i, feature in enumerate(features)
        for j, clustering in enumerate(clusterings)
        for spread in ([(0.03, 4)] if clustering == "mixture" and data != "snippets" else [(np.nan, 1)])
    ]
    points, outlines = [], []
    for feature in features:
        for unit in range(3):
            place = 8 * np.array([np.cos(2 * unit), np.sin(2 * unit)])
            drawn = place + stream.normal(size=(50, 2))
            points.append(
                pd.DataFrame(
                    {
                        "feature": feature, "time_s": np.arange(50) + 0.1 * unit, "unit_id": f"u{unit}", "found": unit,
                        "x": drawn[:, 0], "y": drawn[:, 1],
                    }
                )
            )  # fmt: skip
            outlines.append((feature, unit, 50, *place, 1.0, 0.2, 1.0))
    time = np.arange(-1, 2, 0.1)
    shape = -np.exp(-0.5 * (time / 0.2) ** 2)
    waveforms = [
        pd.DataFrame(
            {
                "unit_id": f"u{unit}", "snr": 4.0 + unit, "n": 100 - unit, "unit": "uV", "channel": channel,
                "time_ms": time, "mean": 80 * shape / (1 + abs(channel - unit)), "sd": 5.0,
            }
        )
        for unit in range(3)
        for channel in range(4)
    ]  # fmt: skip
    columns = ["recording", "data", "feature", "clustering", "ari", "ari_large", "n", "n_units", "n_clusters"]
    columns += ["ari_sd", "draws"]
    return _write(
        folder,
        {
            "scores": pd.DataFrame(scores, columns=columns),
            "points": pd.concat(points),
            "outlines": pd.DataFrame(outlines, columns=["feature", "found", "n", "x", "y", "xx", "xy", "yy"]),
            "waveforms": pd.concat(waveforms),
        },
    )
