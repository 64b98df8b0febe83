"""The headline numbers of a run."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from spikeline.artifacts import write_csv, write_json
from spikeline.errors import FormatError
from spikeline.figures import summarise
from spikeline.figures.summary import flattened


def test_the_summary_holds_the_worst_errors_and_the_mean_accuracies(tables, tmp_path) -> None:
    part = tmp_path / "check.json"
    write_json(part, {"simulation": {"placement": {"relative_error": 2e-9}}, "benchmark.workflow.plan_seconds_10k": 12})
    summary = summarise(tables["bank"]["bank"], tables["scores"]["scores"], tables["scores"]["counts"], [part])
    bank, scores = pd.read_csv(tables["bank"]["bank"]), pd.read_csv(tables["scores"]["scores"])
    assert summary["simulation.bank.max_error_uv"] == pytest.approx(bank["max_error_uv"].max())
    assert (
        summary["simulation.bank.entries"] == len(bank) and summary["simulation.bank.spikes"] == bank["n_spikes"].sum()
    )
    chosen = scores[(scores["sorter"] == "lupin") & (scores["rule"] == "simsort")]
    assert summary["sorting.tetrode.lupin.accuracy_simsort"] == pytest.approx(chosen["accuracy"].mean())
    assert summary["sorting.tetrode.simple.units_true"] == 5
    assert (
        summary["simulation.placement.relative_error"] == 2e-9 and summary["benchmark.workflow.plan_seconds_10k"] == 12
    )
    assert list(summary) == sorted(summary)
    json.dumps(summary, allow_nan=False)


def test_an_error_that_was_not_measured_is_not_hidden(tables, tmp_path) -> None:
    bank = pd.read_csv(tables["bank"]["bank"])
    bank.loc[0, "max_error_uv"] = float("nan")
    write_csv(tmp_path / "bank.csv", bank)
    assert summarise(tmp_path / "bank.csv")["simulation.bank.max_error_uv"] is None


def test_an_undefined_precision_counts_as_none(tables, tmp_path) -> None:
    scores = (
        pd.read_csv(tables["scores"]["scores"])
        .query("sorter == 'simple' and rule == 'simsort'")
        .assign(precision=float("nan"))
    )
    write_csv(tmp_path / "scores.csv", scores)
    summary = summarise(scores_csv=tmp_path / "scores.csv", counts_csv=tables["scores"]["counts"])
    assert summary["sorting.tetrode.simple.precision_simsort"] == 0


def test_two_sources_of_one_key_are_refused(tables, tmp_path) -> None:
    part = tmp_path / "part.json"
    write_json(part, {"simulation.bank.entries": 3})
    with pytest.raises(FormatError, match=r"simulation\.bank\.entries a second time"):
        summarise(tables["bank"]["bank"], parts=[part])


def test_broken_parts_are_refused(tables, tmp_path) -> None:
    part = tmp_path / "part.json"
    write_json(part, [1, 2])
    with pytest.raises(FormatError, match="holds a list"):
        summarise(parts=[part])
    with pytest.raises(FormatError, match="one of scores and counts"):
        summarise(scores_csv=tables["scores"]["scores"])
    write_csv(tmp_path / "scores.csv", pd.read_csv(tables["scores"]["scores"]).assign(rule="mine"))
    with pytest.raises(FormatError, match="the rule mine"):
        summarise(scores_csv=tmp_path / "scores.csv", counts_csv=tables["scores"]["counts"])


def test_the_networks_are_summarised_over_simulated_recordings(tables) -> None:
    detection, identification = (tables[name]["scores"] for name in ("detection", "identification"))
    summary = summarise(detection_csv=detection, identification_csv=identification)
    scores = pd.read_csv(detection).query("data == 'simulated'")
    own, plain = scores[scores["detector"] == "simsort"], scores[scores["detector"] != "simsort"]
    assert summary["simsort.detection.f1"] == pytest.approx(own[own["default"]]["f1"].mean())
    in_sorter = own[own["threshold"] == 0.3]["f1"].mean()
    assert summary["simsort.detection.f1_in_sorter"] == pytest.approx(in_sorter)
    assert summary["simsort.detection.f1_best"] == pytest.approx(own["f1"].max())
    assert summary["simsort.detection.f1_threshold_best"] == pytest.approx(plain["f1"].max())
    assert summary["simsort.detection.recordings"] == 1
    assert {name.rpartition(".")[2]: value for name, value in summary.items() if "identification" in name} == {
        "ari": pytest.approx(0.9),
        "ari_pca": pytest.approx(0.8),
        "ari_pca_told": pytest.approx(0.7),
        "ari_umap": pytest.approx(0.6),
        "ari_margin": pytest.approx(0.1),
        "ari_margin_pca_told": pytest.approx(0.2),
        "ari_margin_umap": pytest.approx(0.3),
    }


def test_a_recording_with_nothing_to_find_is_no_part_of_the_means(tables, tmp_path) -> None:
    scores = pd.read_csv(tables["detection"]["scores"]).query("data == 'simulated'")
    more = [scores.assign(recording=name, f1=scores["f1"] / 2) for name in ("other", "nothing")]
    more[1]["f1"] = float("nan")
    write_csv(tmp_path / "detection.csv", pd.concat([scores, *more]))
    summary = summarise(detection_csv=tmp_path / "detection.csv")
    own = pd.concat([scores, more[0]]).query("detector == 'simsort' and default")
    assert summary["simsort.detection.recordings"] == 2
    assert summary["simsort.detection.f1"] == pytest.approx(own["f1"].mean())


def test_a_fixed_threshold_is_one_for_all_recordings(tmp_path) -> None:
    f1 = {("a", 4.0): 0.9, ("a", 5.0): 0.7, ("b", 4.0): 0.4, ("b", 5.0): 0.8}
    rows = [
        {"recording": recording, "data": "simulated", "detector": detector, "default": detector == "simsort",
         "in_sorter": False, "threshold": threshold, "f1": value - (0.2 if detector == "other" else 0.0)}
        for detector in ("threshold", "other", "simsort")
        for (recording, threshold), value in f1.items()
    ]  # fmt: skip
    write_csv(tmp_path / "detection.csv", pd.DataFrame(rows))
    summary = summarise(detection_csv=tmp_path / "detection.csv")
    assert summary["simsort.detection.f1_threshold_fixed"] == pytest.approx(0.75)
    assert summary["simsort.detection.f1_threshold_best"] == pytest.approx(0.85)


def test_the_margin_is_there_if_simsort_is_compared(tables) -> None:
    files = tables["scores"]["scores"], tables["scores"]["counts"]
    assert "simsort.sorting.accuracy_margin" not in summarise(None, *files)
    summary = summarise(None, *files, simsort="lupin", peers=["simple", "tridesclous2"], tetrodes=["tetrode"])
    means = pd.read_csv(files[0]).query("rule == 'spikeinterface'").groupby("sorter")["accuracy"].mean()
    expected = means["lupin"] - max(means["simple"], means["tridesclous2"])
    assert summary["simsort.sorting.accuracy_margin"] == pytest.approx(expected)
    assert summary["simsort.sorting.accuracy_margin_least"] <= summary["simsort.sorting.accuracy_margin"]
    assert "simsort.sorting.accuracy_margin_simsort_rule" in summary
    assert "simsort.sorting.accuracy_margin" not in summarise(None, *files, simsort="lupin", tetrodes=["tetrode"])


def test_real_recordings_stand_beside_simulated_ones(tables) -> None:
    files = tables["scores"]["scores"], tables["scores"]["counts"]
    assert summarise(real=[files]) == summarise(None, *files)
    with pytest.raises(FormatError, match="a second time"):
        summarise(None, *files, real=[files])


def test_flattened_joins_keys_by_dots() -> None:
    assert flattened({"a": {"b": 1, "c": {"d": 2}}, "e.f": 3}) == {"a.b": 1, "a.c.d": 2, "e.f": 3}
