"""Work in processes of their own."""

from __future__ import annotations

import sys

import pytest

from spikeline.child import run_child
from spikeline.errors import DataError

ANSWERS = """
import json, os, sys
job = json.load(open(sys.argv[1]))
json.dump({"seconds": 2 * job["value"], "threads": os.environ["OMP_NUM_THREADS"]}, open(sys.argv[2], "w"))
"""


def test_a_program_gets_its_job_and_its_threads(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(ANSWERS)
    assert run_child([sys.executable, str(program)], {"value": 3}, threads=2) == {"seconds": 6, "threads": "2"}


def test_a_failing_program_is_named_with_its_last_words():
    with pytest.raises(DataError, match="exit status 1") as caught:
        run_child([sys.executable, "-c", "raise ValueError('no such cell')"], {})
    assert "no such cell" in str(caught.value)


def test_a_missing_interpreter_is_named():
    with pytest.raises(DataError, match="cannot be started"):
        run_child(["no/such/python", "program.py"], {})


def test_a_program_that_takes_too_long_is_ended():
    with pytest.raises(DataError, match="did not end within 1 s"):
        run_child([sys.executable, "-c", "import time; time.sleep(60)"], {}, limit_s=1)
