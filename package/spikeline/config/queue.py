"""Settings of a job that a training is sent to a queue in: not part of a run, but of how it is started."""

from __future__ import annotations

from typing import Literal

from spikeline.config.base import Settings, setting

__all__ = ["QueueSettings"]


class QueueSettings(Settings):
    """What a queue is asked for."""

    cluster: Literal["slurm", "local"] = setting(
        "slurm", description="local: a process of this machine that is started and restarted in the same way."
    )
    partition: str | None = setting(None, description="SLURM's partition; null: the cluster's default one.")
    account: str | None = setting(None, description="Account to charge, where the site wants one.")
    minutes: int = setting(
        240,
        unit="min",
        description="Time limit of one job. Short jobs start sooner, and the training goes on in the next one.",
        ge=2,
        le=60 * 24 * 30,
    )
    warning_s: int = setting(
        120,
        unit="s",
        description="So long before the limit the training is told to keep a checkpoint: at least two steps' time.",
        ge=10,
        le=3600,
    )
    restarts: int = setting(
        20, description="How often a training that reached the limit goes back into the queue.", ge=0, le=1000
    )
    cpus: int = setting(2, description="CPU cores: one for the network, the others for batches.", ge=1, le=1024)
    memory_mb: int = setting(8000, unit="MB", description="Memory.", ge=500, le=10_000_000)
    gpus: int = setting(0, description="GPUs; one training uses one at most.", ge=0, le=1)
