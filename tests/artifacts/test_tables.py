"""JSON and CSV artefacts."""

import json

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import read_csv, read_json, read_manifest, write_csv, write_json
from spikeline.errors import FormatError


def test_json_round_trip_of_numpy_values(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"b": np.float32(0.5), "a": np.arange(3), "c": np.bool_(True), "µ": "µ"})
    assert read_json(path) == {"a": [0, 1, 2], "b": 0.5, "c": True, "µ": "µ"}
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
    assert read_manifest(path)["bytes"] == path.stat().st_size


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan"), np.array([1.0, np.inf])])
def test_json_refuses_what_is_not_finite(tmp_path, value):
    with pytest.raises(FormatError, match=r"a\.json") as caught:
        write_json(tmp_path / "a.json", {"deep": [value]})
    assert "null" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_json_refuses_objects(tmp_path):
    with pytest.raises(FormatError, match="object"):
        write_json(tmp_path / "a.json", {"a": object()})


def test_json_damaged_or_missing(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(FormatError, match="does not exist"):
        read_json(path)
    for content in (b'{"a": 1', b"\xff\xfe", b""):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="is not JSON"):
            read_json(path)


def test_csv_round_trip(tmp_path):
    path = tmp_path / "a.csv"
    table = pd.DataFrame({"unit": ["a,b", 'c"d', "e\nf"], "snr": [1.0, np.nan, 1 / 3], "spikes": [1, 2, 3]})
    write_csv(path, table)
    pd.testing.assert_frame_equal(read_csv(path), table, rtol=1e-8)
    assert b"\r" not in path.read_bytes()
    assert read_manifest(path)["content"] == {"columns": ["unit", "snr", "spikes"], "rows": 3}
    write_csv(path, table[["snr"]].iloc[1:2])  # one empty cell makes an empty line
    write_csv(path, table.iloc[:0])
    assert len(read_csv(path)) == 0


def test_csv_missing_or_empty(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_csv(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(FormatError, match="is empty"):
        read_csv(tmp_path / "a.csv")


def test_json_text_is_the_same_every_time(tmp_path):
    write_json(tmp_path / "a.json", {"x": 0.1, "y": {"b": 1, "a": 2}})
    write_json(tmp_path / "b.json", {"y": {"a": 2, "b": 1}, "x": 0.1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json.manifest.json").read_text())["schema"] == "json"
