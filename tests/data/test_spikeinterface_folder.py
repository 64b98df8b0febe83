"""Recordings that SpikeInterface saved: read as they are, and never unpickled."""

import json
import pickle
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from probeinterface import generate_tetrode
from spikeinterface.core import NumpyRecording

from spikeline.artifacts import file_checksum
from spikeline.data import DatasetEntry, read_dataset_table, resolve_dataset
from spikeline.data.datasets import datasets_at_hand
from spikeline.data.readers import read_dataset_recording
from spikeline.data.spikeinterface_folder import read_spikeinterface_folder
from spikeline.errors import DataError, FormatError

FORMS = {"binary": "mine", "zarr": "mine.zarr"}
RATE_HZ = 20_000.0


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def _traces() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 10, (30_000, 4)).astype(np.float32)


def _save(folder: Path, form: str = "binary") -> Path:
    recording = NumpyRecording([_traces()], RATE_HZ)
    tetrode = generate_tetrode()
    tetrode.set_device_channel_indices(range(4))
    recording.set_probe(tetrode)
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets(0.0)
    with warnings.catch_warnings():
        # SpikeInterface notes that a recording in memory leaves no provenance
        warnings.filterwarnings("ignore", message="The extractor is not serializable to file")
        warnings.simplefilter("ignore", ResourceWarning)  # and leaves its files for the collector
        recording.save(folder=folder, format=form, n_jobs=1, progress_bar=False, verbose=False)
    return folder


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("saved")
    return {form: _save(root / name, form) for form, name in FORMS.items()}


def _entry(folder: Path, **changes: object) -> DatasetEntry:
    values = {
        "title": "mine", "path": folder.name, "reader": "spikeinterface", "source": "a test", "version": "1",
        "sha256": file_checksum(folder) if folder.exists() else "0" * 64, "licence": "mine",
    }  # fmt: skip
    return DatasetEntry.parse(values | changes)


@pytest.mark.parametrize("form", FORMS)
def test_reads_what_was_saved(saved: dict[str, Path], form: str) -> None:
    recording = read_spikeinterface_folder(saved[form])
    np.testing.assert_array_equal(recording.get_traces(), _traces())
    np.testing.assert_array_equal(recording.get_traces(return_in_uV=True), 0.5 * _traces())
    assert recording.get_sampling_frequency() == RATE_HZ
    assert recording.has_probe()
    assert recording.check_serializability("json")  # a sorter's folder refers to it by JSON


@pytest.mark.parametrize("form", FORMS)
def test_as_a_data_set(saved: dict[str, Path], form: str) -> None:
    folder = saved[form]
    table = {"mine": _entry(folder, channels=4, sampling_rate_hz=RATE_HZ)}
    assert list(datasets_at_hand(["mine"], folder.parent, table)) == ["mine"]
    assert resolve_dataset("mine", folder.parent, table) == folder
    assert read_dataset_recording("mine", folder.parent, table).get_num_channels() == 4
    for wrong in ({"channels": 32}, {"sampling_rate_hz": 30_000.0}):
        with pytest.raises(FormatError, match=r"as config/datasets\.yaml says"):
            read_dataset_recording("mine", folder.parent, {"mine": _entry(folder, **wrong)})
    with pytest.raises(DataError, match="has SHA-256"):
        resolve_dataset("mine", folder.parent, {"mine": _entry(folder, sha256="0" * 64)})


def test_the_example_of_the_committed_table(saved: dict[str, Path], tmp_path: Path) -> None:
    committed = (Path(__file__).parents[2] / "config" / "datasets.yaml").read_text()
    [example] = re.findall(r"^# (my_recording:\n(?:#   .*\n)+)", committed, re.MULTILINE)
    text = re.sub(r"^# ", "", example, flags=re.MULTILINE)
    folder = tmp_path / "my_lab" / "my_recording"
    shutil.copytree(saved["binary"], folder)
    (tmp_path / "datasets.yaml").write_text(re.sub("sha256: .*", f"sha256: {file_checksum(folder)}", text))
    table = read_dataset_table(tmp_path / "datasets.yaml")
    assert read_dataset_recording("my_recording", tmp_path, table).get_num_channels() == 4


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is not a folder"):
        read_spikeinterface_folder(tmp_path / "none")
    table = {"mine": _entry(tmp_path / "none")}
    with pytest.raises(DataError, match="does not exist"):
        datasets_at_hand(["mine"], tmp_path, table)
    (tmp_path / "none").touch()
    with pytest.raises(DataError, match="is not a folder"):
        datasets_at_hand(["mine"], tmp_path, table)


def test_folders_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"neither binary\.json nor zarr"):
        read_spikeinterface_folder(tmp_path)
    # A JSON file may name any class; spikeinterface.load would make one of it.
    (tmp_path / "si_folder.json").write_text(json.dumps({"class": "subprocess.Popen", "kwargs": {"args": ["true"]}}))
    with pytest.raises(FormatError, match=r"neither binary\.json nor zarr"):
        read_spikeinterface_folder(tmp_path)


def test_a_folder_described_by_a_pickle_only_is_refused(tmp_path: Path) -> None:
    folder, bomb = tmp_path / "pickled", tmp_path / "exploded"
    folder.mkdir()
    (folder / "cached.pkl").write_bytes(pickle.dumps(Bomb(bomb)))
    with pytest.raises(FormatError, match=r"by a pickle only \(cached\.pkl\)"):
        read_spikeinterface_folder(folder)
    assert not bomb.exists()


def test_a_pickle_beside_a_description_is_never_read(saved: dict[str, Path], tmp_path: Path) -> None:
    """Older versions of SpikeInterface leave the history of a recording in provenance.pkl."""
    folder, bomb = tmp_path / "mine", tmp_path / "exploded"
    shutil.copytree(saved["binary"], folder)
    for name in ("provenance.pkl", "cached.pkl"):
        (folder / name).write_bytes(pickle.dumps(Bomb(bomb)))
    assert read_spikeinterface_folder(folder).get_num_channels() == 4
    assert not bomb.exists()


def test_pickled_properties_are_refused(saved: dict[str, Path], tmp_path: Path) -> None:
    folder, bomb = tmp_path / "mine", tmp_path / "exploded"
    shutil.copytree(saved["binary"], folder)
    np.save(folder / "properties" / "bad.npy", np.array([Bomb(bomb)] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match=r"bad\.npy would be unpickled"):
        read_spikeinterface_folder(folder)
    assert not bomb.exists()


@pytest.mark.parametrize("header", [".zarray", ".zmetadata"])
def test_pickled_zarr_arrays_are_refused(saved: dict[str, Path], tmp_path: Path, header: str) -> None:
    folder = tmp_path / "mine.zarr"
    shutil.copytree(saved["zarr"], folder)
    array = folder / "channel_ids" / ".zarray"
    fields = json.loads(array.read_text()) | {"filters": [{"id": "pickle", "protocol": 5}], "dtype": "|O"}
    if header == ".zarray":
        array.write_text(json.dumps(fields))
    else:
        (folder / header).write_text(json.dumps({"metadata": {"channel_ids/.zarray": fields}}))
    with pytest.raises(FormatError, match="pickled objects"):
        read_spikeinterface_folder(folder)


def test_samples_must_lie_in_the_folder(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(saved["binary"], folder)
    description = json.loads((folder / "binary.json").read_text())
    shutil.copy(folder / "traces_cached_seg0.raw", tmp_path / "elsewhere.raw")
    for path, message in (("../elsewhere.raw", "leads out of its folder"), ("gone.raw", "is missing")):
        description["kwargs"]["file_paths"] = [path]
        (folder / "binary.json").write_text(json.dumps(description))
        with pytest.raises(FormatError, match=message):
            read_spikeinterface_folder(folder)
    for text, message in (("{", "is not JSON"), ("{}", "names no files")):
        (folder / "binary.json").write_text(text)
        with pytest.raises(FormatError, match=message):
            read_spikeinterface_folder(folder)


def test_damaged_zarr(saved: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "mine.zarr"
    shutil.copytree(saved["zarr"], folder)
    shutil.rmtree(folder / "channel_ids")
    with pytest.raises(FormatError, match="cannot be read"):
        read_spikeinterface_folder(folder)
