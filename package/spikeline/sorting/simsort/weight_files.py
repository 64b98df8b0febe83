"""The files of trained weights: which there are, where, and how those of a run become those that come along."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeline.artifacts import atomic_file, file_checksum, read_weights
from spikeline.artifacts.weights import card_path
from spikeline.config.simsort import TRAINED
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, FormatError
from spikeline.sorting.simsort.sorter_parameters import (
    DEFAULT_PRESET,
    HOW_TO_TRAIN_THE_PAPER,
    PAPER_PRESET,
    SORTER_NAME,
    preset_of,
)

__all__ = [
    "NETWORKS",
    "SHIPPED_WEIGHTS",
    "WEIGHT_FILES",
    "check_preset",
    "folder_of",
    "needs_trained_weights",
    "read_cards",
    "ship_weights",
    "weights_checksums",
    "with_trained_weights",
]

NETWORKS = ("detector", "identifier")
WEIGHT_FILES = tuple(f"{network}.{suffix}" for network in NETWORKS for suffix in ("safetensors", "card.json"))
"""What a folder of weights holds."""

SHIPPED_WEIGHTS = Path(__file__).parent / "weights"
"""The weights that come along."""


def needs_trained_weights(settings: SorterSettings, preset: str | None = None) -> bool:
    """Whether a sorter uses weights the run trains (``parameters: {weights: trained}``), of one preset or of any."""
    if settings.sorter != SORTER_NAME or settings.parameters.get("weights") != TRAINED:
        return False
    return preset is None or preset_of(settings.parameters) == preset


def read_cards(folder: str | Path) -> dict[str, dict[str, Any]]:
    """Network -> its card, of a folder of weights.

    Raises
    ------
    FormatError
        If the files are not whole.
    """
    return {network: read_weights(Path(folder) / f"{network}.safetensors")[1] for network in NETWORKS}


def check_preset(folder: str | Path, preset: str) -> dict[str, dict[str, Any]]:
    """The cards of a folder of weights whose two networks are of one preset, the one that is asked for.

    A card that names none is of the default: those of the first versions do not.

    Raises
    ------
    FormatError
        If the files are not whole, the networks are of two presets, or of another than ``preset``.
    """
    cards = read_cards(folder)
    found = {network: card.get("preset", DEFAULT_PRESET) for network, card in cards.items()}
    if len(set(found.values())) > 1:
        raise FormatError(
            f"in {folder} " + " and ".join(f"the {network} is of preset {name}" for network, name in found.items()),
            "two networks of one preset",
            "train both for one preset, into a folder of their own",
        )
    if found["detector"] != preset:
        raise FormatError(
            f"{folder} holds weights of preset {found['detector']}",
            f"weights of preset {preset}",
            HOW_TO_TRAIN_THE_PAPER if preset == PAPER_PRESET else "sort with preset: paper, or name other weights",
        )
    return cards


def with_trained_weights(settings: SorterSettings, folder: str | Path | None) -> SorterSettings:
    """The settings with the word ``trained`` replaced by the folder of the run's weights; others as they are.

    Raises
    ------
    ConfigError
        If the folder is needed and not given.
    """
    if not needs_trained_weights(settings):
        return settings
    if folder is None:
        raise ConfigError(
            f"weights: {TRAINED} outside a run that trains them",
            "a folder with " + ", ".join(WEIGHT_FILES),
            "give weights the path of a run's results/RUN/sorting/simsort/weights, or leave it out",
        )
    return settings.model_copy(update={"parameters": {**settings.parameters, "weights": str(folder)}})


def folder_of(files: Sequence[str]) -> Path | None:
    """The folder of a job's weight files; None if it has none."""
    return Path(files[0]).parent if files else None


def weights_checksums(settings: SorterSettings) -> Mapping[str, str]:
    """Checksums of the weight files that a sorter reads and no job makes, for a job's params: new weights sort again.

    Empty for another sorter, and for weights that the run trains. A file that is missing is left out; the sorter says
    so when it runs.
    """
    if settings.sorter != SORTER_NAME or needs_trained_weights(settings):
        return {}
    folder = Path(settings.parameters.get("weights") or SHIPPED_WEIGHTS)
    return {name: file_checksum(folder / name) for name in WEIGHT_FILES if (folder / name).is_file()}


def ship_weights(trained: str | Path, shipped: str | Path = SHIPPED_WEIGHTS) -> dict[str, Any]:
    """Copy a run's weights to where the sorter looks for those that come along.

    Parameters
    ----------
    trained
        ``results/RUN/sorting/simsort/weights``.
    shipped
        Target folder.

    Returns
    -------
    dict
        Network -> its card.

    Raises
    ------
    FormatError
        If the weights are not whole, of preset paper, or the two networks were not trained together; nothing is copied
        then.
    """
    from spikeline.sorting.simsort.networks import load_networks

    trained, shipped = Path(trained), Path(shipped)
    load_networks(trained, "cpu")
    cards = read_cards(trained)
    _check_one_run(trained, cards)
    for network in NETWORKS:
        weights = shipped / f"{network}.safetensors"
        card_path(weights).unlink(missing_ok=True)  # an old card must not stand beside new arrays
        for name in (weights.name, card_path(weights).name):
            with atomic_file(shipped / name) as temporary:
                shutil.copyfile(trained / name, temporary)
    return cards


def _check_one_run(folder: Path, cards: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse two networks that were trained with other seeds, or on other currents."""
    first, second = NETWORKS
    banks = {
        network: sorted(cards[network].get("trained_on", {}).get("bank", {}).get("sha256", [])) for network in cards
    }
    for what, values in (("another seed", {n: cards[n].get("seed") for n in cards}), ("other bank entries", banks)):
        if values[first] != values[second]:
            told = {n: f"{len(v)} entries" if isinstance(v, list) else v for n, v in values.items()}
            raise FormatError(
                f"{folder}: the {first} and the {second} were trained with {what} "
                f"({first}: {told[first]}, {second}: {told[second]})",
                "both networks of one run",
                "take the folder as a run left it: results/RUN/sorting/simsort/weights",
            )
