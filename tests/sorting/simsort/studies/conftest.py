"""Easy recordings on the disk, one of drawn spikes and one of the bank's, and networks set by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from spikeline.config.recordings import RecordingSettings
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.trains import synthetic_tetrode


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks; their cards say what they would have been trained on."""
    folder = tmp_path_factory.mktemp("weights")
    write_handmade_networks(folder)
    return folder


@pytest.fixture(scope="session")
def easy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds of a tetrode with three units, as `write_recording` writes it."""
    from spikeline.simulation.recordings.probes import make_probe
    from spikeline.simulation.recordings.recording import LabelledRecording, contact_positions, write_recording

    recording, sorting = synthetic_tetrode(20.0)
    probe = make_probe(RecordingSettings().probe)
    counts = sorting.count_num_spikes_per_unit()
    units = pd.DataFrame({"unit_id": range(3), "cell": ["A", "B", "C"], "n_spikes": list(counts.values())})
    path = tmp_path_factory.mktemp("recordings") / "easy"
    write_recording(path, LabelledRecording(recording, sorting, probe, units, contact_positions(probe)))
    return path
