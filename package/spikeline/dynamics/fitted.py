"""A fitted mixture: what it says of trajectories, old and new, and its file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.config.molds import FitSettings
from spikeline.dynamics.bayesian_information import BayesianInformation, bayesian_information
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.forecast import check_sizes, forecast
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays, mixture_of
from spikeline.dynamics.starts.start import Start
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["FittedMolds"]

_SCHEMA = "fitted-molds"


@dataclass(frozen=True)
class FittedMolds:
    """What `spikeline.dynamics.fit_molds` found.

    Parameters
    ----------
    mixture
        Systems and weights.
    responsibilities
        Probability of each component given a trajectory of those fitted to.
    log_likelihoods
        Of all trajectories together, nats: before EM, and after each iteration.
    converged
        Whether the last iteration gained less than ``settings.em.tolerance``.
    notes
        What EM noticed: covariances that lay at their floor, components with too few trajectories to learn from.
    start
        Where EM started, and what was noticed on the way there.
    settings, seed
        As the fit was asked for.
    """

    mixture: Mixture
    responsibilities: Float[np.ndarray, "N K"]
    log_likelihoods: Float[np.ndarray, " iterations"]
    converged: bool
    notes: tuple[str, ...]
    start: Start
    settings: FitSettings
    seed: int

    @property
    def labels(self) -> Int64[np.ndarray, " N"]:
        """The most probable component of each trajectory that was fitted to."""
        return self.responsibilities.argmax(axis=1).astype(np.int64)

    def posterior(self, trajectories: Trajectories) -> Float[np.ndarray, "N K"]:
        """Probability of each component given a whole trajectory.

        Raises
        ------
        DataError
            If the trajectories have other numbers of inputs or outputs.
        """
        joint = self._joint(trajectories)
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def predict(self, trajectories: Trajectories) -> Int64[np.ndarray, " N"]:
        """The most probable component of each trajectory."""
        return self._joint(trajectories).argmax(axis=1).astype(np.int64)

    def log_likelihood(self, trajectories: Trajectories) -> Float[np.ndarray, " N"]:
        """Of each trajectory under the mixture, nats."""
        return logsumexp(self._joint(trajectories), axis=1)

    def forecast(self, trajectories: Trajectories, ahead: int = 1) -> Float[np.ndarray, "N T q"]:
        """Outputs predicted ``ahead`` steps before (`spikeline.dynamics.forecast.forecast`)."""
        return forecast(self.mixture, trajectories, ahead)

    def impulse_responses(self, lags: int) -> Float[np.ndarray, "K lags q m"]:
        """Each component's response to an impulse of each input: D, CB, CAB, ...

        Raises
        ------
        DataError
            If ``lags`` is less than 1.
        """
        if lags < 1:
            raise DataError(f"{lags} lags", "1 or more", "ask for more lags")
        return self.mixture.responses(lags)

    def bayesian_information(self, trajectories: Trajectories) -> BayesianInformation:
        """BIC on trajectories, those that were fitted to or others; less is better."""
        return bayesian_information(
            float(self.log_likelihood(trajectories).sum()),
            self.mixture,
            self.settings.em,
            len(trajectories),
            int(trajectories.lengths.sum()),
        )

    def save(self, path: str | Path, *, provenance: Provenance | None = None) -> None:
        """Write an HDF5 artefact with its manifest."""
        arrays = {f"mixture/{name}": array for name, array in mixture_arrays(self.mixture).items()}
        arrays |= {f"start/{name}": array for name, array in mixture_arrays(self.start.mixture).items()}
        arrays |= {"responsibilities": self.responsibilities, "log_likelihoods": self.log_likelihoods}
        attributes = {
            "converged": self.converged,
            "notes": json.dumps(list(self.notes)),
            "seed": self.seed,
            "settings": json.dumps(self.settings.plain(), sort_keys=True),
            "start_method": self.start.method,
            "start_notes": json.dumps(self.start.notes, sort_keys=True),
            "start_warnings": json.dumps(list(self.start.warnings)),
        }
        write_hdf5(
            path,
            _SCHEMA,
            arrays,
            units={"log_likelihoods": "nat"},
            attributes=attributes,
            provenance=provenance or Provenance(settings=self.settings.plain(), seed=self.seed),
        )

    @classmethod
    def load(cls, path: str | Path) -> FittedMolds:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            If the file is not whole, or of another kind.
        """
        with open_hdf5(path, _SCHEMA) as file:
            facts = file.attrs
            return cls(
                mixture=mixture_of(file["mixture"]),
                responsibilities=file["responsibilities"][:],
                log_likelihoods=file["log_likelihoods"][:],
                converged=bool(facts["converged"]),
                notes=tuple(json.loads(facts["notes"])),
                start=Start(
                    mixture=mixture_of(file["start"]),
                    method=str(facts["start_method"]),
                    notes=json.loads(facts["start_notes"]),
                    warnings=tuple(json.loads(facts["start_warnings"])),
                ),
                settings=FitSettings.parse(json.loads(facts["settings"])),
                seed=int(facts["seed"]),
            )

    def _joint(self, trajectories: Trajectories) -> Float[np.ndarray, "N K"]:
        check_sizes(self.mixture, trajectories)
        if not len(trajectories):
            return np.empty((0, self.mixture.n_components))
        engine = make_engine(self.settings.em, trajectories)
        with np.errstate(divide="ignore"):  # a component of weight 0 has no part in it
            return engine.component_log_likelihoods(self.mixture) + np.log(self.mixture.weights)
