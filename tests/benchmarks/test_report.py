"""What a benchmark leaves, and the headline numbers."""

from __future__ import annotations

import pytest

from spikeline.artifacts import read_json, write_json
from spikeline.errors import FormatError
from spikeline.figures.summary import summarise
from spikeline.simulation.benchmarks.report import write_benchmark, write_headlines


def benchmark(path, **headline):
    write_benchmark(
        path, headline=headline, method="by hand", threads=1, cases={"one": {}}, load=(0.1, 1.0), packages=["numpy"]
    )
    return path


def test_headlines_become_a_part_of_the_summary(tmp_path):
    first = benchmark(tmp_path / "first.json", **{"benchmark.simulation.bank_over_bare_neuron": 1.2})
    second = benchmark(tmp_path / "second.json", **{"benchmark.workflow.plan_seconds_10k": 13.0})
    write_headlines(tmp_path / "benchmarks.json", [first, second])
    assert summarise(parts=[tmp_path / "benchmarks.json"]) == {
        "benchmark.simulation.bank_over_bare_neuron": 1.2,
        "benchmark.workflow.plan_seconds_10k": 13.0,
    }


def test_a_benchmark_says_what_it_was_measured_on(tmp_path):
    document = read_json(benchmark(tmp_path / "one.json", a=1.0))
    assert document["load_average"] == {"before": 0.1, "after": 1.0}
    assert document["machine"]["cores"] >= 1 and "numpy" in document["machine"]["versions"]


def test_a_key_given_twice_is_refused(tmp_path):
    twice = [benchmark(tmp_path / f"{name}.json", a=1.0) for name in "xy"]
    with pytest.raises(FormatError, match="gives a a second time"):
        write_headlines(tmp_path / "benchmarks.json", twice)


def test_another_document_is_refused(tmp_path):
    write_json(tmp_path / "other.json", {"a": 1})
    with pytest.raises(FormatError, match="no headline numbers"):
        write_headlines(tmp_path / "benchmarks.json", [tmp_path / "other.json"])
