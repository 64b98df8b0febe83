"""Real recordings with known spikes, from files to score tables."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from spikeline.artifacts import file_checksum, read_csv
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import DataError
from spikeline.sorting.real_scores import score_dataset_to_files
from spikeline.sorting.scoring import COUNT_COLUMNS, SCORE_COLUMNS
from spikeline.sorting.sorting_file import write_sorting
from spikeline.sorting.steps import sort_dataset_to_file
from tests.sorting.trains import RATE_HZ, synthetic_tetrode

BAND = (300.0, 3000.0)
EARLY = 20  # samples by which the file's times precede the troughs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SpikeForest folder of three units, numbered from 0, with its data_root above it."""
    from spikeinterface.core import NumpySorting
    from spikeinterface.extractors.mdaextractors import MdaSortingExtractor

    recording, truth = synthetic_tetrode(10.0)
    path = tmp_path_factory.mktemp("data") / "hybrid"
    path.mkdir()
    traces = recording.get_traces().astype("<f4")
    header = np.array([-3, 4, 2, traces.shape[1], traces.shape[0]], dtype="<i4")
    (path / "raw.mda").write_bytes(header.tobytes() + traces.tobytes())
    np.savetxt(path / "geom.csv", recording.get_channel_locations(), delimiter=",")
    (path / "params.json").write_text(json.dumps({"samplerate": RATE_HZ, "spike_sign": -1, "scale_factor": 1}))
    early = {int(unit): truth.get_unit_spike_train(unit) - EARLY for unit in truth.unit_ids}
    MdaSortingExtractor.write_sorting(NumpySorting.from_unit_dict([early], RATE_HZ), path / "firings_true.mda")
    return path


def _table(folder: Path, path: Path, **keys: object) -> Path:
    entry = {
        "title": "a test's own", "path": folder.name, "reader": "spikeforest_mda", "source": "a test", "version": "1",
        "sha256": file_checksum(folder), "licence": "MIT", "unit": "uV", "peak_offset_samples": EARLY,
    }  # fmt: skip
    path.write_text(json.dumps({"hybrid": entry | keys}))  # JSON is YAML
    return path


def _perfect(path: Path) -> Path:
    write_sorting(path, synthetic_tetrode(10.0)[1])
    return path


def test_from_files_to_tables(folder: Path, tmp_path: Path) -> None:
    where = ("hybrid", folder.parent, _table(folder, tmp_path / "datasets.yaml", truth_complete=True))
    sort_dataset_to_file(*where, tmp_path / "simple.h5", SorterSettings(sorter="simple"), seed=1)
    sortings = {"simple": tmp_path / "simple.h5", "perfect": _perfect(tmp_path / "perfect.h5")}
    outputs = tmp_path / "scores.csv", tmp_path / "counts.csv"
    score_dataset_to_files(*where, sortings, *outputs, ScoringSettings(), BAND)
    scores, counts = map(read_csv, outputs)
    assert list(scores.columns) == SCORE_COLUMNS and list(counts.columns) == COUNT_COLUMNS
    assert len(scores) == 3 * 2 * 2
    assert set(scores["recording"]) == {"hybrid"} and scores["cell"].isna().all()
    assert (scores["accuracy"] > 0.9).all()
    assert scores["snr"].between(5, 30).all()
    assert scores["peak_offset_ms"].abs().max() <= 0.1  # peak_offset_samples of the entry came before
    assert list(counts["well_detected"]) == [3, 3]
    assert list(counts["false_positive"]) == [0, 0]


def test_units_that_are_not_scored(folder: Path, tmp_path: Path) -> None:
    """The found units behind them are nobody's false positives."""
    perfect = {"perfect": _perfect(tmp_path / "perfect.h5")}
    outputs = tmp_path / "scores.csv", tmp_path / "counts.csv"
    for keys in ({"scored_units": [0, 2], "truth_complete": True}, {}):
        table = _table(folder, tmp_path / "datasets.yaml", **keys)
        score_dataset_to_files("hybrid", folder.parent, table, perfect, *outputs, ScoringSettings(), BAND)
        scores, counts = map(read_csv, outputs)
        assert sorted(set(scores["unit_id"].astype(str))) == (["0", "2"] if keys else ["0", "1", "2"])
        assert (scores["accuracy"] == 1.0).all()
        assert counts["units_found"].item() == 3 and counts["false_positive"].isna().all()


def test_times_of_the_file(folder: Path, tmp_path: Path) -> None:
    """Without peak_offset_samples, a file's early times are found by the mean waveform only if it is asked to."""
    table = _table(folder, tmp_path / "datasets.yaml", peak_offset_samples=EARLY - 8)
    perfect = {"perfect": _perfect(tmp_path / "perfect.h5")}
    outputs = tmp_path / "scores.csv", tmp_path / "counts.csv"
    accuracy = {}
    for true_time in ("extracellular_peak", "soma_peak"):
        settings = ScoringSettings(true_time=true_time)
        score_dataset_to_files("hybrid", folder.parent, table, perfect, *outputs, settings, BAND)
        scores = read_csv(outputs[0])
        accuracy[true_time] = scores.loc[scores["rule"] == "spikeinterface", "accuracy"].mean()
    assert accuracy["extracellular_peak"] == 1.0
    assert accuracy["soma_peak"] < 0.1


def test_nothing_to_score(folder: Path, tmp_path: Path) -> None:
    outputs = tmp_path / "scores.csv", tmp_path / "counts.csv"
    table = _table(folder, tmp_path / "datasets.yaml")
    with pytest.raises(DataError, match="no sorting was given"):
        score_dataset_to_files("hybrid", folder.parent, table, {}, *outputs, ScoringSettings(), BAND)
    bare = tmp_path / "root" / "bare"
    bare.mkdir(parents=True)
    for file in folder.iterdir():
        if file.name != "firings_true.mda":
            (bare / file.name).write_bytes(file.read_bytes())
    table = _table(bare, tmp_path / "bare.yaml")
    with pytest.raises(DataError, match="no ground truth"):
        score_dataset_to_files(
            "hybrid", bare.parent, table, {"p": _perfect(tmp_path / "p.h5")}, *outputs, ScoringSettings(), BAND
        )


@pytest.mark.skipif(
    "SPIKELINE_DATA_ROOT" not in os.environ,
    reason="set SPIKELINE_DATA_ROOT to a folder with sorting/C_Easy1_noise01_short.npz",
)
@pytest.mark.parametrize(("sorter", "least"), [("simple", 0.9), ("simsort", 0.95)])
def test_quiroga(sorter: str, least: float, tmp_path: Path) -> None:
    """One channel at 24 kHz, one of three units pointing the other way: unlike anything that SimSort was trained on."""
    where = ("quiroga_easy1_noise01_short", os.environ["SPIKELINE_DATA_ROOT"], "config/datasets.yaml")
    sort_dataset_to_file(*where, tmp_path / "found.h5", SorterSettings(sorter=sorter), seed=1)
    outputs = tmp_path / "scores.csv", tmp_path / "counts.csv"
    score_dataset_to_files(*where, {sorter: tmp_path / "found.h5"}, *outputs, ScoringSettings(), BAND)
    scores, counts = map(read_csv, outputs)
    assert (scores["accuracy"] > least).all()
    assert counts["units_found"].item() == counts["well_detected"].item() == 3 and counts["false_positive"].item() == 0
