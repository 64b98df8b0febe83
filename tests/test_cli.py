"""The command line: exit codes, messages, help, and every step of the workflow by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikeline.artifacts import verify_tree, write_json
from spikeline.cli import command_line
from spikeline.config.committed import committed_files

ROOT = Path(__file__).parents[1]
COMMANDS = [
    ["verify"], ["compare"], ["config"], ["config", "check"], ["config", "write"], ["config", "show"],
    ["compile-mechanisms"], ["rheobase"], ["currents"], ["record"], ["train"],
    ["ship-weights"], ["sort"], ["score"], ["molds"], ["molds", "simulate"], ["molds", "fit"], ["molds", "select"],
    ["molds", "predict"],
]  # fmt: skip


def _run(*arguments):
    return CliRunner().invoke(command_line, [str(argument) for argument in arguments])


def test_every_command_is_covered_here():
    listed = {(name,) for name in command_line.commands}
    for group in ("config", "molds"):
        listed |= {(group, name) for name in command_line.commands[group].commands}
    assert listed == {tuple(command) for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(command):
    done = _run(*command, "--help")
    assert done.exit_code == 0
    if command not in (["config"], ["molds"]):
        assert "Example:" in done.output
        assert f"spikeline {' '.join(command)}" in done.output
    assert max(map(len, done.output.splitlines())) <= 120


def test_units_in_help():
    assert "(nA)" in _run("rheobase", "--help").output
    assert "(uV)" in _run("record", "--help").output


def test_version():
    assert "0.1" in _run("--version").output


def test_verify(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    done = _run("verify", tmp_path)
    assert done.exit_code == 0
    assert "1 artefacts" in done.output
    assert "all as their manifests say" in done.output
    (tmp_path / "[b].pkl").write_text("x")  # brackets are markup to some printers
    done = _run("verify", tmp_path)
    assert done.exit_code == 1
    assert "pickle" in done.output
    assert "[b].pkl" in done.output
    assert "2 problems" in done.output
    done = _run("verify", tmp_path, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["ok"] is False


def test_errors_are_messages_not_tracebacks(tmp_path):
    done = _run("verify", tmp_path / "nothing")
    assert done.exit_code == 2
    assert done.stderr.startswith("DataError: ")
    assert "what to do: " in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.output


def test_compare(tmp_path):
    write_json(tmp_path / "now" / "summary.json", {"simulation": {"bank": {"rank": 20, "max_error_uv": 0.5}}, "new": 1})
    before = {"simulation.bank.rank": 20, "simulation.bank.max_error_uv": 0.4, "benchmark.x": 3}
    write_json(tmp_path / "before.json", before)
    done = _run("compare", tmp_path / "now", tmp_path / "before.json")
    assert done.exit_code == 1
    assert "simulation.bank.max_error_uv" in done.output
    assert "+25 %" in done.output
    assert "simulation.bank.rank" not in done.output
    assert "4 numbers compared, 3 moved, new or gone" in done.output
    same = ["--relative", 0.3, "--ignore", "benchmark.*", "--ignore", "new"]
    done = _run("compare", tmp_path / "now", tmp_path / "before.json", *same)
    assert done.exit_code == 0
    assert "2 numbers compared, 0 moved" in done.output
    done = _run("compare", tmp_path / "now", tmp_path / "before.json", *same, "--all", "--json")
    assert {row["verdict"] for row in json.loads(done.output)} == {"same"}
    assert _run("compare", tmp_path, tmp_path / "before.json").exit_code == 2
    assert _run("compare", tmp_path / "now", tmp_path / "before.json", "--relative", -1).exit_code == 2


def test_config_check(tmp_path):
    done = _run("config", "check", *(ROOT / "config" / f"{tier}.yaml" for tier in ("quick", "standard", "paper")))
    assert done.exit_code == 0, done.output
    assert done.output.count("every setting can be used") == 3
    (tmp_path / "mine.yaml").write_text((ROOT / "config" / "quick.yaml").read_text().replace("slice_s:", "slice_ms:"))
    done = _run("config", "check", tmp_path / "mine.yaml")
    assert done.exit_code == 2
    assert "slice_s, in s: 5.0 ms is 0.005" in done.stderr
    assert _run("config", "check", "--root", ROOT).exit_code == 0
    assert _run("config", "check", "--root", tmp_path).exit_code == 2


def test_config_write(tmp_path):
    (tmp_path / "config").mkdir()
    assert _run("config", "write", "--root", tmp_path).output.count("wrote ") == len(committed_files())
    assert "in step" in _run("config", "write", "--root", tmp_path).output
    assert _run("config", "check", "--root", tmp_path).exit_code == 0


def test_config_show():
    quick = ROOT / "config" / "quick.yaml"
    done = _run("config", "show", quick, "--set", "seed=7", "--set", "simulation.bank.duration_s=20")
    shown = json.loads(done.output)
    assert (shown["run"], shown["seed"], shown["simulation"]["bank"]["duration_s"]) == ("quick", 7, 20.0)
    assert _run("config", "show", ROOT / "config" / "quick.yaml", "--set", "seed").exit_code == 2
    assert _run("config", "show").exit_code == 2


def test_names_that_the_configuration_does_not_have(tmp_path):
    quick, out = ROOT / "config" / "quick.yaml", tmp_path / "out"
    done = _run("rheobase", quick, "L5_NBC_bAC217_2", "-o", out)
    assert done.exit_code == 2
    assert "did you mean L5_NBC_bAC217_1?" in done.stderr
    done = _run("record", quick, "tetrode", "--bank", tmp_path, "-o", out)
    assert done.exit_code == 2
    assert "tetrode_static" in done.stderr
    done = _run("record", quick, "tetrode_static", "--bank", tmp_path, "-o", out)
    assert done.exit_code == 2
    assert "does not exist" in done.stderr
    done = _run("score", tmp_path, "simple.h5", "--scores", out, "--counts", out)
    assert done.exit_code == 2
    assert "NAME=FILE" in done.stderr
    done = _run("sort", tmp_path, out, "--sorter", "simple", "--parameters", "[1]")
    assert done.exit_code == 2
    assert not out.exists()


@pytest.mark.neuron
def test_every_step_by_hand(tmp_path):
    """The whole chain in processes of its own, as a person would run it."""
    config = ROOT / "tests" / "configurations" / "ball_and_stick.yaml"

    def spikeline(*arguments):
        command = [sys.executable, "-c", "from spikeline.cli import main; main()", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    spikeline("compile-mechanisms", config, "-o", "mechanisms")
    for cell in ("ball_and_stick_2", "ball_and_stick_3"):
        options = ["--mechanisms", "mechanisms"]
        assert " nA" in spikeline("rheobase", config, cell, *options, "-o", f"rheobase/{cell}.json")
        options += ["--rheobase", f"rheobase/{cell}.json", "-o", f"currents/{cell}/v000-0.h5"]
        assert "max_error_uv" in spikeline("currents", config, cell, *options)
    assert "2 units, 20 s at 10000 Hz" in spikeline("record", config, "tetrode", "--bank", "currents", "-o", "tetrode")
    assert "units, " in spikeline("sort", "tetrode", "simple", "--sorter", "simple")
    tables = ["--scores", "scores.csv", "--counts", "counts.csv"]
    spikeline("score", "tetrode", "simple=simple/sorting.h5", "--config", config, *tables)
    report = verify_tree(tmp_path)
    assert report.ok, report.findings
    assert report.artifacts == 9
