"""Eighth step: every estimate of a batch beside the truth, one row each; and the table of an experiment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from spikeline.artifacts import Provenance, read_csv, write_csv
from spikeline.dynamics.experiments.components import realisations_of, responses_of
from spikeline.dynamics.experiments.least_squares import trajectory_responses
from spikeline.dynamics.experiments.moments import window_lags
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, tasks_in
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_of
from spikeline.dynamics.scores.iterations import iterations_to_near_final
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.scores.mixture_scores import score_mixture
from spikeline.dynamics.scores.responses import relative_markov_error
from spikeline.dynamics.scores.weights import label_frequencies, weight_error
from spikeline.dynamics.starts.ho_kalman import Realisation
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "join_scores", "scores_to_file"]

_KEYS = (
    "cell", "n_components", "n_states", "n_inputs", "n_outputs", "process_noise", "observation_noise", "trajectories",
    "steps", "lags", "seed",
)  # fmt: skip
_MEASURES = (
    "markov_error", "markov_error_relative", "markov_error_realised", "weight_l1", "weight_l1_labels", "ari",
    "accuracy", "held_out_nats_per_step", "eigenvalue_distance", "parameter_error", "subspace_angle_rad",
    "raw_weight_sum", "stands_out", "iterations", "iterations_near_final", "iterations_all_starts", "converged",
    "nats_per_step",
)  # fmt: skip
COLUMNS = ("experiment", *_KEYS, "method", "estimator", "decomposition", *_MEASURES, "note")
"""Of a table of scores; a measure that a method does not have is empty."""

Row = dict[str, Any]


def scores_to_file(
    experiment: str,
    data_path: str | Path,
    output: str | Path,
    methods: Sequence[str],
    *,
    whitening_path: str | Path | None = None,
    components_path: str | Path | None = None,
    starts_path: str | Path | None = None,
    fit_paths: Mapping[str, str | Path] | None = None,
    stage: tuple[str, str] = ("", ""),
    lags: int | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Score everything that was estimated in a batch.

    Parameters
    ----------
    experiment
        Its name.
    data_path, whitening_path, components_path, starts_path
        Files of the steps before, as far as the methods need them.
    output
        Table with the columns `COLUMNS`, in the order of tasks and methods.
    methods
        As in the settings.
    fit_paths
        Kind of start -> file of `fits.fits_to_file`.
    stage
        Estimator and decomposition that EM started from.
    lags
        Length of the responses that are compared, as in `moments.second_moments_to_file`.
    provenance
        For the manifest.
    """
    import pandas as pd

    with contextlib.ExitStack() as opened:

        def at(path: str | Path | None, what: str) -> h5py.File | None:
            return None if path is None else opened.enter_context(open_tasks(path, what))

        data = opened.enter_context(open_tasks(data_path, "data"))
        whitening, components = at(whitening_path, "whitening"), at(components_path, "components")
        starts = at(starts_path, "starts")
        fits = {kind: at(path, f"fits-{kind}") for kind, path in (fit_paths or {}).items()}
        rows = []
        for name in tasks_in(data):
            task = _Task(data[name], experiment, lags)
            for method in methods:
                if method == "tensor":
                    rows += task.tensor(whitening[name], components[name], starts, stage)
                elif method == "trajectory_ols":
                    rows.append(task.least_squares())
                else:
                    kind = {"tensor_em": "tensor", "truth_em": "truth"}.get(method, "random")
                    rows.append(task.em(method, fits[kind][name], stage if kind == "tensor" else ("", "")))
        write_csv(output, pd.DataFrame(rows, columns=list(COLUMNS)), schema="molds-scores", provenance=provenance)


class _Task:
    """One task's truth and trajectories, and rows of scores beside them."""

    def __init__(self, group: h5py.Group, experiment: str, lags: int | None) -> None:
        self.group, self.name = group, group.name.strip("/")
        self.truth, self.labels = mixture_of(group["truth"]), group["labels"][:]
        self.window = window_lags(group, lags)
        self.lags = sum(self.window)
        self.responses = self.truth.responses(self.lags)
        facts = {key: group.attrs[key] for key in _KEYS if key != "lags"}
        self.keys = {"experiment": experiment, **facts, "lags": self.lags}

    @cached_property
    def trajectories(self) -> Trajectories:
        """All of them; what the tensor stage alone is judged by needs none, however many there are."""
        return piece_of(self.group)

    def tensor(
        self, whitening: h5py.Group, components: h5py.Group, starts: h5py.File | None, stage: tuple[str, str]
    ) -> Iterator[Row]:
        """Rows of the tensor stage, one per estimator and decomposition, in the order in which they were made."""
        for estimator, decomposition in _pairs(components):
            found = components[estimator][decomposition]
            row = self.keys | {"method": "tensor", "estimator": estimator, "decomposition": decomposition}
            row["stands_out"] = int(whitening[estimator].attrs["stands_out"])
            row["note"] = str(found.attrs["note"])
            if not row["note"]:
                if starts is not None and (estimator, decomposition) == stage and "moments" in starts[self.name]:
                    row |= self._of_mixture(mixture_of(starts[self.name]["moments"]["0"]))
                row |= self._of_responses(found)
            yield row

    def _of_responses(self, found: h5py.Group) -> Row:
        estimate = responses_of(found)
        match = match_components(self.responses, estimate.markov)
        systems = tuple(map(_without_noise, realisations_of(found)))
        realised = match_components(self.responses, Mixture(systems, estimate.weights).responses(self.lags))
        frequencies = label_frequencies(self.labels, self.truth.n_components)
        return {
            "markov_error": match.markov_error,
            "markov_error_relative": relative_markov_error(match, self.responses),
            "markov_error_realised": realised.markov_error,
            "weight_l1": weight_error(self.truth.weights, estimate.weights, match.estimate_of),
            "weight_l1_labels": weight_error(frequencies, estimate.weights, match.estimate_of),
            "raw_weight_sum": estimate.raw_weight_sum,
        }

    def _of_mixture(self, found: Mixture) -> Row:
        scores = score_mixture(self.truth, found, self.trajectories, piece_of(self.group["held_out"]), self.lags)
        return scores | {"markov_error_realised": scores["markov_error"]}

    def em(self, method: str, fits: h5py.Group, stage: tuple[str, str]) -> Row:
        """Row of a method with EM; of random starts the first, or the most likely."""
        row = self.keys | {"method": method, "estimator": stage[0], "decomposition": stage[1]}
        numbers = sorted(fits, key=int)[: None if method == "random_best" else 1]
        ended = [fits[number] for number in numbers if not fits[number].attrs["note"]]
        row["note"] = "; ".join(str(fits[number].attrs["note"]) for number in numbers if fits[number].attrs["note"])
        if not ended:
            return row
        best = max(ended, key=lambda fit: fit["log_likelihoods"][-1])
        likelihoods, steps = best["log_likelihoods"][:], float(self.trajectories.lengths.sum())
        return (
            row
            | self._of_mixture(mixture_of(best))
            | {
                "iterations": len(likelihoods) - 1,
                "iterations_near_final": iterations_to_near_final(likelihoods, steps),
                "iterations_all_starts": sum(len(fit["log_likelihoods"]) - 1 for fit in ended),
                "converged": int(best["converged"][()]),
                "nats_per_step": likelihoods[-1] / steps,
            }
        )

    def least_squares(self) -> Row:
        """Row of each trajectory by itself: the mean over trajectories of the error of its own system's response."""
        found = trajectory_responses(self.trajectories, *self.window)
        true = self.responses[self.labels]
        errors = np.linalg.norm((found - true).reshape(len(found), -1), axis=1)
        sizes = np.linalg.norm(true.reshape(len(found), -1), axis=1)
        return self.keys | {
            "method": "trajectory_ols",
            "markov_error": errors.mean(),
            "markov_error_relative": (errors / sizes).mean(),
            "note": "",
        }


def _without_noise(realised: Realisation) -> LinearSystem:
    n, q = len(realised.A), len(realised.C)
    nothing = np.zeros((n, n))
    return LinearSystem(realised.A, realised.B, realised.C, realised.D, nothing, np.zeros((q, q)), np.zeros(n), nothing)


def _pairs(components: h5py.Group) -> Iterator[tuple[str, str]]:
    for estimator in components:
        for decomposition in components[estimator]:
            yield estimator, decomposition


def join_scores(paths: Sequence[str | Path], output: str | Path, *, provenance: Provenance | None = None) -> None:
    """Write the tables of all batches as one, in the order of the batches: the same however tasks were batched."""
    import pandas as pd

    tables: list[pd.DataFrame] = [read_csv(path) for path in paths]
    write_csv(output, pd.concat(tables, ignore_index=True), schema="molds-scores", provenance=provenance)
