"""The files written from the models are in step with them, and the tiers are valid."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from spikeline.config import load_run
from spikeline.config.__main__ import main
from spikeline.config.commented import commented_yaml
from spikeline.config.committed import check_committed, committed_files, write_committed
from spikeline.config.keys import all_keys
from spikeline.config.run import RunSettings
from spikeline.config.schema import run_schema
from spikeline.errors import ConfigError

ROOT = Path(__file__).parents[2]
TIERS = ("quick", "standard", "paper")


def test_committed_files_are_in_step():
    check_committed(ROOT)


def test_drift_is_found_and_mended(tmp_path, capsys):
    (tmp_path / "config").mkdir()
    with pytest.raises(ConfigError, match=r"config\.schema\.json"):
        check_committed(tmp_path)
    assert sorted(write_committed(tmp_path)) == sorted(committed_files())
    check_committed(tmp_path)
    assert write_committed(tmp_path) == []
    reference = tmp_path / "config" / "reference.yaml"
    reference.write_text(reference.read_text().replace("seed: 42", "seed: 43"))
    assert main(["--check", "--root", str(tmp_path)]) == 2
    assert "config/reference.yaml" in capsys.readouterr().err
    assert main(["--write", "--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0
    with pytest.raises(ConfigError, match="no folder config"):
        check_committed(tmp_path / "config")


def test_reference_has_every_key_with_its_default():
    settings = yaml.safe_load(commented_yaml())
    for path, key in all_keys(RunSettings):
        block = settings
        for part in path:
            block = block["example" if part == "NAME" else part]
        if key.block is None and not key.required:
            assert block == key.default, path
    text = commented_yaml()
    assert text.count("[required") == sum(key.required for _, key in all_keys(RunSettings))
    assert max(map(len, text.splitlines())) <= 120


def test_reference_is_a_valid_configuration(tmp_path):
    path = tmp_path / "reference.yaml"
    path.write_text(commented_yaml())
    assert load_run(path).recordings["example"].units == 5


def test_every_key_says_what_it_is_for():
    for path, key in all_keys(RunSettings):
        assert len(key.description) >= 5, path
        assert key.expected != "any value" or key.block is not None, path


@pytest.mark.parametrize("name", [*TIERS, "reference"])
def test_configurations_satisfy_the_schema(name):
    validator = jsonschema.Draft202012Validator(run_schema())
    validator.check_schema(run_schema())
    validator.validate(yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))


def test_the_schema_refuses_what_the_models_refuse():
    validator = jsonschema.Draft202012Validator(run_schema())
    sound = yaml.safe_load((ROOT / "config" / "quick.yaml").read_text())
    for change in ({"zzz": 1}, {"seed": -1}, {"seed": "1"}, {"simulation": {}}, {"run": "a/b"}):
        assert not validator.is_valid(sound | change)


def test_the_schema_names_units():
    bank = run_schema()["$defs"]["BankSettings"]["properties"]["duration_s"]
    assert bank["unit"] == "s"
    assert bank["description"].endswith("Unit: s.")
    json.dumps(run_schema(), allow_nan=False)


@pytest.mark.parametrize("name", TIERS)
def test_tiers(name):
    path = ROOT / "config" / f"{name}.yaml"
    settings = load_run(path)
    assert settings.run == name
    assert path.read_text().startswith("# yaml-language-server: $schema=../workflow/schemas/config.schema.json\n")
    cells = settings.simulation.cells
    assert cells.expected_count == len(cells.names) == 13
    for side in (cells.train, cells.test):  # pyramidal cells and interneurons on both sides
        pyramidal = [cell for cell in side if "cADpyr" in cell]
        assert 0 < len(pyramidal) < len(side)


def test_tiers_split_the_cells_in_the_same_way():
    cells = [load_run(ROOT / "config" / f"{tier}.yaml").simulation.cells for tier in TIERS]
    assert len({(tuple(c.train), tuple(c.test)) for c in cells}) == 1


def test_the_paper_tier_is_large():
    simulation = load_run(ROOT / "config" / "paper.yaml").simulation
    assert len(simulation.cells.names) * simulation.cells.variants.count * simulation.bank.seeds > 10_000
