"""SimSort beside other sorters: small, untimed, with networks made by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from spikeline.config.recordings import NoiseSettings, PlacementSettings, ProbeSettings, RecordingSettings
from spikeline.errors import DataError
from spikeline.sorting.benchmarks.contestants import CONTESTANTS, OURS, Contestant, parameters_of
from spikeline.sorting.benchmarks.detector_flops_ratio import detector_flops
from spikeline.sorting.benchmarks.scored import TrueUnits
from spikeline.sorting.benchmarks.sorting_over_peers import RECORDING, compare_sorters, headline, most_accurate_peer
from spikeline.sorting.benchmarks.turns import sort_in_turns
from spikeline.sorting.sorting_file import make_sorting
from tests.simulation.recordings_fixtures import make_bank
from tests.sorting.simsort.handmade_networks import write_handmade_networks

PROGRAM = Path(__file__).parents[2] / "scripts/benchmarks/peers/sorting_run.py"
RECORDED = RecordingSettings(
    probe=ProbeSettings(kind="tetrode"),
    units=2,
    duration_s=6.0,
    drive="events",
    placement=PlacementSettings(distance_um=(20.0, 25.0)),
    noise=NoiseSettings(level_uv=2.0, colour="white", background_units=0),
)
# Instead of sorters: says what it was asked, finds the spikes it was given, or fails as its parameters say.
PRETENDER = """
import json, sys
from pathlib import Path
import numpy as np
job = json.loads(Path(sys.argv[1]).read_text())
asked = Path(job["recording"])
asked.write_text(asked.read_text() + job["sorter"] + " ")
if job["sorter"] == "crashing":
    sys.exit("no more memory")
result = {"status": "sorted", "seconds": 2.0, "peak_mb": 100.0 + len(asked.read_text().split()), "versions": {}}
if job["sorter"] == "failing":
    result = {"status": "failed: ValueError: no spikes", "seconds": 1.0}
np.savez(job["spikes"], spike_samples=np.arange(100, 5000, 100), unit_index=np.zeros(49, int), n_units=1)
Path(sys.argv[2]).write_text(json.dumps(result))
"""


@pytest.fixture
def truth():
    from spikeline.config.sorting import ScoringSettings

    return TrueUnits(
        make_sorting(np.arange(100, 5000, 100), np.zeros(49, int), ["0"], 10_000.0), {"0": 9.0}, ScoringSettings()
    )


def pretend(tmp_path, truth, names, elsewhere=(), interpreter=None, repetitions=2):
    program, asked = tmp_path / "pretender.py", tmp_path / "asked.txt"
    program.write_text(PRETENDER)
    asked.write_text("")
    contestants = {name: Contestant(name, elsewhere=True) for name in names}
    found = sort_in_turns(
        asked,
        RECORDED,
        truth,
        contestants,
        program=program,
        peers_interpreter=sys.executable if interpreter is None else interpreter,
        seed=1,
        repetitions=repetitions,
        threads=1,
        warm_up_s=0.0,
    )
    return found, asked.read_text().split()


def test_the_order_turns_round_and_who_failed_is_not_asked_again(tmp_path, truth):
    found, asked = pretend(tmp_path, truth, ["one", "failing", "crashing", "two"])
    assert asked == ["one", "failing", "crashing", "two", "two", "one"]
    assert found["failing"]["status"] == "failed: ValueError: no spikes"
    assert found["crashing"]["status"] == "failed: no more memory"
    assert found["one"]["seconds"] == [2.0, 2.0] and found["one"]["median_s"] == 2.0
    assert found["one"]["peak_mb"] == [101.0, 106.0] and found["one"]["largest_peak_mb"] == 106.0
    assert found["one"]["mean_scores"]["accuracy_spikeinterface"] == 1.0
    assert found["one"]["mean_scores"]["units_found"] == 1.0


def test_a_peer_that_is_not_there_is_reported(tmp_path, truth):
    found, asked = pretend(tmp_path, truth, ["one"], interpreter="no/such/python")
    assert asked == [] and found["one"]["status"] == "not installed" and "mean_scores" not in found["one"]


def test_easy_units_are_sorted_in_processes_of_their_own(tmp_path):
    weights = write_handmade_networks(tmp_path / "weights")
    contestants = {
        OURS: Contestant(OURS, parameters={"device": "cpu", "weights": str(weights)}),
        "simple": CONTESTANTS["simple"],
        "kilosort4": CONTESTANTS["kilosort4"],
    }
    compared = compare_sorters(
        make_bank(2, 1, duration_s=4.0),
        program=PROGRAM,
        peers_interpreter=None,
        seed=1,
        settings=RECORDED,
        contestants=contestants,
        repetitions=1,
        warm_up_s=0.0,
    )
    sorters = compared["sorters"]
    assert [sorters[name]["status"] for name in contestants] == ["sorted", "sorted", "not installed"]
    for name in (OURS, "simple"):
        assert sorters[name]["largest_peak_mb"] > 50 and sorters[name]["cores"] <= 2
        assert sorters[name]["mean_scores"]["recall_simsort"] >= 0.4
    assert len(compared["recording"]["units"]) == 2
    assert headline(sorters)["benchmark.sorting.seconds_over_most_accurate_peer"] > 0


def result(accuracy, *seconds):
    return {
        "status": "sorted",
        "seconds": list(seconds),
        "median_s": sorted(seconds)[len(seconds) // 2],
        "mean_scores": {"accuracy_spikeinterface": accuracy},
    }


def test_the_headline_is_about_the_most_accurate_peer():
    sorters = {
        OURS: result(0.8, 10.0, 12.0, 30.0),
        "quick": result(0.2, 1.0, 1.0, 1.0),
        "right": result(0.7, 20.0, 20.0, 60.0),
        "slower": result(0.7, 40.0, 40.0, 40.0),
        "absent": {"status": "not installed"},
    }
    assert most_accurate_peer(sorters) == "right"
    assert headline(sorters) == {
        "benchmark.sorting.seconds_over_most_accurate_peer": 0.5,
        "benchmark.sorting.accuracy": 0.8,
        "benchmark.sorting.accuracy_of_most_accurate_peer": 0.7,
    }


def test_without_ours_or_any_peer_there_is_no_headline():
    with pytest.raises(DataError, match="no peer sorted"):
        headline({OURS: result(0.8, 1.0), "absent": {"status": "not installed"}})
    with pytest.raises(DataError, match="failed: no weights"):
        headline({OURS: {"status": "failed: no weights"}, "peer": result(0.5, 1.0)})


def test_all_run_on_the_cpu_with_the_threads_of_the_benchmark():
    assert parameters_of(CONTESTANTS[OURS], RECORDING, 2, 1)["device"] == "cpu"
    kilosort4 = parameters_of(CONTESTANTS["kilosort4"], RECORDING, 2, 1)
    assert kilosort4["torch_device"] == "cpu" and kilosort4["n_jobs"] == 2
    assert kilosort4["dminx"] == RECORDING.probe.pitch_um and kilosort4["nt"] == 21
    assert parameters_of(CONTESTANTS["mountainsort5"], RECORDING, 2, 5)["whitening_seed"] == 5
    assert parameters_of(CONTESTANTS["lupin"], RECORDING, 2, 1)["job_kwargs"]["n_jobs"] == 2


def test_the_cost_of_the_detectors(tmp_path):
    from spikeline.sorting.simsort.detector import Detector
    from spikeline.sorting.simsort.identifier import Identifier
    from spikeline.sorting.simsort.paper.detector import WINDOW_SAMPLES
    from spikeline.training.export import export_weights

    facts = {"sampling_rate_hz": 10_000.0, "band_hz": [300.0, 3000.0], "architecture": {}}
    for name, network in (("detector", Detector()), ("identifier", Identifier())):
        export_weights(network, tmp_path / f"{name}.safetensors", facts)
    counted = detector_flops(tmp_path)
    # two per weight: stem, six layers, head; and once for all samples, which channels there are
    once = 2 * 4 * 32 / WINDOW_SAMPLES
    assert counted["ours_per_sample"] == pytest.approx(2 * (4 * 32 * 7 + 6 * 32 * 32 * 5 + 32) + once, rel=1e-12)
    assert counted["ratio"] == counted["paper_per_sample"] / counted["ours_per_sample"] > 10
