"""The log files and the progress bar."""

from __future__ import annotations

import importlib.util
import io
import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from spikeline.errors import ConfigError, DataError, NumericalError
from spikeline.progress import ProgressBar
from spikeline.training.csv_log import CsvLog, read_log
from spikeline.training.losses import Losses
from tests.training.toy import ToyBatches, toy, train, weights


def test_rows_come_back_and_the_file_can_be_set_back(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CsvLog(path)
    log.append({"step": 1, "a, b": 0.1})
    length = log.commit()
    log.append({"step": 2, "a, b": math.nan})
    assert read_log(path)[0] == {"step": 1.0, "a, b": 0.1}
    assert math.isnan(read_log(path)[1]["a, b"])
    log.close()
    log = CsvLog(path, length)
    log.append({"step": 3, "a, b": 0.3})
    log.close()
    assert path.read_text() == 'step,"a, b"\n1,0.1\n3,0.3\n'
    CsvLog(path).close()
    assert read_log(path) == read_log(tmp_path / "none.csv") == []


def test_columns_do_not_change(tmp_path: Path) -> None:
    log = CsvLog(tmp_path / "log.csv")
    log.append({"step": 1, "a": 1.0})
    with pytest.raises(DataError, match="a row has the values step, b"):
        log.append({"step": 2, "b": 1.0})
    log.close()


def test_losses() -> None:
    losses = Losses()
    losses.add(1, torch.tensor(1.0, requires_grad=True))
    losses.add(2, {"loss": torch.tensor(2.0)})
    losses.check()
    other = Losses()
    other.restore(losses.state())
    other.add(3, {"loss": torch.tensor(6.0)})
    other.check()
    assert other.take() == {"loss": 3.0}
    other.add(4, torch.tensor(1.0))
    other.add(5, torch.tensor(math.nan))
    other.add(6, torch.tensor(math.nan))
    with pytest.raises(NumericalError, match="the loss is nan at step 5"):
        other.check()


def test_losses_of_changing_names() -> None:
    losses = Losses()
    losses.add(1, {"loss": torch.tensor(1.0), "a": 2.0})
    losses.add(2, {"loss": torch.tensor(1.0)})
    with pytest.raises(DataError, match="different names"):
        losses.check()
    with pytest.raises(DataError, match="at step 3"):
        losses.add(3, {"error": torch.tensor(1.0)})


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_on_a_terminal_only(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    bar = ProgressBar("toy", 100)
    bar.show(50, "loss 0.25")
    bar.close()
    assert ("50/100" in stream.getvalue() and "loss 0.25" in stream.getvalue()) == terminal
    assert bool(stream.getvalue()) == terminal


def test_tensorboard_shows_the_rows_of_the_csv_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    class Breaking(ToyBatches):
        def batch(self, step: int) -> Any:
            if step >= 37:
                raise DataError("no batch", "a batch", "wait")
            return super().batch(step)

    with pytest.raises(DataError, match="no batch"):
        train(tmp_path / "a", Breaking(), tensorboard=True)  # its last rows are after the checkpoint of step 30
    result = train(tmp_path / "a", tensorboard=True)
    assert result.resumed_from == 30
    shown = EventAccumulator(str(tmp_path / "a" / "tensorboard"))
    shown.Reload()
    for log, rows in (("training", result.losses), ("validation", result.validations)):
        for metric in set(rows[0]) - {"step"}:
            curve = shown.Scalars(f"{log}/{metric}")
            assert [event.step for event in curve] == [row["step"] for row in rows]
            assert [event.value for event in curve] == pytest.approx([row[metric] for row in rows], rel=1e-6)


def test_tensorboard_changes_no_weights_and_may_be_turned_on_later(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    plain, shown = toy(), toy()
    train(tmp_path / "plain", module=plain)
    train(tmp_path / "plain", tensorboard=True)
    train(tmp_path / "shown", module=shown, tensorboard=True)
    assert weights(shown) == weights(plain)


def test_tensorboard_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "tensorboard" else original(name, *more)
    )
    with pytest.raises(ConfigError, match=r"tensorboard is not installed[\s\S]*spikeline\[tensorboard\]"):
        train(tmp_path / "a", tensorboard=True)
    assert not (tmp_path / "a").exists()
    assert train(tmp_path / "a").step == 60
