"""Which sizes one job fits."""

from __future__ import annotations

from spikeline.config.molds import NeuralSessionSettings

__all__ = ["size_batches"]


def size_batches(settings: NeuralSessionSettings, fits_per_job: int) -> list[list[tuple[int, int]]]:
    """Combinations of K and n, dealt to jobs so that all take about as long.

    Parameters
    ----------
    settings
        Of a session.
    fits_per_job
        Fits of one job, at most.
    """
    sizes = {(K, n) for K in settings.components for n in settings.states}
    ordered = sorted(sizes, key=lambda size: (-size[0] * size[1], size))
    jobs = -(-len(ordered) // fits_per_job)
    return [ordered[job::jobs] for job in range(jobs)]
