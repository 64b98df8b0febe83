"""The catalogue says what SpikeInterface says when it is imported."""

from __future__ import annotations

import importlib.util

import pytest

from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError
from spikeline.sorting.catalogue import check_sorters, known_sorters


def test_names_and_parameters_are_spikeinterfaces_own() -> None:
    from spikeinterface.sorters import available_sorters, get_default_sorter_params

    known = known_sorters()
    assert set(known) >= set(available_sorters())
    assert known["simsort"] == set(get_default_sorter_params("simsort"))
    assert sum(parameters is not None for parameters in known.values()) >= 4
    for name in available_sorters():
        # what the source does not list in full is left to the sorting job
        assert known[name] is None or known[name] == set(get_default_sorter_params(name))


def test_without_spikeinterface_nothing_is_known_and_nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    known_sorters.cache_clear()
    try:
        assert known_sorters() == {}
        check_sorters({"mine": SorterSettings(sorter="kilosort9")})
    finally:
        known_sorters.cache_clear()


@pytest.mark.parametrize(
    ("sorter", "parameters", "words"),
    [
        ("spykingcircus", {}, None),
        ("simpel", {}, ["'simpel'", "did you mean simple"]),
        ("simple", {"detect_treshold": 4}, ["'detect_treshold'", "did you mean 'detect_threshold'"]),
        ("simsort", {"weights": "my/weights", "device": "cpu"}, None),
        ("simsort", {"wieghts": "my/weights"}, ["'wieghts'", "did you mean 'weights'"]),
        ("simsort", {"seed": 4}, ["'seed'", "leave it out"]),
        ("simsort", {"fewest_spikes": 1}, ["simsort", "fewest_spikes = 1"]),
        ("lupin", {"seed": 4}, ["'seed'", "leave it out"]),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(sorter: str, parameters: dict, words: list[str] | None) -> None:
    sorters = {"mine": SorterSettings(sorter=sorter, parameters=parameters)}
    if words is None:
        check_sorters(sorters)
        return
    with pytest.raises(ConfigError) as refused:
        check_sorters(sorters)
    assert all(word in str(refused.value) for word in words)
