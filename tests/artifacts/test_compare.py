"""Comparing two summaries."""

import pytest

from spikeline.artifacts import write_json
from spikeline.artifacts.compare import compare_summaries, flat, read_summary
from spikeline.errors import FormatError


def _verdicts(now, before, **options):
    return {difference.key: difference.verdict for difference in compare_summaries(now, before, **options)}


def test_verdicts():
    now = {"a": 1.0, "b": 2.0, "new": 1, "text": "x", "none": None, "zero": 0.001, "flag": True}
    before = {"a": 1.0, "b": 1.9, "gone": 1, "text": "y", "none": None, "zero": 0, "flag": 1}
    assert _verdicts(now, before) == {
        "a": "same",
        "b": "moved",
        "flag": "moved",
        "gone": "gone",
        "new": "new",
        "none": "same",
        "text": "moved",
        "zero": "moved",
    }


def test_tolerances_are_relative_to_the_reference():
    assert _verdicts({"a": 1.1}, {"a": 1.0}, relative=0.1 + 1e-9) == {"a": "same"}
    assert _verdicts({"a": 1.1}, {"a": 1.0}, relative=0.099) == {"a": "moved"}
    assert _verdicts({"a": -9.0}, {"a": -10.0}, relative=0.1) == {"a": "same"}
    assert _verdicts({"a": 0.001}, {"a": 0.0}, relative=1.0) == {"a": "moved"}
    assert _verdicts({"a": 0.001}, {"a": 0.0}, absolute=0.01) == {"a": "same"}


def test_change_has_the_sign_of_the_move():
    (difference,) = compare_summaries({"a": -12.0}, {"a": -10.0})
    assert difference.relative == pytest.approx(-0.2)


def test_ignore():
    assert _verdicts({"benchmark.x": 1, "a": 1}, {"benchmark.x": 2, "a": 1}, ignore=["benchmark.*"]) == {"a": "same"}


def test_flat_and_read(tmp_path):
    assert flat({"a": {"b": {"c": 1}}, "d.e": 2}) == {"a.b.c": 1, "d.e": 2}
    write_json(tmp_path / "summary.json", {"a": {"b": 1}})
    assert read_summary(tmp_path) == read_summary(tmp_path / "summary.json") == {"a.b": 1}
    write_json(tmp_path / "list.json", [1])
    with pytest.raises(FormatError, match="list"):
        read_summary(tmp_path / "list.json")
    with pytest.raises(FormatError, match="does not exist"):
        read_summary(tmp_path / "nothing.json")
