"""Tables for the figures, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.figures.synthetic_tables import (
    write_bank_tables,
    write_detection_tables,
    write_identification_tables,
    write_real_tables,
    write_recording_tables,
    write_score_tables,
)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    folder = tmp_path_factory.mktemp("tables")
    makers = {
        "bank": write_bank_tables,
        "recording": write_recording_tables,
        "scores": write_score_tables,
        "real": write_real_tables,
        "detection": write_detection_tables,
        "identification": write_identification_tables,
    }
    made = {}
    for name, make in makers.items():
        (folder / name).mkdir()
        made[name] = make(folder / name)
    return made
