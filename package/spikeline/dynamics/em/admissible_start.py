"""A start that keeps to the constraints of the fit: EM never falls only if it sets out from within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.m_step import Constraints, floored, floored_weights
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.errors import DataError

__all__ = ["admissible_start", "with_shared_outputs"]

_LEAST_RECIPROCAL_CONDITION = 1e-8


def admissible_start(start: Mixture, constraints: Constraints, least_weight: float) -> Mixture:
    """The mixture itself where it keeps to the constraints, else a near one that does.

    D becomes zero and R its diagonal where that is asked for; covariances and weights are raised to their floors; for
    one C, see `with_shared_outputs`.

    Raises
    ------
    DataError
        If one C is asked for, and the outputs of a component cannot be expressed by the C of all.
    """
    systems: Sequence[LinearSystem] = start.systems
    if constraints.shared_outputs and any((system.C != systems[0].C).any() for system in systems):
        systems = with_shared_outputs(systems)
    return Mixture(
        tuple(_within(system, constraints) for system in systems), floored_weights(start.weights, least_weight)
    )


def with_shared_outputs(systems: Sequence[LinearSystem]) -> list[LinearSystem]:
    """The same systems in other coordinates, x -> M_k x, in which they have one C.

    With at least as many states as outputs that changes no system: with N_k an orthonormal basis of what C_k does not
    see, M_k = C_1^+ C_k + N_1 N_k' is invertible and C_1 M_k = C_k. With fewer states than outputs, the columns of all
    C_k span more than n dimensions in general; C becomes the n leading left singular vectors of (C_1 ... C_K), each
    divided by its norm, and M_k = C' C_k: the nearest in the sense of least squares.

    Raises
    ------
    DataError
        If a component's M_k is not invertible: it shows in other outputs than those of the common C.
    """
    n, q = len(systems[0].A), len(systems[0].C)
    outputs = [system.C for system in systems]
    if q > n:
        scaled = [C / (np.linalg.norm(C) or 1.0) for C in outputs]
        shared = np.linalg.svd(np.concatenate(scaled, axis=1))[0][:, :n]
        turns = [shared.T @ C for C in outputs]
    else:
        shared = outputs[0]
        unseen = [np.linalg.svd(C)[2][q:].T for C in outputs]
        turns = [np.linalg.pinv(shared) @ C + unseen[0] @ own.T for C, own in zip(outputs, unseen, strict=True)]
    for k, turn in enumerate(turns):
        sizes = np.linalg.svd(turn, compute_uv=False)
        if not sizes[-1] > _LEAST_RECIPROCAL_CONDITION * sizes[0]:
            raise DataError(
                f"C of component {k} cannot be brought to the C of all: M_k's singular values {sizes[0]:.2g} to "
                f"{sizes[-1]:.2g}",
                "components whose states show in the same outputs",
                "start from other systems, or fit with shared_outputs: false",
            )
    return [_turned(system, turn, shared) for system, turn in zip(systems, turns, strict=True)]


def _turned(system: LinearSystem, turn: Float[np.ndarray, "n n"], shared: Float[np.ndarray, "q n"]) -> LinearSystem:
    return replace(
        system,
        A=np.linalg.solve(turn.T, (turn @ system.A).T).T,
        B=turn @ system.B,
        C=shared,
        Q=turn @ system.Q @ turn.T,
        mu=turn @ system.mu,
        S=turn @ system.S @ turn.T,
    )


def _within(system: LinearSystem, constraints: Constraints) -> LinearSystem:
    floor, of_states = constraints.floor, constraints.floor_of_states
    D = system.D if constraints.feedthrough else np.zeros_like(system.D)
    R = np.diag(np.maximum(np.diagonal(system.R), floor)) if constraints.diagonal else floored(system.R, floor)[0]
    return replace(system, D=D, R=R, Q=floored(system.Q, of_states)[0], S=floored(system.S, of_states)[0])
