"""Loading configurations: what is accepted, and what every kind of mistake is answered with."""

import pytest
import yaml

from spikeline.config import RunSettings, load_run, parse_run
from spikeline.config.load import merged, parse_override
from spikeline.errors import ConfigError

MINIMAL = """
run: test
simulation:
  cells:
    train: [a]
    test: [b]
"""


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="run.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


def _problems(path, **options):
    with pytest.raises(ConfigError) as caught:
        load_run(path, **options)
    return caught.value.seen


def _problem(values):
    """The one problem of otherwise sound settings, changed by ``values`` (nested)."""
    with pytest.raises(ConfigError) as caught:
        parse_run(merged(yaml.safe_load(MINIMAL), values))
    lines = caught.value.seen.splitlines()
    assert len(lines) == 2, caught.value.seen
    return lines[1].removeprefix("  - ")


def test_minimal_file_has_the_defaults(write):
    settings = load_run(write(MINIMAL))
    assert settings == RunSettings.parse({"run": "test", "simulation": {"cells": {"train": ["a"], "test": ["b"]}}})
    assert settings.seed == 42
    assert RunSettings.parse(settings.plain()) == settings


def test_later_files_win_key_by_key(write):
    first = write(
        MINIMAL + "  bank: {duration_s: 10, seeds: 3}\nrecordings: {x: {units: 3, drive: events}}\n", "first.yaml"
    )
    second = write(
        "simulation: {bank: {seeds: 4}, cells: {train: [c, d]}}\nrecordings: {y: {units: 2}}\n", "second.yaml"
    )
    settings = load_run([first, second], {"simulation": {"bank": {"slice_s": 2}}, "recordings.y.duration_s": 7})
    assert (settings.simulation.bank.duration_s, settings.simulation.bank.seeds, settings.simulation.bank.slice_s) == (
        10,
        4,
        2,
    )
    assert settings.simulation.cells.train == ["c", "d"]
    assert {name: (r.units, r.duration_s) for name, r in settings.recordings.items()} == {"x": (3, 60.0), "y": (2, 7.0)}


def test_numbers_as_people_write_them(write):
    settings = load_run(
        write(MINIMAL + "  bank: {duration_s: 1e2}\nrecordings: {x: {sampling_rate_hz: 3e4, duration_s: +60}}\n")
    )
    assert settings.simulation.bank.duration_s == 100
    assert settings.recordings["x"].sampling_rate_hz == 30000


def test_names_that_yaml_1_1_would_turn_into_something_else(write):
    for name in ("yes", "2026-01-02", "on"):
        assert load_run(write(MINIMAL.replace("run: test", f"run: {name}"))).run == name
    assert parse_run(yaml.safe_load(MINIMAL.replace("run: test", "run: 2026-01-02"))).run == "2026-01-02"


def test_json_is_yaml(write):
    settings = load_run(write(MINIMAL))
    assert load_run(write(settings.model_dump_json(), "run.json")) == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is empty"]),
        ("# nothing\n", ["is empty"]),
        ("- a\n- b\n", ["not a block of keys"]),
        ("just text", ["not a block of keys"]),
        ("run: [a", ["is not YAML", "line 2"]),
        ("run: a\n\tseed: 1\n", ["is not YAML", "line 2"]),
        ("run: a\nseed: 1\nrun: b\n", ["run stands twice", "line 3", "line 1"]),
        (MINIMAL + "  cells:\n    train: [c]\n", ["simulation.cells stands twice"]),
        ("{[a]: b}: c\n", ["a key is a block"]),
        ("run: !mine a\n", ["the tag !mine"]),
        ("run: !!python/object/apply:os.getcwd []\n", ["the tag"]),
        ("a: &a [*a]\n", ["an alias refers to a block that holds it"]),
    ],
)
def test_files_that_are_not_configurations(write, text, words):
    seen = _problems(write(text))
    assert all(word in seen for word in words), seen


def test_missing_file_names_its_neighbours(write, tmp_path):
    write(MINIMAL, "quick.yaml")
    with pytest.raises(ConfigError, match="does not exist") as caught:
        load_run(tmp_path / "quik.yaml")
    assert "quick.yaml" in caught.value.expected
    with pytest.raises(ConfigError, match="cannot be read"):
        load_run(tmp_path)
    with pytest.raises(ConfigError, match="no configuration file"):
        load_run([])
    (tmp_path / "latin.yaml").write_bytes("run: café".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_run(tmp_path / "latin.yaml")


def _bank(**values):
    return {"simulation": {"bank": values}}


def _recording(**values):
    return {"recordings": {"x": values}}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        # unknown keys: the same quantity in another unit, without its unit, misspelt, elsewhere, nowhere
        (_bank(duration_ms=60000), ["simulation.bank.duration_ms = 60000", "duration_s, in s: 60000 ms is 60"]),
        (_bank(duration_min=2), ["duration_s, in s: 2 min is 120"]),
        (_bank(rms_error_fraction=0.01), ["rms_error_percent, in %: 0.01 fraction is 1"]),
        (_bank(duration_ms="long"), ["The nearest key is duration_s, in s."]),
        (_bank(duration=60), ["The nearest key is duration_s, in s."]),
        (_bank(duration_um=60), ["The nearest key is duration_s, in s."]),
        (_bank(durtion_s=60), ["The nearest key is duration_s, in s."]),
        (_recording(sampling_rate_khz=10), ["sampling_rate_hz, in Hz: 10 kHz is 10000"]),
        (_recording(placement={"distance_mm": [0.02, 0.06]}), ["distance_um, in um: [0.02, 0.06] mm is [20, 60]"]),
        (_recording(pitch_um=10), ["pitch_um is a key elsewhere: recordings.NAME.probe.pitch_um"]),
        ({"simulation": {"integration": {"temperature_k": 307.15}}}, ["temperature_c", "307.15 K is 34"]),
        ({"simulatoin": 1}, ["The nearest key is simulation."]),
        ({"zzz": 1}, ["has the keys run, seed, data_root, simulation"]),
        ({"sorting": {"scoring": {"qqq": 1}}}, ["sorting.scoring has the keys", "collision_ms"]),
        # numbers out of bounds: the bound, the unit, and the unit that was probably meant
        (
            _recording(sampling_rate_hz=10),
            ["expected a number in Hz, at least 1000 and at most 100000", "10 kHz is 10000 Hz"],
        ),
        (_bank(duration_s=120000), ["at most 36000", "120000 ms is 120 s"]),
        ({"simulation": {"integration": {"dt_ms": 0.00005}}}, ["at least 0.005", "5e-05 s is 0.05 ms"]),
        (_recording(noise={"background_share": 50}), ["at most 1", "50 % is 0.5"]),
        (_bank(seeds=0), ["expected a whole number, at least 1 and at most 10000"]),
        ({"seed": -1}, ["seed = -1", "at least 0 and below 2147483648"]),
        # text, true/false, fractions where numbers are wanted
        (_bank(slice_s="500 ms"), ["500 ms is 0.5"]),
        (_bank(slice_s="5"), ["write 5, without quotes"]),
        (_bank(slice_s="5 um"), ["um is not a unit of this key, which is in s"]),
        (_bank(slice_s="some"), ["expected a number in s"]),
        (_bank(slice_s=True), ["slice_s = true", "expected a number in s"]),
        (_bank(seeds="2"), ["write 2, without quotes"]),
        (_bank(seeds=2.0), ["without the decimal point: 2"]),
        (_bank(seeds=2.5), ["expected a whole number"]),
        (_bank(slice_s=float("nan")), ["slice_s"]),
        # other kinds
        (_recording(drive="event"), ["one of continuous, events", "did you mean events?"]),
        (_recording(placement={"distance_um": 20}), ["write both bounds, as in [20.0, 60.0]"]),
        (
            _recording(placement={"distance_um": [60, 20]}),
            ["distance_um", "the lower bound 60.0 is above the upper bound 20.0"],
        ),
        (_recording(placement={"distance_um": [20]}), ["two numbers [low, high] in um"]),
        (_recording(placement={"distance_um": [20, 40, 60]}), ["two numbers [low, high] in um"]),
        (_recording(drift=3), ["recordings.x.drift = 3", "a block of settings"]),
        ({"simulation": {"cells": {"train": "a"}}}, ["a list of one is written [a]"]),
        ({"simulation": {"rheobase": {"grid_na": []}}}, ["at least 1 of them"]),
        ({"recordings": ["x"]}, ["write each name as a key with its settings below it"]),
        ({"sorting": {"sorters": {"mine": {}}}}, ["sorting.sorters.mine.sorter is missing", "expected text"]),
        ({"run": 7}, ["put quotes around it: '7'"]),
        ({"run": "../up"}, ["letters, digits"]),
        # settings that do not go together
        ({"simulation": {"cells": {"test": ["a"]}}}, ["a stand in train and in test"]),
        ({"sorting": {"recordings": ["y"]}}, ["sorting.recordings names y"]),
        (
            _recording(duration_s=61),
            ["recordings.x.duration_s = 61 s", "simulation.bank.duration_s = 60 s", "drive: events"],
        ),
        # names that become paths
        ({"simulation": {"cells": {"train": [".."]}}}, ["'..' becomes part of a path"]),
        ({"simulation": {"cells": {"train": ["a/b"]}}}, ["'a/b' becomes part of a path"]),
        ({"recordings": {"../x": {}}}, ["'../x' becomes part of a path"]),
        ({"sorting": {"sorters": {"é": {"sorter": "simple"}}}}, ["'é' becomes part of a path"]),
    ],
)
def test_each_mistake_gets_its_answer(values, words):
    problem = _problem(values)
    assert all(word in problem for word in words), problem


def test_missing_keys():
    with pytest.raises(ConfigError) as caught:
        parse_run({})
    assert "run is missing: expected text" in caught.value.seen
    assert "simulation is missing: expected a block of settings" in caught.value.seen


def test_one_error_names_every_problem_with_its_line(write):
    path = write(MINIMAL + "  bank:\n    duration_ms: 5\n    seeds: 0\nseed: x\n")
    seen = _problems([path, write("recordings: {x: {units: 0}}\n", "more.yaml")], overrides={"data_root": 5})
    assert "5 settings cannot be used" in seen
    for line in (
        "simulation.bank.duration_ms = 5 (run.yaml line 8)",
        "simulation.bank.seeds = 0 (run.yaml line 9)",
        "seed = 'x' (run.yaml line 10)",
        "recordings.x.units = 0 (more.yaml line 1)",
        "data_root = 5 (override)",
    ):
        assert line in seen


def test_overrides_that_repeat_the_file_do_not_take_the_blame(write):
    seen = _problems(write(MINIMAL + "seed: -1\n"), overrides={"seed": -1, "run": "test"})
    assert "seed = -1 (run.yaml line 7)" in seen


def test_parse_override():
    assert parse_override("simulation.bank.seeds=2") == {"simulation.bank.seeds": 2}
    assert parse_override("recordings.x.placement.distance_um=[20, 1e2]") == {
        "recordings.x.placement.distance_um": [20, 100.0]
    }
    assert parse_override("run=a=b") == {"run": "a=b"}
    for text in ("seeds", "=2"):
        with pytest.raises(ConfigError, match="override"):
            parse_override(text)
