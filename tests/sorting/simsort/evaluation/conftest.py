"""An easy tetrode with its truth, and networks set by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.trains import synthetic_tetrode

BAND = (300.0, 3000.0)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_handmade_networks(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def networks(weights: Path):
    from spikeline.sorting.simsort.networks import load_networks

    return load_networks(weights, "cpu")


@pytest.fixture(scope="session")
def easy():
    """Recording, sorting and truth of three units."""
    from spikeline.sorting.simsort.evaluation.truth import true_spikes

    recording, sorting = synthetic_tetrode(20.0)
    return recording, sorting, true_spikes(recording, sorting, BAND)
