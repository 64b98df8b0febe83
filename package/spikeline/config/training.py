"""Settings of one training, the same for every model; the model and its data have settings of their own."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, setting

__all__ = ["TrainingSettings"]


class TrainingSettings(Settings):
    """How a model is trained."""

    steps: int = setting(
        unit="optimiser steps",
        description="Length of the training. One step is one batch; steps, not epochs, because batches are made as "
        "they are needed and no data set comes to an end.",
        example=20000,
        ge=1,
        le=100_000_000,
    )
    optimiser: Literal["adamw", "adam"] = setting(
        "adamw",
        description="adamw: weights decay by themselves; adam: the decay is added to the gradient, as in the released "
        "SimSort. A model that brings an optimiser of its own (POYO's LAMB) uses that one.",
    )
    learning_rate: FiniteFloat = setting(
        5e-4, description="Highest learning rate, reached after the warm-up.", gt=0, le=10
    )
    warm_up_steps: int = setting(
        0,
        unit="optimiser steps",
        description="The learning rate rises linearly over these; Adam's first estimates of a gradient's spread come "
        "from few batches. Counted within steps.",
        ge=0,
    )
    schedule: Literal["half_cosine", "constant"] = setting(
        "half_cosine",
        description="After the warm-up: half_cosine falls to zero at the last step, so that the last weights are the "
        "settled ones; constant stays.",
    )
    weight_decay: FiniteFloat = setting(
        1e-5, description="Pull of the weights towards zero (released SimSort: 1e-5).", ge=0, le=1
    )
    gradient_clip: FiniteFloat | None = setting(
        1.0,
        description="Largest norm of the whole gradient; one bad batch cannot throw the weights far. null: not "
        "clipped, as in the released SimSort.",
        gt=0,
    )
    log_every_steps: int = setting(
        20, unit="optimiser steps", description="One row of the log is the mean over this many steps.", ge=1
    )
    tensorboard: bool = setting(
        False,
        description="Also write the log for TensorBoard, beside the CSV files and the checkpoints, to be watched in a "
        "browser while the training runs: tensorboard --logdir results. Needs pip install 'spikeline[tensorboard]'.",
    )
    checkpoint_every_steps: int = setting(
        500,
        unit="optimiser steps",
        description="A stopped training goes on from its last checkpoint: the most that is computed twice.",
        ge=1,
    )
    validate_every_steps: int = setting(
        500, unit="optimiser steps", description="Distance of validations; there is always one after the last.", ge=1
    )
    keep: Literal["last", "best"] = setting(
        "last",
        description="Weights that are handed on: those of the last step, or those of the best validation. Choosing the "
        "best fits the validation data, so it is not the default.",
    )
    best_metric: str | None = setting(
        None, description="Validation metric by which keep: best chooses; null with keep: last."
    )
    best_is: Literal["lowest", "highest"] = setting(
        "lowest", description="Whether a low (a loss) or a high (an accuracy) best_metric is good."
    )
    accelerator: Literal["auto", "cpu", "gpu"] = setting(
        "auto",
        description="Where the model runs; auto: a GPU if there is one. On a CPU the same settings and threads give "
        "the same bytes of weights; on a GPU they agree to rounding.",
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = setting(
        "32-true",
        description="Numbers of the forward pass; weights are always kept in 32 bits. bf16-mixed doubles the speed of "
        "large models on recent GPUs; on a CPU it is slower.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> TrainingSettings:
        if self.warm_up_steps >= self.steps:
            raise ValueError(
                f"warm_up_steps = {self.warm_up_steps} leaves nothing of steps = {self.steps} for the training proper"
            )
        if (self.keep == "best") != (self.best_metric is not None):
            raise ValueError(
                f"keep = {self.keep} and best_metric = {self.best_metric or 'null'}: name a metric with keep: best, "
                "and none with keep: last"
            )
        return self
