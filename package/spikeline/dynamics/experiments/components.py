"""Fifth step: third moments taken apart, and each component's impulse response realised by states."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float

from spikeline.artifacts import Provenance, seed_stream
from spikeline.dynamics.experiments.moments import summed
from spikeline.dynamics.experiments.task_files import open_tasks, task_file, tasks_in
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.tensor.mixture_responses import MixtureResponses, mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import TensorComponents, power_method, simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import Whitening
from spikeline.errors import NumericalError

__all__ = ["components_to_file", "realisations_of", "responses_of"]

_METHODS: dict[str, Callable[[np.ndarray, np.random.Generator], TensorComponents]] = {
    "smd": simultaneous_diagonalisation,
    "rtpm": power_method,
}


def components_to_file(
    data_path: str | Path,
    whitening_path: str | Path,
    third_paths: Sequence[str | Path],
    output: str | Path,
    decompositions: Sequence[str],
    *,
    experiment: str,
    seed: int,
    provenance: Provenance | None = None,
) -> None:
    """Take the third moments of a batch apart.

    Parameters
    ----------
    data_path
        File of `data.data_to_file`; tells the sizes.
    whitening_path, third_paths
        Files of `moments.whitening_to_file` and ``third_moments_to_file``, all pieces.
    output
        File with groups task/estimator/decomposition: ``markov`` (K, lags, q, m), ``weights``, the realised ``A``,
        ``B``, ``C``, ``D``, ``singular_values`` of the Hankel matrices and ``shrunk``. One that came to no end has the
        attribute ``note`` instead.
    decompositions
        ``smd``, ``rtpm``.
    experiment, seed
        For the random directions and starts.
    provenance
        For the manifest.
    """
    with contextlib.ExitStack() as opened:
        data = opened.enter_context(open_tasks(data_path, "data"))
        whitening = opened.enter_context(open_tasks(whitening_path, "whitening"))
        third = [opened.enter_context(open_tasks(path, "third-moments")) for path in third_paths]
        file = opened.enter_context(task_file(output, "components", provenance))
        for name in tasks_in(data):
            facts = data[name].attrs
            for estimator in whitening[name]:
                directions = Whitening(**{part: array[:] for part, array in whitening[name][estimator].items()})
                tensor = summed(third, f"{name}/{estimator}").value
                for decomposition in decompositions:
                    group = f"{name}/{estimator}/{decomposition}"
                    draw = seed_stream(seed, "molds-decomposition", f"{experiment}/{group}")
                    try:
                        found = mixture_responses(
                            directions,
                            tensor,
                            lambda T, method=_METHODS[decomposition], draw=draw: method(T, draw),
                            int(facts["n_inputs"]),
                            int(facts["n_outputs"]),
                            first_lag=0 if facts["feedthrough"] else 1,
                        )
                    except NumericalError as error:
                        file.write(group, {}, note=error.seen)
                        continue
                    states = int(facts["n_states"])
                    realised = [realise(response, states) for response in found.markov]
                    arrays = {"markov": found.markov, "weights": found.weights, **_stacked(realised)}
                    file.write(group, arrays, raw_weight_sum=found.raw_weight_sum, note="")


def _stacked(realised: Sequence[Realisation]) -> dict[str, Float[np.ndarray, "K ..."]]:
    names = ("A", "B", "C", "D", "singular_values", "shrunk")
    return {name: np.stack([np.asarray(getattr(one, name)) for one in realised]) for name in names}


def responses_of(group: h5py.Group) -> MixtureResponses:
    """Responses and weights in a group of a file of components."""
    return MixtureResponses(group["markov"][:], group["weights"][:], float(group.attrs["raw_weight_sum"]))


def realisations_of(group: h5py.Group) -> list[Realisation]:
    """Realisations in a group of a file of components."""
    parts = {name: group[name][:] for name in ("A", "B", "C", "D", "singular_values", "shrunk")}
    return [
        Realisation(*(parts[name][k] for name in ("A", "B", "C", "D", "singular_values")), bool(parts["shrunk"][k]))
        for k in range(len(parts["A"]))
    ]
