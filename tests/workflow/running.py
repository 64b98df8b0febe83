"""Run the real Snakefile in a folder of its own and read what it planned or did."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BALL_AND_STICK = ROOT / "tests/configurations/ball_and_stick.yaml"


def command(directory: Path, *arguments: str, configuration: Path = BALL_AND_STICK, workflow: Path = ROOT) -> list[str]:
    """The snakemake command line; results go below ``directory``."""
    fixed = ["--snakefile", workflow / "Snakefile", "--directory", directory, "--configfile", configuration]
    return [sys.executable, "-m", "snakemake", *map(str, fixed), "--workflow-profile", "none", "--nocolor", *arguments]


def environment() -> dict[str, str]:
    """The environment with this interpreter's scripts (nrnivmodl) on the path."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def snakemake(
    directory: Path,
    *arguments: str,
    configuration: Path = BALL_AND_STICK,
    workflow: Path = ROOT,
    succeeds: bool = True,
) -> str:
    """Run snakemake to its end; its output. Fails the test when the exit status is not what ``succeeds`` says."""
    done = subprocess.run(
        command(directory, *arguments, configuration=configuration, workflow=workflow),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert (done.returncode == 0) == succeeds, done.stdout[-6000:]
    return done.stdout


def planned(output: str) -> dict[str, int]:
    """Jobs per rule of a dry run, from its job table; empty when there is nothing to do."""
    table = re.search(r"^Job stats:\njob +count\n[- ]+\n((?:\S+ +\d+\n)+)", output, re.MULTILINE)
    if table is None:
        assert "Nothing to be done" in output, output[-6000:]
        return {}
    rows = (line.split() for line in table[1].splitlines())
    return {rule: int(count) for rule, count in rows if rule != "total"}


def plan(
    directory: Path, *arguments: str, configuration: Path = BALL_AND_STICK, workflow: Path = ROOT
) -> dict[str, int]:
    """Jobs per rule that a run would start now."""
    return planned(snakemake(directory, "--dry-run", *arguments, configuration=configuration, workflow=workflow))


def copied_workflow(folder: Path) -> Path:
    """A copy of the rules and what they stand on, that a test may edit."""
    folder.mkdir()
    shutil.copy(ROOT / "Snakefile", folder)
    for part in ("rules", "scripts", "workflow", "config", "envs"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every artefact below ``directory``/results; logs, timings and compiled code are left out."""
    results = directory / "results"
    files = (path for path in sorted(results.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not {"logs", "benchmarks", "mechanisms", "mechanisms.manifest.json"} & set(path.relative_to(results).parts)
    }
