"""Every figure has a caption that renders, in every tier, and says so when the tier is small."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

jinja2 = pytest.importorskip("jinja2")
core = pytest.importorskip("docutils.core")

CAPTIONS = Path(__file__).parents[2] / "workflow" / "report"
FIGURES = sorted(path.stem for path in (Path(__file__).parents[2] / "package" / "spikeline" / "figures").glob("*.py"))
DRAWN = [name for name in FIGURES if name in {path.stem for path in CAPTIONS.glob("*.rst")}]


def rendered(name: str, tier: str) -> str:
    job = SimpleNamespace(
        params={
            "tier": tier,
            "tolerance_uv": 0.5,
            "tolerance_percent": 0.25,
            "snr_edges": [0.0, 3.0],
            "clusterings": True,
            "experiments": {"mine": {"seeds": 4, "random_starts": 3, "held_out": 10}},
            "simulated": True,
            "published": None,
        },
        wildcards=SimpleNamespace(
            recording="tetrode_static", dataset="locust", data="tetrode_static", session="simulated_area2"
        ),
        config={"run": tier, "simulation": {"cells": {"train": ["a"], "test": ["b", "c"]}}},
    )
    text = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        (CAPTIONS / f"{name}.rst").read_text()
    )
    return core.publish_parts(
        text.render(snakemake=job), writer="html", settings_overrides={"halt_level": 2, "report_level": 2}
    )["body"]


def test_every_figure_has_a_caption() -> None:
    assert set(DRAWN) == {
        "ablations", "accuracy", "bank_rank", "cells", "detection", "detection_excerpt", "embedding", "fine_tuning",
        "held_out_classes", "identification", "molds_clusters", "molds_complex", "molds_prediction",
        "molds_sample_size", "molds_selection", "molds_smd_rtpm", "molds_stability", "real_recording",
        "recording_excerpt", "sorting_table", "traces", "training_data",
    }  # fmt: skip


@pytest.mark.parametrize("name", [*DRAWN, "workflow"])
def test_the_caption_renders_and_marks_the_quick_tier(name) -> None:
    quick, standard = rendered(name, "quick"), rendered(name, "standard")
    assert "uick tier" in quick and "uick tier" not in standard
    assert "{{" not in quick and "{%" not in quick
