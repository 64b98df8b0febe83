"""Networks tuned on labelled spikes: what they learn, what they are told, what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeline.artifacts import file_checksum, read_csv, read_weights, verify_tree
from spikeline.config.studies import TuningSettings
from spikeline.errors import DataError
from spikeline.simulation.recordings.recording import read_recording
from spikeline.sorting.simsort.evaluation.network_view import network_view
from spikeline.sorting.simsort.evaluation.truth import Truth, true_spikes
from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.identifier_training import scatter_matrix
from spikeline.sorting.simsort.networks import load_networks
from spikeline.sorting.simsort.prepared_scene import PreparedScene
from spikeline.sorting.simsort.studies.labelled import LabelledScenes
from spikeline.sorting.simsort.studies.tuning import (
    TuningJob,
    labelled_detection_batches,
    settle_on_few,
    tune_to_files,
)
from tests.sorting.trains import synthetic_tetrode

BAND = (300.0, 3000.0)
NETWORKS = ("detector", "identifier")
TUNING = TuningSettings.parse(
    {
        "detector": {"steps": 12, "warm_up_steps": 1, "checkpoint_every_steps": 4, "accelerator": "cpu"},
        "identifier": {"steps": 6, "warm_up_steps": 1, "checkpoint_every_steps": 2, "accelerator": "cpu"},
        "windows": 8,
        "window_samples": 256,
    }
)


def job(folder: Path, recording: Path, weights: Path, **options: Any) -> TuningJob:
    return TuningJob(
        **{
            "recording_folder": recording,
            "labelled_s": 6.0,
            "start": {network: weights / f"{network}.safetensors" for network in NETWORKS},
            "outputs": {network: folder / f"{network}.safetensors" for network in NETWORKS},
            "log_csvs": {network: folder / f"{network}.csv" for network in NETWORKS},
            "seed": 3,
            "filter_hz": BAND,
            **options,
        }
    )


def outputs(folder: Path) -> dict[str, str]:
    return {path.name: file_checksum(path) for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def tuned(weights: Path, easy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    tune_to_files(TUNING, job(folder, easy_folder, weights))
    return folder


def test_the_sorter_reads_tuned_networks_whose_cards_say_what_they_are(tuned: Path, weights: Path) -> None:
    before, after = load_networks(weights, "cpu"), load_networks(tuned, "cpu")
    for network in NETWORKS:
        old, new = getattr(before, network).state_dict(), getattr(after, network).state_dict()
        assert any(not torch.equal(old[name], new[name]) for name in old)
        _, card = read_weights(tuned / f"{network}.safetensors")
        assert card["tuned_on"]["labelled_s"] == 6.0 and card["tuned_on"]["recording"] == "easy"
        assert card["tuned_on"]["start_sha256"] == file_checksum(weights / f"{network}.safetensors")
        assert card["network"] == network and card["seed"] == 3
    assert verify_tree(tuned).ok
    losses = read_csv(tuned / "detector.csv").query("metric == 'loss'")["value"].to_numpy()
    assert np.isfinite(losses).all()


def test_tuning_the_detector_lowers_its_loss_on_what_is_labelled(weights: Path, easy_folder: Path, tmp_path) -> None:
    longer = TUNING.model_copy(
        update={
            "detector": TUNING.detector.model_copy(update={"steps": 60, "learning_rate": 1e-3, "log_every_steps": 5})
        }
    )
    tune_to_files(longer, job(tmp_path, easy_folder, weights))
    losses = read_csv(tmp_path / "detector.csv").query("metric == 'loss'")["value"].to_numpy()
    assert losses[-3:].mean() < 0.95 * losses[0]


def test_what_comes_after_the_labelled_stretch_does_not_matter(
    tuned: Path, weights: Path, easy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import spikeline.simulation.recordings.recording as recordings

    made = recordings.read_recording(easy_folder)
    rate = made.recording.get_sampling_frequency()

    class Cut:
        recording = made.recording.frame_slice(0, round(8 * rate))
        sorting = made.sorting.frame_slice(0, round(8 * rate))

    monkeypatch.setattr(recordings, "read_recording", lambda folder: Cut)
    tune_to_files(TUNING, job(tmp_path, easy_folder, weights))
    assert outputs(tmp_path) == outputs(tuned)


def test_a_stopped_tuning_goes_on_to_the_same_bytes(
    tuned: Path, weights: Path, easy_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spikeline.sorting.simsort.identification_batches import IdentificationBatches

    whole = IdentificationBatches.batch

    def broken(self: Any, step: int) -> Any:
        if step == 4:
            raise OSError("the machine went down")
        return whole(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(IdentificationBatches, "batch", broken)
        with pytest.raises(OSError, match="went down"):
            tune_to_files(TUNING, job(tmp_path, easy_folder, weights))
    tune_to_files(TUNING, job(tmp_path, easy_folder, weights))
    assert outputs(tmp_path) == outputs(tuned)


def test_too_little_to_tell_apart_is_refused(weights: Path, easy_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="label more") as caught:
        tune_to_files(TUNING, job(tmp_path, easy_folder, weights, labelled_s=1.0))
    assert "in the first 1 s of easy" in caught.value.seen
    assert not list(tmp_path.iterdir())


def test_labelled_scenes_hold_the_spikes_where_they_are(weights: Path, easy_folder: Path) -> None:
    made = read_recording(easy_folder)
    view = network_view(made.recording, load_networks(weights, "cpu"))
    truth = true_spikes(made.recording, made.sorting, BAND)
    scenes = LabelledScenes(view, truth, 1, stage="test")
    scene = scenes(0)
    assert scenes(7) is scene
    assert np.array_equal(scene.spike_samples, np.sort(view.from_source(truth.spike_samples)))
    assert np.array_equal(scene.traces[:, :4], view.group(0))
    counts = np.bincount(scene.unit_index)
    assert np.array_equal(counts, truth.counts())
    at_peaks = np.abs(scene.traces[scene.spike_samples]).max(axis=1)
    assert np.median(at_peaks) > 5 * np.median(np.abs(scene.traces).max(axis=1))


def test_every_labelled_spike_is_asked_for_however_small() -> None:
    n_samples = TUNING.window_samples + 1  # one place for a window to start
    peaks = np.arange(20, n_samples - 20, 40)
    noise = np.random.default_rng(0).normal(size=(n_samples, 4)).astype(np.float32)
    scene = PreparedScene(noise, peaks, np.zeros(len(peaks), np.int64))  # spikes of no amplitude at all

    class Scenes:
        seed, stage = 1, "test"

        def __call__(self, index: int) -> PreparedScene:
            return scene

    batch = labelled_detection_batches(Scenes(), TUNING).batch(0)
    assert (batch["counted"] == 1).all()
    assert (batch["labels"][:, peaks] == 1).all()


def test_channels_that_are_more_than_one_group_are_refused(weights: Path) -> None:
    """A unit between two groups of a row: its spikes are in the traces of both, and at home in one."""
    import probeinterface
    import spikeinterface as si

    recording, sorting = synthetic_tetrode(3.0)
    twice = np.concatenate([recording.get_traces(), recording.get_traces()[:, ::-1]], axis=1)
    row = si.NumpyRecording([twice], recording.get_sampling_frequency())
    probe = probeinterface.generate_linear_probe(8, ypitch=20.0)
    probe.set_device_channel_indices(np.arange(8))
    row.set_probe(probe)
    view, truth = network_view(row, load_networks(weights, "cpu")), true_spikes(row, sorting, BAND)
    n_groups = len(view.neighbourhoods.groups)
    assert n_groups > 1
    with pytest.raises(DataError, match=f"8 channels, which the networks see in {n_groups} groups"):
        LabelledScenes(view, truth, 1, stage="test")


def test_a_stretch_without_spikes_is_refused(weights: Path, easy_folder: Path) -> None:
    made = read_recording(easy_folder)
    view = network_view(made.recording, load_networks(weights, "cpu"))
    none = np.empty(0, np.int64)
    silent = Truth(none, none, ["0"], np.full(1, np.nan), np.zeros(1, np.int64))
    with pytest.raises(DataError, match="no spike in the labelled stretch"):
        LabelledScenes(view, silent, 1, stage="test")


def test_few_spikes_move_the_scatter_part_of_the_way() -> None:
    torch.manual_seed(1)
    identifier = Identifier(dimensions=3, width=8, layers=1)
    stream = np.random.default_rng(2)
    unit = np.repeat(np.arange(4), 60)
    snippets = stream.normal(size=(240, 4, 32)).astype(np.float32) + unit[:, None, None].astype(np.float32)
    batch = {"snippets": snippets, "unit": unit}

    def scatter() -> torch.Tensor:
        with torch.no_grad():
            return scatter_matrix(identifier(torch.from_numpy(snippets)), torch.from_numpy(unit))

    before, start = scatter(), identifier.scatter.clone()
    settle_on_few(identifier, batch, 10**9)
    assert torch.allclose(scatter(), before, rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        identifier.scatter.copy_(start)
    settle_on_few(identifier, batch, 236)  # as many as there are spikes beyond one per unit
    values = torch.linalg.eigvalsh(before)
    assert torch.allclose(torch.linalg.eigvalsh(scatter()), values / ((values + 1) / 2), rtol=1e-3)
    settle_on_few(identifier, batch, 0)
    assert torch.allclose(scatter(), torch.eye(3), atol=1e-3)
