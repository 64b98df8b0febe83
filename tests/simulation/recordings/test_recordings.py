"""From entries and settings to recordings on disk, with their ground truth."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import spikeinterface
from spikeinterface.core import BaseRecording
from threadpoolctl import threadpool_info, threadpool_limits

from spikeline.artifacts import Provenance, file_checksum, read_manifest
from spikeline.config.recordings import (
    DriftSettings,
    NoiseSettings,
    PlacementSettings,
    ProbeSettings,
    RecordingSettings,
)
from spikeline.errors import ConfigError, DataError, FormatError
from spikeline.simulation.recordings.recording import make_recording, read_recording, write_recording
from spikeline.simulation.recordings.recording_folder import GAIN_UV
from spikeline.simulation.recordings.simulated_recording import recording_blocks, render
from tests.simulation.recordings_fixtures import make_bank, make_entry

BANK = make_bank(4, 2)


def settings(**changes: object) -> RecordingSettings:
    return RecordingSettings(**{"units": 4, "duration_s": 5.0, **changes})


def traces(recording: BaseRecording, start: int | None = None, stop: int | None = None) -> np.ndarray:
    return recording.get_traces(start_frame=start, end_frame=stop)


def silent(**changes: object) -> RecordingSettings:
    return settings(noise=NoiseSettings(level_uv=0.0), **changes)


@pytest.mark.parametrize("drive", ["continuous", "events"])
@pytest.mark.parametrize("rate", [10_000.0, 30_000.0])
def test_truth_fits_the_traces(drive: str, rate: float) -> None:
    made = make_recording(BANK, silent(drive=drive, sampling_rate_hz=rate, units=1), 3, "a")
    signal = traces(made.recording)
    row = made.units.iloc[0]
    spikes = made.sorting.get_unit_spike_train(0)
    assert len(spikes) == row.n_spikes > 3
    inside = spikes[(spikes > 0.003 * rate) & (spikes < len(signal) - 0.005 * rate)]
    snippets = np.stack([signal[s - int(0.002 * rate) : s + int(0.004 * rate), int(row.best_channel)] for s in inside])
    mean = np.median(snippets, axis=0)
    # the fixture's sink peaks at the spike time, and the mean spike is as large as the table says
    assert abs(np.abs(mean - mean[0]).argmax() - int(0.002 * rate)) <= 0.0002 * rate
    np.testing.assert_allclose(np.ptp(mean), row.peak_to_peak_uv, rtol=0.15)


def test_units_are_where_the_settings_want_them() -> None:
    wanted = PlacementSettings(distance_um=(25.0, 45.0), minimum_separation_um=20.0, minimum_amplitude_uv=40.0)
    made = make_recording(BANK, settings(placement=wanted), 1, "a")
    assert made.units["distance_um"].between(25, 45).all()
    assert (made.units["peak_to_peak_uv"] >= 40).all()
    places = made.units[["x_um", "y_um", "z_um"]].to_numpy()
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)[~np.eye(4, dtype=bool)]
    assert distances.min() >= 20
    assert list(made.units.columns[:4]) == ["unit_id", "cell", "variant", "seed"]


def test_no_entry_serves_two_units_of_a_continuous_recording() -> None:
    made = make_recording(BANK, settings(units=8), 1, "a")
    assert len(made.units[["cell", "variant", "seed"]].drop_duplicates()) == 8
    with pytest.raises(DataError, match="8 bank entries for 9 units"):
        make_recording(BANK, settings(units=9), 1, "a")


def test_events_may_use_a_cell_again() -> None:
    made = make_recording(BANK[:2], settings(units=5, drive="events"), 1, "a")
    assert len(made.units) == 5


def test_seeds_change_windows_and_places_order_does_not() -> None:
    one, same, other = (
        make_recording(BANK, settings(), 1, "a"),
        make_recording(BANK[::-1], settings(), 1, "a"),
        make_recording(BANK, settings(), 2, "a"),
    )
    np.testing.assert_array_equal(traces(one.recording, 0, 3000), traces(same.recording, 0, 3000))
    assert not np.array_equal(one.units["x_um"], other.units["x_um"])
    assert [s.first for s in one.recording.plan.sources[:4]] != [s.first for s in other.recording.plan.sources[:4]]


def test_noise_setting_leaves_units_alone() -> None:
    quiet, loud = make_recording(BANK, silent(), 1, "a"), make_recording(BANK, settings(), 1, "a")
    columns = ["cell", "seed", "x_um", "y_um", "z_um", "n_spikes"]
    assert quiet.units[columns].equals(loud.units[columns])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_total_noise_has_the_asked_level(share: float) -> None:
    noise = NoiseSettings(level_uv=12.0, background_share=share, colour="white")
    bank = [make_entry(f"cell_{i}", 0, duration_s=30.0) for i in range(4)]
    loud = make_recording(bank, settings(noise=noise, duration_s=25.0, units=2), 1, "a")
    quiet = make_recording(bank, silent(duration_s=25.0, units=2), 1, "a")
    difference = traces(loud.recording) - traces(quiet.recording)
    # the fixtures' slow currents are few and correlated by chance, hence the wide tolerance where they are all there is
    np.testing.assert_allclose(np.sqrt(difference.var(axis=0).mean()), 12, rtol=0.02 if share == 0 else 0.2)
    assert len(loud.recording.plan.sources) == (2 if share == 0 else 22)


def test_background_holds_no_spike_that_could_be_sorted() -> None:
    def far(**noise: float) -> np.ndarray:
        wanted = NoiseSettings(level_uv=40.0, background_share=1.0, background_units=3, colour="white", **noise)
        sources = make_recording(BANK[:4], settings(noise=wanted, units=2), 1, "a").recording.plan.sources[2:]
        return np.array([np.abs(source.projection).max() for source in sources])

    bounded, unbounded = far(background_peak_uv=5.0), far(background_peak_uv=1000.0)
    assert (bounded < unbounded).all()
    np.testing.assert_allclose(bounded, far(background_peak_uv=10.0) / 2, rtol=1e-5)


def test_rendering_into_an_array_of_another_shape_is_refused() -> None:
    plan = make_recording(BANK, settings(drive="events"), 1, "a").recording.plan
    for wrong in (np.zeros((10, 4), np.float32), np.zeros((plan.n_samples, 4), np.float32, order="F")):
        with pytest.raises(DataError, match="contiguous"):
            render(plan, 1, wrong)


def test_background_comes_from_every_entry_at_hand() -> None:
    noise = NoiseSettings(background_units=8, background_share=0.2)
    made = make_recording(BANK[:4], settings(noise=noise, units=2), 1, "a")
    far = made.recording.plan.sources[2:]
    assert len({source.projection.tobytes() for source in far}) == 8
    assert 0 < made.background_share <= 0.2 + 1e-9


def test_given_trains_are_played_by_the_given_entries_in_order(tmp_path: Path) -> None:
    trains = [np.array([0.5, 1.0, 1.5]), np.array([0.7]), np.array([0.2, 2.0])]
    for entries in (BANK[:3], BANK[2::-1]):
        made = make_recording(entries, settings(drive="events", units=3), 1, "a", spike_trains=trains)
        assert list(zip(made.units["cell"], made.units["seed"], strict=True)) == [(e.cell, e.seed) for e in entries]
        assert list(made.units["n_spikes"]) == [3, 1, 2]


@pytest.mark.parametrize("drive", ["continuous", "events"])
@pytest.mark.parametrize("drift", ["none", "slow_and_jumps"])
def test_lazy_traces_do_not_depend_on_the_chunks(drive: str, drift: str) -> None:
    wanted = settings(
        drive=drive, drift=DriftSettings(kind=drift, period_s=3.0, jump_interval_s=1.0), sampling_rate_hz=24_000.0
    )
    whole = traces(make_recording(BANK, wanted, 1, "a").recording)
    recording = make_recording(BANK, wanted, 1, "a").recording
    assert whole.shape == (120_000, 4) and whole.dtype == np.float32
    for start, stop in [(119_990, 120_000), (0, 1), (32_760, 32_780), (10, 10), (5, 100_000)]:
        np.testing.assert_array_equal(traces(recording, start, stop), whole[start:stop])
    some = recording.get_traces(start_frame=50, end_frame=60, channel_ids=[2, 0])
    np.testing.assert_array_equal(some, whole[50:60][:, [2, 0]])
    for threads in (1, 2):
        np.testing.assert_array_equal(np.concatenate(list(recording_blocks(recording.plan, threads))), whole)
        np.testing.assert_array_equal(render(recording.plan, threads), whole)


def test_workers_of_spikeinterface_get_the_same_traces() -> None:
    recording = make_recording(BANK, settings(duration_s=2.0), 1, "a").recording
    copy = spikeinterface.load(recording.to_dict())
    with threadpool_limits(1):  # as SpikeInterface's workers run
        np.testing.assert_array_equal(traces(copy), traces(recording))
    assert recording.check_serializability("pickle") and not recording.check_serializability("json")


@pytest.mark.parametrize("drive", ["continuous", "events"])
def test_written_recording_reads_back(drive: str, tmp_path: Path) -> None:
    made = make_recording(BANK, settings(drive=drive), 1, "a")
    write_recording(tmp_path / "a", made, provenance=Provenance(seed=1))
    back = read_recording(tmp_path / "a")
    in_uv = back.recording.get_traces(return_in_uV=True)
    assert np.abs(in_uv - traces(made.recording)).max() <= GAIN_UV / 2 + 1e-3
    assert back.recording.get_dtype() == np.int16
    np.testing.assert_array_equal(back.sorting.to_spike_vector(), made.sorting.to_spike_vector())
    np.testing.assert_allclose(back.units.select_dtypes("number"), made.units.select_dtypes("number"), rtol=1e-8)
    np.testing.assert_array_equal(back.contacts_um, made.contacts_um)
    np.testing.assert_array_equal(back.recording.get_channel_locations(), made.probe.contact_positions)
    assert read_manifest(tmp_path / "a")["content"]["spikes"] == made.units["n_spikes"].sum()


def test_spikeinterface_loads_both_parts(tmp_path: Path) -> None:
    write_recording(tmp_path / "a", make_recording(BANK, settings(), 1, "a"))
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    recording = spikeinterface.load(tmp_path / "elsewhere" / "recording")
    sorting = spikeinterface.load(tmp_path / "elsewhere" / "sorting")
    assert recording.get_num_channels() == 4 and recording.has_probe()
    assert sorting.get_num_units() == 4


def test_channels_of_a_shank_are_a_group(tmp_path: Path) -> None:
    made = make_recording(BANK, settings(probe=ProbeSettings(kind="linear", channels=6), duration_s=1.0), 1, "a")
    made.probe.set_shank_ids(["a", "a", "b", "b", "b", "a"])
    made = dataclasses.replace(made, recording=made.recording.clone())
    made.recording.set_probe(made.probe)
    write_recording(tmp_path / "a", made)
    for recording in (read_recording(tmp_path / "a").recording, spikeinterface.load(tmp_path / "a" / "recording")):
        assert recording.get_channel_groups().tolist() == [0, 0, 1, 1, 1, 0]
        assert {group: len(part.channel_ids) for group, part in recording.split_by("group").items()} == {0: 3, 1: 3}


def test_a_recording_written_without_groups_gets_them_when_it_is_read(tmp_path: Path) -> None:
    write_recording(tmp_path / "a", make_recording(BANK, settings(duration_s=1.0), 1, "a"))
    (tmp_path / "a" / "recording" / "properties" / "group.npy").unlink()
    described = tmp_path / "a" / "recording" / "si_folder.json"
    content = json.loads(described.read_text())
    del content["properties"]["group"]
    described.write_text(json.dumps(content))
    assert spikeinterface.load(tmp_path / "a" / "recording").get_channel_groups() is None
    assert read_recording(tmp_path / "a").recording.get_channel_groups().tolist() == [0, 0, 0, 0]


def test_same_bytes_every_time_anywhere_with_any_threads(tmp_path: Path) -> None:
    sums = []
    for folder, threads in [("one", 1), ("two/deeper", 2)]:
        write_recording(tmp_path / folder / "a", make_recording(BANK, settings(), 1, "a"), threads=threads)
        sums.append(file_checksum(tmp_path / folder / "a"))
        for path in (tmp_path / folder / "a").rglob("*"):
            assert path.suffix not in (".pkl", ".pickle")
            assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes()
    assert sums[0] == sums[1]


@pytest.mark.parametrize("kind", ["grid32", "linear"])
def test_other_probes(kind: str, tmp_path: Path) -> None:
    made = make_recording(BANK, settings(probe=ProbeSettings(kind=kind, pitch_um=20.0), duration_s=1.0), 1, "a")
    write_recording(tmp_path / "a", made)
    assert read_recording(tmp_path / "a").recording.get_num_channels() == len(made.contacts_um)


def test_prescribed_trains_become_the_truth() -> None:
    trains = [np.array([0.5, 1.0, 1.25]), np.zeros(0), np.array([4.9999])]
    made = make_recording(BANK, settings(units=3, drive="events"), 1, "a", spike_trains=trains)
    assert made.sorting.get_unit_spike_train(0).tolist() == [5000, 10_000, 12_500]
    assert len(made.sorting.get_unit_spike_train(1)) == 0
    assert made.sorting.get_unit_spike_train(2).tolist() == [49_999]


def test_bad_prescribed_trains() -> None:
    with pytest.raises(DataError, match="continuous"):
        make_recording(BANK, settings(), 1, "a", spike_trains=[np.zeros(0)] * 4)
    with pytest.raises(DataError, match="1 spike trains for 4 units"):
        make_recording(BANK, settings(drive="events"), 1, "a", spike_trains=[np.zeros(0)])
    with pytest.raises(DataError, match="unit 2"):
        make_recording(
            BANK,
            settings(drive="events"),
            1,
            "a",
            spike_trains=[np.zeros(0), np.zeros(0), np.array([7.0]), np.zeros(0)],
        )


def test_cells_of_the_other_split_are_refused() -> None:
    with pytest.raises(DataError, match="cell_d for a recording of the test split"):
        make_recording(BANK, settings(), 1, "a", allowed_cells=["cell_a", "cell_b", "cell_c"])
    with pytest.raises(DataError, match="cell_d"):
        make_recording(BANK[:6], settings(), 1, "a", background=BANK[6:], allowed_cells=["cell_a", "cell_b", "cell_c"])


def test_bad_banks() -> None:
    with pytest.raises(DataError, match="no bank entries"):
        make_recording([], settings(), 1, "a")
    with pytest.raises(DataError, match="given twice"):
        make_recording([*BANK, BANK[0]], settings(), 1, "a")
    with pytest.raises(DataError, match="one sampling rate"):
        make_recording([*BANK, make_entry("cell_z", sampling_rate_hz=20_000.0)], settings(), 1, "a")
    with pytest.raises(DataError, match=r"bank\.duration_s"):
        make_recording(BANK, settings(duration_s=9.0), 1, "a")
    with pytest.raises(ConfigError, match=r"probe\.channels"):
        make_recording(BANK, settings(probe=ProbeSettings(channels=3)), 1, "a")


def test_silent_and_weak_entries_are_passed_over() -> None:
    mute = dataclasses.replace(make_entry("cell_x"), spike_samples=np.zeros(0, np.int64))
    weak = make_entry("cell_y", amplitude_na=0.05)
    made = make_recording([mute, weak], settings(units=2), 1, "a", background=BANK)
    assert set(made.units["cell"]) <= {"cell_a", "cell_b", "cell_c", "cell_d"}
    with pytest.raises(DataError, match="only 0 of 1") as caught:
        make_recording([mute, weak], settings(units=1), 1, "a")
    assert "cell_x/v000-0 is silent" in str(caught.value) and "cell_y/v000-0 reaches" in str(caught.value)


def test_a_sample_beyond_the_range_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    made = make_recording([make_entry(f"cell_{i}", amplitude_na=50_000.0) for i in range(2)], settings(units=2), 1, "a")
    with pytest.raises(DataError, match=r"range of the written samples"):
        write_recording(tmp_path / "a", made)
    assert list(tmp_path.iterdir()) == []


def test_damaged_recordings_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with pytest.raises(FormatError, match="no manifest"):
        read_recording(folder)
    write_recording(folder, make_recording(BANK, settings(duration_s=1.0), 1, "a"))
    raw = folder / "recording" / "traces_cached_seg0.raw"
    whole = raw.read_bytes()
    raw.write_bytes(whole[:-2])
    with pytest.raises(FormatError, match="79998 bytes"):
        read_recording(folder)
    raw.unlink()
    with pytest.raises(FormatError, match="missing"):
        read_recording(folder)
    raw.write_bytes(whole)
    (folder / "units.csv").write_text("")
    with pytest.raises(FormatError, match="cannot be read"):
        read_recording(folder)
    (folder / "units.csv").write_text("unit_id\n0\n")
    with pytest.raises(FormatError, match="1 units"):
        read_recording(folder)
    np.save(folder / "sorting" / "properties" / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(FormatError, match="pickle"):
        read_recording(folder)
    manifest = tmp_path / "a.manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": "other"}))
    with pytest.raises(FormatError, match="schema"):
        read_recording(folder)


def test_blas_threads_are_given_back() -> None:
    before = [pool["num_threads"] for pool in threadpool_info()]
    with ThreadPoolExecutor(4) as pool:
        recording = make_recording(BANK, settings(duration_s=2.0), 1, "a").recording
        list(pool.map(lambda k: traces(recording, k * 1000, (k + 1) * 1000), range(20)))
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_clipping_limit_is_far_from_real_spikes() -> None:
    assert np.iinfo(np.int16).max * GAIN_UV > 6000


def test_making_recordings_does_not_import_torch() -> None:
    code = "import sys, spikeline.simulation.recordings; assert not {'torch', 'neuron'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
