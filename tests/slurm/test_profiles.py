"""The shipped profiles, as far as they can be checked without a cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.slurm.cluster import ROOT

PROFILES = sorted((ROOT / "workflow/profiles").glob("*/profile.yaml"))
SITE = ROOT / "workflow/profiles/slurm/profile.yaml"
MOST_JOBS = 50_000  # well above the paper tier


def with_arrays_on() -> dict:
    """The site's profile after its own instructions for arrays were followed."""
    lines = SITE.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("# To turn arrays on")) + 1
    block = [line.removeprefix("# ") for line in lines[start : start + 4]]
    return yaml.safe_load(SITE.read_text()) | yaml.safe_load("\n".join(block))


def check_arrays(profile: dict) -> None:
    """Arrays lose jobs unless everything ready is handed over at once, in pieces that fit one argument."""
    if "slurm-array-jobs" not in profile:
        return
    number, seconds = re.fullmatch(r"(\d+)/(\d+)s", profile["max-jobs-per-timespan"]).groups()
    assert profile["jobs"] >= MOST_JOBS and int(number) >= MOST_JOBS and int(seconds) == 1
    assert 2 <= profile["slurm-array-limit"] <= 50


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: file.parent.name)
def test_profile_is_safe(file: Path):
    profile = yaml.safe_load(file.read_text())
    check_arrays(profile)
    assert profile["rerun-incomplete"] and profile["show-failed-logs"]
    if profile.get("executor") == "slurm":
        assert profile["default-resources"]["mem_mb"] >= 500
        assert profile["slurm-status-command"] in ("sacct", "squeue")


def test_the_commented_array_block_is_safe_too():
    profile = with_arrays_on()
    assert profile["slurm-array-jobs"] == "rheobase,currents"
    check_arrays(profile)


def test_every_default_profile_key_is_local():
    profile = yaml.safe_load((ROOT / "workflow/profiles/default/profile.yaml").read_text())
    assert not [key for key in profile if key.startswith("slurm") or key in ("executor", "jobs", "default-resources")]
