"""A sorter in another environment: what it is told, what comes back, what is said when it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import spikeinterface as si

from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.catalogue import check_sorters
from spikeline.sorting.run_elsewhere import PeersEnvironment, peers_environment, sort_elsewhere
from tests.saved_recordings import closed_files
from tests.sorting.trains import recording_of

__all__ = ["closed_files"]

SORTER = SorterSettings(sorter="kilosort4", environment="peers", parameters={"Th_universal": 8})
# Stands for scripts/benchmarks/peers/sorting_run.py: it looks at its job, and answers as that program does.
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface as si

job = json.loads(Path(sys.argv[1]).read_text())
recording = si.load(job["recording"])
assert recording.get_num_samples() == 20_000 and recording.get_num_channels() == 4
assert job["cores"] is None and job["warm_up_s"] == 0
(Path(__file__).parent / "told.json").write_text(json.dumps(job))
np.savez(job["spikes"], spike_samples=np.array([10, 500, 900]), unit_index=np.array([0, 1, 0]), n_units=2)
Path(sys.argv[2]).write_text(json.dumps(ANSWER))
"""


def recording() -> si.BaseRecording:
    return recording_of(np.random.default_rng(0).normal(size=(20_000, 4)).astype(np.float32))


def peers(folder: Path, **answer: str) -> PeersEnvironment:
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("ANSWER", repr(answer)))
    return PeersEnvironment(Path(sys.executable), program)


def test_units_come_back_and_nothing_stays(tmp_path: Path, closed_files: None) -> None:
    import json

    out = tmp_path / "sortings/kilosort4.h5"
    found = sort_elsewhere(recording(), SORTER, peers(tmp_path, status="sorted"), 1, 7, output=out)
    assert found.unit_ids.tolist() == ["0", "1"]
    np.testing.assert_array_equal(found.get_unit_spike_train("0"), [10, 900])
    told = json.loads((tmp_path / "told.json").read_text())["parameters"]
    assert told["Th_universal"] == 8 and told["nearest_chans"] == 4 and told["n_jobs"] == 1
    assert not list(out.parent.iterdir())


def test_failures_are_told_by_name(tmp_path: Path, closed_files: None) -> None:
    out = tmp_path / "sortings/kilosort4.h5"
    failing = peers(tmp_path, status="failed: ValueError: too few spikes")
    with pytest.raises(DataError, match="failed: ValueError: too few spikes"):
        sort_elsewhere(recording(), SORTER, failing, 1, 7, output=out)
    with pytest.raises(ConfigError, match="not installed in the environment"):
        sort_elsewhere(recording(), SORTER, peers(tmp_path, status="not installed"), 1, 7, output=out)
    with pytest.raises(ConfigError, match="no such environment here"):
        sort_elsewhere(recording(), SORTER, None, 1, 7, output=out)
    assert not list(out.parent.iterdir())


def test_from_a_rules_input(tmp_path: Path) -> None:
    assert peers_environment([]) is None
    found = peers_environment(["results/sorting_peers/installed.txt", "scripts/sorting_run.py"])
    assert found == PeersEnvironment(Path("results/sorting_peers/venv/bin/python"), Path("scripts/sorting_run.py"))


def test_a_sorter_that_is_not_there_is_refused_when_a_run_is_planned() -> None:
    check_sorters({"kilosort4": SORTER})
    with pytest.raises(ConfigError, match="environment: peers") as told:
        check_sorters({"lupin": SorterSettings(sorter="lupin", environment="peers")})
    assert "kilosort4, mountainsort5" in told.value.expected
