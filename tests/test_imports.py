"""What importing costs, and in which direction the rooms import."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ["torch", "lightning", "neuron", "LFPy", "spikeinterface", "MEArec", "snakemake", "beartype"]


def _loaded(code, modules):
    """Which of ``modules`` are loaded after ``code`` ran in an interpreter of its own."""
    check = f"{code}\nimport sys\nprint(*[m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    "module", ["spikeline", "spikeline.errors", "spikeline.log", "spikeline.config", "spikeline.cli"]
)
def test_nothing_heavy_at_all(module):
    assert _loaded(f"import {module}", [*HEAVY, "numpy", "pandas", "h5py", "matplotlib", "jaxtyping"]) == []


@pytest.mark.parametrize("module", ["spikeline.artifacts", "spikeline.simulation", "spikeline.simulation.shards"])
def test_what_the_plan_imports_is_light(module):
    assert _loaded(f"import {module}", [*HEAVY, "pandas", "jaxtyping"]) == []


def test_figures_import_no_simulator():
    assert _loaded("import spikeline.figures", HEAVY) == []


def test_help_is_answered_without_heavy_libraries():
    code = (
        "from click.testing import CliRunner\n"
        "from spikeline.cli import command_line\n"
        "CliRunner().invoke(command_line, ['sort', '--help'])"
    )
    assert _loaded(code, [*HEAVY, "numpy"]) == []


def test_sorting_waits_for_no_training_library():
    assert _loaded("import spikeline.sorting.simsort.networks", ["lightning", "torch"]) == ["torch"]


def test_waiting_for_a_training_in_a_queue_is_light():
    assert _loaded("from spikeline.training.launcher import run_in_queue", HEAVY) == []


def test_loading_a_configuration_is_light():
    """It is loaded each time a job starts."""
    code = f"from spikeline.config import load_run\nload_run({str(ROOT / 'config' / 'quick.yaml')!r})"
    assert _loaded(code, [*HEAVY, "numpy", "pandas", "h5py", "scipy", "numba"]) == []


def test_import_direction():
    """The contracts of pyproject.toml, checked by import-linter."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
