"""Run a training as a job of a queue: submit, wait, put it back when its time is up, check what it left.

submitit does the submitting and, inside the job, the putting back: some time before the limit the training is sent a
signal, keeps a checkpoint (`spikeline.training.stopping`), and the same job is queued once more. A training is one
process on one node.

submitit hands the function and its arguments to the job as a pickle, in a folder that only its owner may enter. Nobody
else's pickles are ever read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeline.artifacts import read_json, read_manifest, write_json
from spikeline.config.queue import QueueSettings
from spikeline.errors import ConfigError, DataError, SpikelineError
from spikeline.training.folder_lock import folder_lock

if TYPE_CHECKING:
    from submitit.core.core import Job

__all__ = ["queue_folder", "run_in_queue"]

_RECORD_SCHEMA = "queued-training"
_ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}
_LOCAL_END_S = 10.0  # submitit gives a cancelled training a second before it is killed
_FILE_SYSTEM_S = 15.0  # until another node's files are seen here


def queue_folder(output: Path) -> Path:
    """Where a queued training's job keeps its files, until it has succeeded: hidden, beside the output."""
    return output.parent / f".{output.name}.queue"


class _Restartable:
    """A function that goes on where it stopped when it is called again, as submitit wants it."""

    def __init__(self, function: Callable[..., None], arguments: Mapping[str, Any]) -> None:
        self.function, self.arguments = function, dict(arguments)

    def __call__(self) -> None:
        self.function(**self.arguments)

    def checkpoint(self) -> Any:
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def run_in_queue(
    function: Callable[..., None],
    arguments: Mapping[str, Any],
    output: str | Path,
    queue: QueueSettings,
    *,
    name: str,
    key: str,
    poll_s: float = 5.0,
) -> None:
    """Call a function in a job of a queue, and wait for it.

    Started again, after a crash or a reboot of this machine, it waits for the job that is there. Ctrl-C and SIGTERM
    cancel the job; its checkpoints stay, and the next call goes on from them.

    Parameters
    ----------
    function
        Defined in a module of the package; it trains with `spikeline.training.fit` and writes ``output``.
    arguments
        Of the function: plain values.
    output
        An artefact, whose manifest says that it is whole.
    queue
        What to ask the queue for.
    name
        Of the job.
    key
        Hash of what the output depends on: only a job with the same one is waited for.
    poll_s
        Seconds between two looks at the job.

    Raises
    ------
    ConfigError
        If submitit or SLURM is missing, or this is a job of SLURM itself.
    DataError
        If the job fails or ends without its output, another call waits for it, or one that computes something else is
        in its place.
    """
    _check_possible(queue)
    output = Path(output)
    folder = queue_folder(output)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with folder_lock(folder):
        job = _found(folder, key)
        if job is None:
            job = _submitted(function, arguments, folder, queue, name)
            record = {"job_id": job.job_id, "key": key, "cluster": queue.cluster}
            write_json(folder / "job.json", record, schema=_RECORD_SCHEMA)
            print(f"{name}: job {job.job_id}, log {job.paths.stdout}", flush=True)
        else:
            print(f"{name}: waits for job {job.job_id}, which is there already", flush=True)
        with _cancelled_if_stopped(job):
            while _is_alive(job):
                time.sleep(poll_s)
        _check_outcome(job, output, name)
    shutil.rmtree(folder, ignore_errors=True)


def _check_possible(queue: QueueSettings) -> None:
    try:
        import submitit  # noqa: F401
    except ImportError:
        raise ConfigError(
            "submitit, which sends a training to a queue, is not installed",
            "the package submitit",
            "pip install 'spikeline[workflow]'",
        ) from None
    if queue.cluster != "slurm":
        return
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        raise ConfigError(
            "there is no SLURM on this machine: sbatch and srun were not found",
            "a login node of a cluster",
            "start it there, or leave --submit out; {cluster: local} tries it without a cluster",
        )
    if "SLURM_JOB_ID" in os.environ:
        raise ConfigError(
            f"this is job {os.environ['SLURM_JOB_ID']} of SLURM itself",
            "a login node: a job that waits for another one holds its node for nothing",
            "start it outside of the job, or leave --submit out",
        )


def _submitted(
    function: Callable[..., None], arguments: Mapping[str, Any], folder: Path, queue: QueueSettings, name: str
) -> Job[None]:
    import submitit

    executor = submitit.AutoExecutor(
        folder=folder,
        cluster=queue.cluster,
        slurm_max_num_timeout=queue.restarts,
        local_max_num_timeout=queue.restarts,
    )
    wanted = {
        "name": name,
        "timeout_min": queue.minutes,
        "cpus_per_task": queue.cpus,
        "mem_gb": queue.memory_mb / 1024,
        "gpus_per_node": queue.gpus,
        "nodes": 1,
        "tasks_per_node": 1,
        "stderr_to_stdout": True,
        "slurm_signal_delay_s": queue.warning_s,
        "slurm_partition": queue.partition,
        "slurm_account": queue.account,
    }
    executor.update_parameters(**{option: value for option, value in wanted.items() if value is not None})
    with _heeding_interrupts():
        return executor.submit(_Restartable(function, arguments))


@contextlib.contextmanager
def _heeding_interrupts() -> Iterator[None]:
    """What is started here ends on SIGINT, by which a local job is cancelled.

    A process that ignores it, as those do that a script starts with ``&``, would hand that on to its children.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _found(folder: Path, key: str) -> Job[None] | None:
    """The job of an earlier call, if it still runs or has succeeded; None if there is none to wait for."""
    if not (folder / "job.json").is_file():
        return None
    record = read_json(folder / "job.json")
    job = _job(folder, record)
    alive = _is_alive(job)
    if alive and record["key"] != key:
        raise DataError(
            f"job {job.job_id} is at work on the same output with other settings",
            "one training per output at a time",
            f"wait for it, or cancel it ({'scancel' if record['cluster'] == 'slurm' else 'kill'} {job.job_id})",
        )
    succeeded = job.paths.result_pickle.exists() and job.exception() is None
    return job if alive or (succeeded and record["key"] == key) else None


def _job(folder: Path, record: Mapping[str, Any]) -> Job[None]:
    from submitit.local.local import LocalJob
    from submitit.slurm.slurm import SlurmJob

    return (SlurmJob if record["cluster"] == "slurm" else LocalJob)(folder, record["job_id"])


def _is_slurms(job: Job[None]) -> bool:
    from submitit.slurm.slurm import SlurmJob

    return isinstance(job, SlurmJob)


def _is_alive(job: Job[None]) -> bool:
    """Whether there is something to wait for. Asks squeue: many clusters keep no accounts, by which submitit goes."""
    if job.paths.result_pickle.exists():
        return False
    if not _is_slurms(job):
        return _local_is_alive(job)
    asked = subprocess.run(
        ["squeue", "--noheader", "--states=all", f"--jobs={job.job_id}", "--format=%T"], capture_output=True, text=True
    )
    if asked.returncode != 0:
        return "Invalid job id" not in asked.stderr  # anything else: the controller is busy, ask again
    return bool(states := asked.stdout.split()) and not set(states) <= _ENDED


def _local_is_alive(job: Any) -> bool:
    if job._process is not None:  # a child of this process, which has to be asked or it stays as a zombie
        return job._process.poll() is None
    try:
        os.kill(int(job.job_id), 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def _cancelled_if_stopped(job: Job[None]) -> Iterator[None]:
    """Cancel the job if this process is told to stop."""

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if in_main_thread else None
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        print(f"cancels job {job.job_id}", flush=True)
        if _is_slurms(job):
            job.cancel(check=False)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGINT)
            # the next call must not take it for a job that is still at work
            deadline = time.monotonic() + _LOCAL_END_S
            while _local_is_alive(job) and time.monotonic() < deadline:
                time.sleep(0.05)
        raise
    finally:
        if in_main_thread:
            signal.signal(signal.SIGTERM, before)


def _check_outcome(job: Job[None], output: Path, name: str) -> None:
    deadline = time.monotonic() + _FILE_SYSTEM_S
    while not job.paths.result_pickle.exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    log = job.paths.stdout
    if not job.paths.result_pickle.exists():
        raise DataError(
            f"{name}: job {job.job_id} ended without a word",
            "a job that ends by itself",
            f"read {log}; ask for more memory if it was killed for it, then start again: its checkpoints are kept",
        )
    if (failure := job.exception()) is not None:
        raise DataError(
            f"{name}: job {job.job_id} failed: {_reason(str(failure))}",
            "a training that ends",
            f"read {log}, then start again: it goes on from its last checkpoint",
        )
    try:
        read_manifest(output)
    except SpikelineError as error:
        raise DataError(
            f"{name}: job {job.job_id} ended well, but {error.seen}",
            f"{output} and its manifest",
            "make sure that the folder is the same on this machine and on the nodes",
        ) from error


def _reason(failure: str) -> str:
    """The last exception of a traceback as submitit gives it, with all lines of its message."""
    traceback = failure.partition("-" * 22)[2].partition("-" * 22)[0].rstrip() or failure
    lines = traceback.splitlines()
    last = max((i for i, line in enumerate(lines) if line.startswith(("  File ", "    "))), default=-1)
    return "\n".join(lines[last + 1 :]).strip() or lines[-1]
