"""What happens around every step: look at the losses, validate, write the log, keep a checkpoint, in this order."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from spikeline.config.training import TrainingSettings
from spikeline.errors import ConfigError
from spikeline.progress import ProgressBar
from spikeline.training.checkpoints import Checkpoints
from spikeline.training.csv_log import CsvLog
from spikeline.training.losses import Losses
from spikeline.training.prefetch import Prefetcher
from spikeline.training.random_states import random_states, set_random_states
from spikeline.training.stopping import StopRequest
from spikeline.training.tensorboard_log import TENSORBOARD_FOLDER, TensorBoardLog
from spikeline.training.validation import Validation, validate

__all__ = ["TRAINING_LOG", "VALIDATION_LOG", "StepEnd"]

TRAINING_LOG, VALIDATION_LOG = "training.csv", "validation.csv"


class StepEnd(Callback):
    """Lightning's callback that does everything but the step itself.

    Parameters
    ----------
    settings, name, seed, validation
        As in `spikeline.training.fit`.
    checkpoints
        Where checkpoints go; the logs lie beside them.
    source
        The batches, for the time waited.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        checkpoints: Checkpoints,
        source: Prefetcher,
        *,
        name: str,
        seed: int,
        validation: Validation | None,
    ) -> None:
        self.settings, self.checkpoints, self.source = settings, checkpoints, source
        self.name, self.seed, self.validation = name, seed, validation
        self.losses, self.stop = Losses(), StopRequest()
        self.best: dict[str, Any] = {}
        self._lengths = {TRAINING_LOG: 0, VALIDATION_LOG: 0}
        self._random: dict[str, Any] | None = None
        self._learning_rate = math.nan
        self._logs: dict[str, CsvLog] = {}
        self._tensorboard: TensorBoardLog | None = None
        self._bar: ProgressBar | None = None
        self._row_began, self._row_waited, self._row_step = 0.0, 0.0, 0
        self.wait_fraction = self.steps_per_s = math.nan
        self._began, self._first_step = 0.0, 0

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds besides what Lightning puts into it."""
        return {
            "losses": self.losses.state(),
            "best": self.best,
            "lengths": {name: log.commit() for name, log in self._logs.items()},
            "random": random_states(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of `state_dict`."""
        self.losses.restore(state["losses"])
        self.best, self._lengths, self._random = state["best"], state["lengths"], state["random"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the logs at the checkpoint's length, and take over SIGTERM from Lightning."""
        folder: Path = self.checkpoints.folder
        self._logs = {name: CsvLog(folder / name, length) for name, length in self._lengths.items()}
        self._bar = ProgressBar(self.name, self.settings.steps)
        self._row_began = self._began = time.perf_counter()
        self._row_step = self._first_step = trainer.global_step
        if trainer.received_sigterm:
            self.stop.came.append(signal.SIGTERM)
        self.stop.listen()
        if self.settings.tensorboard:
            self._tensorboard = TensorBoardLog(folder / TENSORBOARD_FOLDER, after=trainer.global_step)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Put the generators back to the checkpoint's state, last of all: what comes before may draw from them."""
        if self._random is not None:
            set_random_states(self._random)
            self._random = None
        self._learning_rate = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Do what is due after this step."""
        step, settings = trainer.global_step, self.settings
        self.losses.add(step, outputs)
        last = step >= settings.steps
        log_due = last or step % settings.log_every_steps == 0
        validation_due = self.validation is not None and (last or step % settings.validate_every_steps == 0)
        checkpoint_due = last or step % settings.checkpoint_every_steps == 0 or bool(self.stop.came)
        if not (log_due or validation_due or checkpoint_due):
            return
        self.losses.check()
        if log_due:
            self._write_row(step)
        if validation_due:
            self._validate(trainer, pl_module, step)
        if checkpoint_due:
            trainer.save_checkpoint(self.checkpoints.path(step))
        if self.stop.came and not last:
            print(f"training {self.name}: stopped by {self.stop.names()} after step {step}, which is kept", flush=True)
            self.stop.pass_on()

    def _append(self, log: str, row: dict[str, float]) -> None:
        self._logs[log].append(row)
        if self._tensorboard is not None:
            self._tensorboard.append(Path(log).stem, row)

    def _write_row(self, step: int) -> None:
        now, waited = time.perf_counter(), self.source.waited_s
        passed = max(now - self._row_began, 1e-9)
        self.wait_fraction = waited / (now - self._began)
        self.steps_per_s = (step - self._first_step) / (now - self._began)
        means = self.losses.take()
        self._append(
            TRAINING_LOG,
            {
                "step": step,
                "learning_rate": self._learning_rate,
                **means,
                "wait_fraction": (waited - self._row_waited) / passed,
                "steps_per_s": (step - self._row_step) / passed,
            },
        )
        self._row_began, self._row_waited, self._row_step = now, waited, step
        if self._bar is not None:
            self._bar.show(step, f"loss {means['loss']:.4g}")

    def _validate(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        assert self.validation is not None
        with trainer.precision_plugin.val_step_context():
            metrics = validate(
                module, self.validation, seed=self.seed, name=self.name, to_device=trainer.strategy.batch_to_device
            )
        self._append(VALIDATION_LOG, {"step": step, **metrics})
        if self.settings.best_metric is not None:
            self._keep_best(module, step, metrics)

    def _keep_best(self, module: LightningModule, step: int, metrics: dict[str, float]) -> None:
        metric = self.settings.best_metric
        if metric not in metrics:
            raise ConfigError(
                f"best_metric = {metric}, and the validation returned {', '.join(metrics)}",
                "one of the names that the validation returns",
                "change best_metric, or what the validation returns",
            )
        sign = 1.0 if self.settings.best_is == "lowest" else -1.0
        value = metrics[metric]
        if math.isnan(value) or (self.best and sign * value >= sign * self.best["value"]):
            return
        # In the checkpoint and not in a file beside it: the two could never disagree after a kill.
        weights = {name: part.detach().to("cpu", copy=True) for name, part in module.state_dict().items()}
        self.best = {"step": step, "value": value, "weights": weights}

    def close(self) -> None:
        """Release everything that outlives a step, however the training ended."""
        self.stop.release()
        for log in self._logs.values():
            log.close()
        if self._tensorboard is not None:
            self._tensorboard.close()
        if self._bar is not None:
            self._bar.close()
