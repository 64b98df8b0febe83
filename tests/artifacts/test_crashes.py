"""A writer killed at any step leaves the old artefact, the new one or none; the rerun equals an uninterrupted run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("crash_points.py")


@pytest.mark.parametrize("kind", ["txt", "folder", "h5", "json", "csv", "safetensors"])
def test_sigkill_at_every_step(kind, tmp_path):
    # One process that forks: threads of numerical libraries would not survive that, so they get none.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), kind, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout)["kills"]
    assert len(kills) >= 20
    states = {(kill["over_old"], kill["state"]) for kill in kills}
    # Kills before the rename and after it were both met, so the steps counted are the ones that matter.
    assert {(False, "none"), (False, "new"), (True, "old"), (True, "new")} <= states
    assert [kill for kill in kills if kill["state"] == "partial"] == []
    assert [kill for kill in kills if not kill["manifest_matches"]] == []
    assert [kill for kill in kills if not kill["rerun_identical"]] == []
    if kind != "folder":  # a file is replaced in one step, so an older one never goes before the new one is there
        assert (True, "none") not in states
