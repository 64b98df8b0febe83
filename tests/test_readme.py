"""The README's Python runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spikeline.simulation.bank import write_bank_entry
from spikeline.simulation.recordings import read_recording
from spikeline.sorting.scoring import COUNT_COLUMNS, SCORE_COLUMNS
from tests.dynamics.mixtures import three_component_data
from tests.synthetic_bank import synthetic_entry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_own_spike_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"^  ```python\n(.*?)^  ```", README, re.DOTALL | re.MULTILINE)
    for cell in re.findall(r'"(L5_\w+)"', code):
        write_bank_entry(tmp_path / f"results/quick/simulation/currents/{cell}/v000-0.h5", synthetic_entry(cell))
    monkeypatch.chdir(tmp_path)
    exec(re.sub(r"^  ", "", code, flags=re.MULTILINE), {})
    made = read_recording(tmp_path / "mine")
    assert list(made.units["n_spikes"]) == [3, 2]
    assert made.recording.get_total_duration() == 30.0


@pytest.mark.parametrize("page", ["README.md", "docs/molds.md"])
def test_mixtures_of_systems(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"^```python\n([^`]*fit_molds[^`]*)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    _, data = three_component_data(0, 120, 40)
    monkeypatch.chdir(tmp_path)
    known = {"inputs": data.inputs, "outputs": data.outputs, "lengths": data.lengths, "others": data[:20]}
    exec(code, known)
    assert known["fit"].labels.shape == (120,)


def test_named_targets_and_files_exist() -> None:
    rules = "\n".join(path.read_text() for path in sorted((ROOT / "rules").rglob("*.smk")))
    for target in re.findall(r"`snakemake (\w+)`", README):
        assert f"rule {target}:" in rules, target
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize(("table", "columns"), [("scores", SCORE_COLUMNS), ("counts", COUNT_COLUMNS)])
def test_tables_of_the_figures_are_described_as_they_are(table: str, columns: list[str]) -> None:
    [row] = re.findall(rf"^\| `{table}` \| (.*) \|$", (ROOT / "docs/figures.md").read_text(), re.MULTILINE)
    assert re.sub(r" \([^)]*\)", "", row).split(", ") == columns
