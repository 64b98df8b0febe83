import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from spikeline.data import DatasetEntry, read_dataset_table, resolve_dataset
from spikeline.data.datasets import datasets_at_hand, has_ground_truth
from spikeline.data.layouts import LAYOUTS, READERS, RECORDING_READERS, SESSION_READERS
from spikeline.data.readers import (
    RECORDINGS,
    SESSIONS,
    TRUTHS,
    read_comparison_sorting,
    read_dataset_recording,
    read_ground_truth,
    read_plain_npz,
    tetrode_recording,
)
from spikeline.errors import ConfigError, DataError, FormatError

COMMITTED = Path(__file__).parents[2] / "config" / "datasets.yaml"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data"
    (folder / "sorting").mkdir(parents=True)
    samples = np.random.default_rng(0).integers(2000, 2100, (3000, 4)).astype(np.int16)
    np.savez(folder / "sorting" / "small.npz", data=samples, fs=np.float64(15_000))
    return folder


def _entry(root, path="sorting/small.npz", **changes):
    file = root / path
    checksum = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "0" * 64
    values = {
        "title": "small", "path": path, "reader": "tetrode_npz", "source": "a test", "version": "1", "sha256": checksum,
        "licence": "MIT",        "sampling_rate_hz": 15_000.0, "unit": "adc", "contact_distance_um": 50.0,
    }  # fmt: skip
    return DatasetEntry.parse(values | changes)


def test_committed_table():
    table = read_dataset_table(COMMITTED)
    assert {"locust_trial_01", "linear_track", "digit69", "mnist_test_images", "chewie_2013_10_03"} <= set(table)
    assert len({entry.path for entry in table.values()}) == len(table)
    # every layout has an entry or, where its data are not at hand and have no checksum, an example in a comment
    examples = set(re.findall("^#   reader: (.*)$", COMMITTED.read_text(), re.MULTILINE))
    assert examples == {"spikeinterface", "spikeforest_mda", "ibl", "hc1", "area2_bump_nwb", "pmd1_mat"}
    assert {entry.reader for entry in table.values()} == set(READERS) - examples


def test_examples_in_comments_are_entries(tmp_path):
    lines = re.findall(r"^# (\w+:|  \w+: .*)$", COMMITTED.read_text(), re.MULTILINE)
    text = re.sub("sha256: .*", f"sha256: '{'0' * 64}'", "\n".join(lines))
    (tmp_path / "datasets.yaml").write_text(text)
    shutil.copy(COMMITTED.parent / "scored_units.yaml", tmp_path)
    table = read_dataset_table(tmp_path / "datasets.yaml")
    assert {entry.reader for entry in table.values()} == {
        "spikeinterface", "spikeforest_mda", "ibl", "hc1", "area2_bump_nwb", "pmd1_mat",
    }  # fmt: skip
    for name, entry in table.items():
        assert all(getattr(entry, key) is not None for key in LAYOUTS[entry.reader].needs), name
    assert len(next(entry for entry in table.values() if entry.scored_units).scored_units) == 11


def test_every_layout_is_read_by_what_it_holds():
    assert set(RECORDINGS) == set(RECORDING_READERS)
    assert set(SESSIONS) == set(SESSION_READERS)
    assert set(TRUTHS) == {name for name, layout in LAYOUTS.items() if layout.truth}
    assert all(set(layout.needs) <= set(DatasetEntry.model_fields) for layout in LAYOUTS.values())


def test_scored_units_by_name(tmp_path):
    text = COMMITTED.read_text().replace("  truth_complete: true\n", "  scored_units: some/units\n", 1)
    (tmp_path / "datasets.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"scored_units\.yaml"):
        read_dataset_table(tmp_path / "datasets.yaml")
    (tmp_path / "scored_units.yaml").write_text("other/units: [1]\nsome/unit: [1, 2]\n")
    with pytest.raises(ConfigError, match="did you mean some/unit"):
        read_dataset_table(tmp_path / "datasets.yaml")
    (tmp_path / "scored_units.yaml").write_text("some/units: [1, 3]\n")
    assert read_dataset_table(tmp_path / "datasets.yaml")["quiroga_easy1_noise01_short"].scored_units == [1, 3]


def test_what_jobs_depend_on(root):
    entry = _entry(root)
    assert entry.recording_keys() == _entry(root, title="another", note="x", scored_units=[1]).recording_keys()
    assert entry.recording_keys() != _entry(root, sha256="0" * 64).recording_keys()
    assert entry.truth_keys() != _entry(root, scored_units=[1]).truth_keys()


def test_no_truth(root):
    table = {"small": _entry(root)}
    assert read_ground_truth("small", root, table) is None
    assert read_comparison_sorting("small", root, table) is None
    assert not has_ground_truth("small", root, table)


def test_reads_a_tetrode_in_its_own_unit(root):
    recording = read_dataset_recording("small", root, {"small": _entry(root)})
    assert recording.get_num_channels() == 4
    assert recording.get_sampling_frequency() == 15_000
    assert recording.get_annotation("unit") == "adc"
    assert not recording.has_scaleable_traces()  # nobody can mistake ADC steps for microvolts
    distances = np.linalg.norm(np.diff(recording.get_channel_locations()[:2], axis=0))
    assert distances == 50.0


def test_microvolts_get_a_gain():
    recording = tetrode_recording(np.ones((10, 4), np.float32), 1000.0, 20.0, "uV")
    np.testing.assert_array_equal(recording.get_traces(return_in_uV=True), 1.0)


def test_unknown_name_gets_the_nearest(root):
    with pytest.raises(DataError, match="did you mean 'small'"):
        resolve_dataset("smal", root, {"small": _entry(root)})


def test_missing_root_and_file(root):
    table = {"small": _entry(root)}
    with pytest.raises(DataError, match="is not a folder"):
        resolve_dataset("small", root / "nowhere", table)
    (root / "sorting" / "small.npz").unlink()
    with pytest.raises(DataError, match="does not exist"):
        resolve_dataset("small", root, table)


def test_other_bytes(root):
    table = {"small": _entry(root)}
    with (root / "sorting" / "small.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match="has SHA-256"):
        resolve_dataset("small", root, table)


@pytest.mark.parametrize(
    "path", ["../small.npz", "/etc/passwd", "sorting/../../x.npz", "~/x.npz", "C:/x.npz", "a\\..\\x.npz"]
)
def test_paths_out_of_the_root_are_refused(tmp_path, path):
    text = COMMITTED.read_text().replace("sorting/locust_trial_01.npz", path, 1)
    (tmp_path / "datasets.yaml").write_text(text)
    with pytest.raises(ConfigError, match="not a path below data_root"):
        read_dataset_table(tmp_path / "datasets.yaml")


def test_links_out_of_the_root_are_refused(root, tmp_path):
    table = {"small": _entry(root)}
    outside = tmp_path / "outside.npz"
    (root / "sorting" / "small.npz").rename(outside)
    (root / "sorting" / "small.npz").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of data_root"):
        resolve_dataset("small", root, table)
    # An entry changed after it was checked meets the same wall.
    with pytest.raises(DataError, match="leads out of data_root"):
        resolve_dataset("small", root, {"small": table["small"].model_copy(update={"path": "../outside.npz"})})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  licence: MIT\n", "  license: MIT\n", "the nearest is licence"),
        ("reader: tetrode_npz", "reader: tetrode", "Input should be"),
        ("  sha256: 75d5", "  sha256: 75", "should match pattern"),
        ("sampling_rate_hz: 15000.0", "sampling_rate_hz: 15 kHz", "valid number"),
        ("digit69:\n", "digit 69:\n", "a name becomes part of a path"),
    ],
)
def test_wrong_entries(tmp_path, old, new, message):
    text = COMMITTED.read_text()
    assert old in text
    (tmp_path / "datasets.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        read_dataset_table(tmp_path / "datasets.yaml")


def test_pickles_and_other_files_are_refused(root):
    path = root / "sorting" / "bad.npz"
    np.savez(path, data=np.array([{"a": 1}], dtype=object), fs=1.0)
    with pytest.raises(FormatError, match="plain arrays"):
        read_plain_npz(path, ("data", "fs"))
    path.write_bytes(b"not a zip file")
    with pytest.raises(FormatError, match="plain arrays"):
        read_plain_npz(path, ("data",))
    with pytest.raises(FormatError, match="no array fs"):
        np.savez(path, data=np.zeros(3))
        read_plain_npz(path, ("data", "fs"))
    with pytest.raises(FormatError, match="does not exist"):
        read_plain_npz(root / "none.npz", ("data",))


def test_entries_that_are_not_recordings_or_not_as_described(root):
    with pytest.raises(DataError, match="layout idx"):
        read_dataset_recording("small", root, {"small": _entry(root, reader="idx")})
    with pytest.raises(DataError, match="lacks"):
        read_dataset_recording("small", root, {"small": _entry(root, contact_distance_um=None)})
    with pytest.raises(FormatError, match="sampling_rate_hz 15000"):
        read_dataset_recording("small", root, {"small": _entry(root, sampling_rate_hz=30_000.0)})
    with pytest.raises(DataError, match=r"\(10, 3\)"):
        tetrode_recording(np.zeros((10, 3)), 1000.0, 20.0, "adc")


def test_only_recordings_are_planned(root):
    table = {"small": _entry(root), "snippets": _entry(root, reader="quiroga_snippets_npz")}
    assert list(datasets_at_hand(["small"], root, table)) == ["small"]
    with pytest.raises(DataError, match=r"quiroga_snippets_npz.*\n.*spikeinterface, tetrode_npz, .*: small"):
        datasets_at_hand(["small", "snippets"], root, table)
    assert list(datasets_at_hand(["snippets"], root, table, readers=["quiroga_snippets_npz"])) == ["snippets"]


def test_importing_the_table_imports_no_heavy_library():
    import subprocess
    import sys

    code = "import sys, spikeline.data.readers; print(sorted({'torch', 'spikeinterface', 'neuron'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
