"""`fit`: what it returns, what it goes on from, what it refuses, what it leaves as it was."""

from __future__ import annotations

import logging
import random
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule
from torch import nn

from spikeline.errors import ConfigError, DataError, FormatError, NumericalError
from spikeline.training import learning_rate_share, seeded
from spikeline.training.csv_log import read_log
from spikeline.training.fitting import _pinned
from tests.training.toy import SETTINGS, Toy, ToyBatches, toy, train, weights


class Breaking(ToyBatches):
    """Batches until one cannot be made."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step, self.made = step, []

    def batch(self, step: int) -> Any:
        self.made.append(step)
        if step >= self.step:
            raise DataError("no batch", "a batch", "wait")
        return super().batch(step)


def test_it_learns_and_says_so(tmp_path: Path) -> None:
    module = toy()
    result = train(tmp_path, module=module, steps=200)
    assert (result.step, result.resumed_from) == (200, 0)
    assert [row["step"] for row in result.losses] == list(range(4, 201, 4))
    assert [row["step"] for row in result.validations] == [*range(15, 200, 15), 200]
    assert result.validations[-1]["error"] < 0.5 < result.validations[0]["error"]
    assert set(result.losses[0]) == {"step", "learning_rate", "loss", "bias"}
    assert 0 <= result.wait_fraction <= 1 and result.steps_per_s > 0
    assert not module.training


def test_rows_are_means_and_the_schedule_is_the_settings(tmp_path: Path) -> None:
    every = train(tmp_path / "1", log_every_steps=1).losses
    fourth = train(tmp_path / "4", log_every_steps=4).losses
    means = np.array([row["loss"] for row in every]).reshape(-1, 4).mean(axis=1)
    np.testing.assert_allclose([row["loss"] for row in fourth], means, rtol=1e-6)
    from spikeline.config.training import TrainingSettings

    settings = TrainingSettings(**SETTINGS)
    expected = [settings.learning_rate * learning_rate_share(step, settings) for step in range(settings.steps)]
    np.testing.assert_allclose([row["learning_rate"] for row in every], expected, rtol=1e-6)


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = toy()
    expected = train(tmp_path / "whole", module=whole)
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path / "parts", Breaking(37))
    batches, module = Breaking(1000), toy()
    result = train(tmp_path / "parts", batches, module=module)
    assert result.resumed_from == 30
    assert min(batches.made) == 30
    assert weights(module) == weights(whole)
    assert (result.losses, result.validations) == (expected.losses, expected.validations)
    again, module = Breaking(0), toy()
    result = train(tmp_path / "parts", again, module=module)
    assert (result.resumed_from, again.made) == (60, [])
    assert weights(module) == weights(whole)
    assert np.isnan(result.wait_fraction)


def test_nothing_but_the_data_decides(tmp_path: Path) -> None:
    """Prefetch threads, validation, logs, other generators, what was trained before."""
    first, second = toy(), toy()
    train(tmp_path / "1", module=first)
    torch.manual_seed(5)
    options = {"batch_threads": 3, "validation": None, "log_every_steps": 7, "checkpoint_every_steps": 11}
    train(tmp_path / "2", ToyBatches(0.001), module=second, **options)
    assert weights(first) == weights(second)
    third = toy()
    train(tmp_path / "3", module=third, seed=2)
    assert weights(first) != weights(third)  # dropout


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, module = toy(), toy()
    train(tmp_path / "whole", module=whole)
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path / "parts", Breaking(37))
    newest = tmp_path / "parts" / "checkpoint-000000030.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    result = train(tmp_path / "parts", module=module)
    assert result.resumed_from == 20
    assert "passed over checkpoint-000000030.safetensors" in capsys.readouterr().out
    assert weights(module) == weights(whole)


def test_all_checkpoints_damaged(tmp_path: Path) -> None:
    whole, module = toy(), toy()
    train(tmp_path / "whole", module=whole)
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path / "parts", Breaking(37))
    for path in (tmp_path / "parts").glob("checkpoint-*.safetensors"):
        path.write_bytes(b"")
    result = train(tmp_path / "parts", module=module)
    assert result.resumed_from == 0
    assert weights(module) == weights(whole)
    assert [row["step"] for row in result.losses] == list(range(4, 61, 4))


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    errors = iter([3.0, 1.0, float("nan"), 2.0])
    seen = {}

    def validation(module: LightningModule) -> dict[str, float]:
        assert not module.training and not torch.is_grad_enabled()
        value = next(errors)
        seen[value] = weights(module)
        return {"error": value}

    options = {"validation": validation, "keep": "best", "best_metric": "error"}
    module = toy()
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path, Breaking(50), **options)
    result = train(tmp_path, module=module, **options)
    assert result.step == 30
    assert weights(module) == seen[1.0]
    errors = iter([3.0, 1.0, 5.0, 2.0])
    assert train(tmp_path / "highest", **options, best_is="highest").step == 45


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"keep": "best", "best_metric": "error", "validation": None}, ConfigError, "without validation"),
        ({"keep": "best", "best_metric": "accuracy"}, ConfigError, "validation returned error"),
        (
            {"keep": "best", "best_metric": "x", "validation": lambda m: {"x": float("nan")}},
            ConfigError,
            "never a number",
        ),
        ({"validation": []}, DataError, "empty list"),
        ({"validation": lambda m: None}, DataError, "the validation function returned None"),
        ({"threads": 0}, ConfigError, "threads = 0"),
        ({"batch_threads": 0}, ConfigError, "batch_threads = 0"),
    ],
)
def test_arguments_that_do_not_fit(options: Any, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        train(tmp_path, steps=10, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="torch sees none"):
        train(tmp_path, accelerator="gpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.02}, "learning_rate is 0.01 there, and 0.02 here"),
        ({"seed": 2}, "seed is 1 there, and 2 here"),
        ({"name": "other"}, "name is toy there"),
    ],
)
def test_another_trainings_folder(change: Any, message: str, tmp_path: Path) -> None:
    train(tmp_path, steps=10)
    with pytest.raises(DataError, match=message):
        train(tmp_path, steps=10, **change)


def test_another_models_folder(tmp_path: Path) -> None:
    train(tmp_path, steps=10)
    module = toy()
    module.net[4] = nn.Linear(16, 2)
    with pytest.raises(DataError, match=r"net\.4\.weight \(1, 16\).* there, and net\.4\.weight \(2, 16\)"):
        train(tmp_path, steps=10, module=module)


class NotFinite(ToyBatches):
    def batch(self, step: int) -> Any:
        batch = super().batch(step)
        return {**batch, "y": batch["y"] * (np.float32("inf") if step == 25 else 1)}


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(NumericalError, match=r"the loss is inf at step 26") as caught:
        train(tmp_path, NotFinite())
    assert "checkpoint before" in caught.value.remedy
    whole, module = toy(), toy()
    train(tmp_path / "whole", module=whole)
    assert train(tmp_path, module=module).resumed_from == 20  # with the batch mended
    assert weights(module) == weights(whole)


def test_weights_that_are_no_numbers_reach_no_checkpoint(tmp_path: Path) -> None:
    class Late(Toy):
        def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
            if self.global_step == 19:
                self.net[0].bias.data[0] = float("nan")

        def training_step(self, batch: Any, index: int) -> Any:
            return {"loss": self.net[4].weight.square().mean(), "bias": torch.tensor(0.0)}

    with pytest.raises(NumericalError, match=r"net\.0\.bias is not finite after step 20"):
        train(tmp_path, module=Late(), validation=None)
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == ["checkpoint-000000010.safetensors"]


def test_what_the_batch_lacks_is_named(tmp_path: Path) -> None:
    class Short(ToyBatches):
        def batch(self, step: int) -> Any:
            return {"x": super().batch(step)["x"]}

    with pytest.raises(DataError, match="asked its batch for 'y'") as caught:
        train(tmp_path, Short())
    assert caught.value.expected == "one of 'x'"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda loss: None, "training_step returned no loss at step 1, but nothing"),
        (lambda loss: {"loss": loss, "x": torch.zeros(2)}, "not one number"),
    ],
)
def test_training_steps_without_a_loss(returned: Any, message: str, tmp_path: Path) -> None:
    class Odd(Toy):
        def training_step(self, batch: Any, index: int) -> Any:
            return returned(super().training_step(batch, index)["loss"])

    with pytest.raises(DataError, match=message):
        train(tmp_path, module=Odd())


def test_nothing_to_train(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no trainable weights"):
        train(tmp_path, module=toy().requires_grad_(False))


def test_a_module_may_bring_its_own_optimiser(tmp_path: Path) -> None:
    class Own(Toy):
        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.5)

    losses = train(tmp_path, module=Own(), steps=10).losses
    assert {row["learning_rate"] for row in losses} == {0.5}


def test_tuples_of_tensors(tmp_path: Path) -> None:
    class Pairs(ToyBatches):
        def batch(self, step: int) -> Any:
            batch = super().batch(step)
            return torch.from_numpy(batch["x"]), batch["y"]

    class PairToy(Toy):
        def training_step(self, batch: Any, index: int) -> Any:
            return (self.net(batch[0]) - batch[1]).square().mean()

    assert "loss" in train(tmp_path, Pairs(), module=PairToy(), steps=8, validation=None).losses[0]


def test_it_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Generators, threads, determinism, signal handlers, log levels, the working directory, the terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_NTASKS", "4")  # Lightning would start as one of four by itself
    monkeypatch.setenv("SLURM_JOB_NAME", "python3")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("SLURM_PROCID", "0")

    def state() -> Any:
        handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        generators = random.getstate(), np.random.random(), torch.rand(1).item()  # noqa: NPY002
        levels = logging.getLogger("lightning.pytorch").level
        return handlers, generators, torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), levels

    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    before = state()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    module = toy()
    train(Path("work"), module=module, steps=20)
    assert state() == before
    assert "configure_optimizers" not in vars(module)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["work"]
    assert {path.suffix for path in (tmp_path / "work").iterdir()} == {"", ".csv", ".json", ".safetensors"}
    written = capfd.readouterr()
    assert (written.out, written.err) == ("", "")


def test_handlers_are_given_back_after_an_error(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path, Breaking(15))
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_cancelled_job_keeps_its_last_step(tmp_path: Path) -> None:
    """With the handler that a job of the workflow has (`spikeline.log.log_to`)."""

    class Cancelled(Toy):
        def training_step(self, batch: Any, index: int) -> Any:
            if self.global_step == 12:
                signal.raise_signal(signal.SIGTERM)
            return super().training_step(batch, index)

    def leave(number: int, frame: Any) -> None:
        sys.exit(128 + number)

    with seeded(1, "toy weights"):
        cancelled = Cancelled()
    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit) as caught:
            train(tmp_path, module=cancelled)
        assert caught.value.code == 143
        assert signal.getsignal(signal.SIGTERM) is leave
    finally:
        signal.signal(signal.SIGTERM, before)
    whole, module = toy(), toy()
    assert train(tmp_path, module=module).resumed_from == 13
    train(tmp_path / "whole", module=whole)
    assert weights(module) == weights(whole)


def test_other_threads_are_mentioned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tmp_path, steps=10, threads=1)
    train(tmp_path, steps=10, threads=2)
    assert "with 2 threads after 1" in capsys.readouterr().out


def test_ctrl_c_is_a_keyboard_interrupt(tmp_path: Path) -> None:
    class Interrupted(Toy):
        def training_step(self, batch: Any, index: int) -> Any:
            if self.global_step == 12:
                raise KeyboardInterrupt
            return super().training_step(batch, index)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, module=Interrupted())
    assert train(tmp_path).resumed_from == 10


def test_one_training_per_folder(tmp_path: Path) -> None:
    def validation(module: LightningModule) -> dict[str, float]:
        train(tmp_path)
        return {"error": 0.0}

    with pytest.raises(DataError, match="another process is training"):
        train(tmp_path, validation=validation)


def test_a_log_that_somebody_cut(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no batch"):
        train(tmp_path, Breaking(37))
    log = tmp_path / "training.csv"
    log.write_text("\n".join(log.read_text().splitlines()[:3]) + "\n12,0.0")
    (tmp_path / "validation.csv").unlink()
    train(tmp_path)
    assert [row["step"] for row in read_log(log)] == [4, 8, *range(32, 61, 4)]
    assert [row["step"] for row in read_log(tmp_path / "validation.csv")] == [45, 60]


def test_objects_in_a_checkpoint_are_refused(tmp_path: Path) -> None:
    class Odd(Toy):
        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["odd"] = object()

    with pytest.raises(FormatError, match=r"\.odd is a object"):
        train(tmp_path, module=Odd())


def test_what_was_made_on_the_device_is_not_pinned() -> None:
    """Only memory of the CPU can be; a batch may be part here, part there."""
    elsewhere = torch.empty(3, device="meta")
    assert _pinned({"traces": elsewhere, "more": (elsewhere,)})["more"][0] is elsewhere
