"""Small experiments, made step by step as the rules make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikeline.config.molds import ExperimentSettings
from spikeline.dynamics.experiments.components import components_to_file
from spikeline.dynamics.experiments.data import data_to_file
from spikeline.dynamics.experiments.fits import fits_to_file
from spikeline.dynamics.experiments.moments import second_moments_to_file, third_moments_to_file, whitening_to_file
from spikeline.dynamics.experiments.plan import Batch, experiment_batches
from spikeline.dynamics.experiments.scoring import join_scores, scores_to_file
from spikeline.dynamics.experiments.starting import starts_to_file

SEED = 5


def small(**changed: Any) -> ExperimentSettings:
    """Two components of one state, told apart in a moment."""
    sizes = {"preset": "simple", "n_components": 2, "n_states": 1, "weights": [0.4, 0.6]}
    em = {"most_iterations": 15, "engine": "numpy"}
    values = {
        "figure": "molds_complex", "mixture": sizes, "trajectories": [60], "steps": [24], "seeds": 2, "held_out": 10,
        "random_starts": 2, "fit": {"em": em}, **changed,
    }  # fmt: skip
    return ExperimentSettings.parse(values)


def make_batch(folder: Path, settings: ExperimentSettings, batch: Batch, experiment: str = "mine") -> Path:
    """Every file of one batch, as far as the methods need it; its folder."""
    folder = folder / experiment / batch.name
    data, stage, lags = folder / "data.h5", ("", ""), settings.fit.moments.lags
    data_to_file(data, experiment, batch.tasks, held_out=settings.held_out, seed=SEED)
    files: dict[str, Any] = {}
    if settings.uses_moments:
        stage = (settings.estimators[0], settings.decompositions[0])
        pieces = range(batch.pieces)
        second, third = ([folder / f"{moment}/{piece}.h5" for piece in pieces] for moment in ("second", "third"))
        cut = {"trajectories_per_piece": settings.trajectories_per_piece}
        for piece in pieces:
            second_moments_to_file(data, second[piece], settings.estimators, lags=lags, piece=piece, **cut)
        whitening_to_file(data, second, folder / "whitening.h5", settings.estimators)
        for piece in pieces:
            third_moments_to_file(data, folder / "whitening.h5", third[piece], lags=lags, piece=piece, **cut)
        components_to_file(
            data, folder / "whitening.h5", third, folder / "components.h5", settings.decompositions,
            experiment=experiment, seed=SEED,
        )  # fmt: skip
        files |= {"whitening_path": folder / "whitening.h5", "components_path": folder / "components.h5"}
    if settings.em_starts:
        starts_to_file(
            data, files.get("components_path") if "tensor" in settings.em_starts else None, folder / "starts.h5",
            settings.em_starts, stage=stage, settings=settings.fit.start, random_starts=settings.random_starts,
            experiment=experiment, seed=SEED,
        )  # fmt: skip
        fits = {kind: folder / f"em/{kind}.h5" for kind in settings.em_starts}
        for kind, path in fits.items():
            fits_to_file(data, folder / "starts.h5", path, kind, settings.fit.em)
        files |= {"starts_path": folder / "starts.h5", "fit_paths": fits}
    scores_to_file(experiment, data, folder / "scores.csv", settings.methods, stage=stage, lags=lags, **files)
    return folder


def make_experiment(folder: Path, settings: ExperimentSettings, experiment: str = "mine") -> Path:
    """The table of a whole experiment."""
    made = [make_batch(folder, settings, batch, experiment) for batch in experiment_batches(settings).values()]
    join_scores([path / "scores.csv" for path in made], folder / f"{experiment}.csv")
    return folder / f"{experiment}.csv"
