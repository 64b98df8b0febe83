"""The check that our placement is LFPy's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spikeline.artifacts import read_json
from spikeline.simulation import placement_check
from spikeline.simulation.bank import write_bank_entry
from spikeline.simulation.placement_check import placement_error, write_placement_check
from tests.synthetic_bank import synthetic_entry


def test_placement_is_that_of_lfpy() -> None:
    assert placement_error(synthetic_entry(), 3, placements=3) < 1e-9


def test_a_wrong_kernel_is_seen(monkeypatch) -> None:
    right = placement_check.line_source_matrix
    monkeypatch.setattr(placement_check, "line_source_matrix", lambda *arguments: right(*arguments) * 1.001)
    np.testing.assert_allclose(placement_error(synthetic_entry(), 3, placements=3), 1e-3, rtol=1e-2)


def test_the_worst_entry_is_written(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.h5" for name in "ab"]
    for path in paths:
        write_bank_entry(path, replace(synthetic_entry(), cell=path.stem))
    write_placement_check(tmp_path / "check.json", paths, 3)
    worst = max(placement_error(replace(synthetic_entry(), cell=name), 3) for name in "ab")
    assert read_json(tmp_path / "check.json") == {"simulation": {"placement": {"relative_error": worst}}}
