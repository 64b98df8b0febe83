"""One sorter on one recording, measured once. Every sorter runs by this program, the peers in an environment of theirs.

    python sorting_run.py job.json result.json

The job names a recording's folder (SpikeInterface's binary format), the sorter, its parameters, the number of cores it
is held to (null: as many as there are) and where its spikes go. The result holds the seconds of ``run_sorter`` after a
first sorting of a short stretch, which compiles what the sorter compiles and whose seconds stand apart, and the largest
memory the process ever held.
"""

import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

START = time.perf_counter()


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far.

    The system's ``ru_maxrss`` begins with what the parent held when it started this process, so Linux's own count for
    this program comes first.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3 * 1.024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def keep_to_cores(count: int | None) -> int:
    """Leave this process the first ``count`` of its cores, where the system can; how many it has then."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    if count is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    return len(os.sched_getaffinity(0))


def versions(names: list[str]) -> dict[str, str]:
    known = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            known[name] = importlib.metadata.version(name)
    return known


def last_error(error: BaseException) -> str:
    """SpikeInterface puts the sorter's whole traceback into its own error; the last error named there is the cause."""
    lines = [line.strip() for line in str(error).splitlines() if "Error: " in line or "Exception: " in line]
    return lines[-1] if lines else f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def main(job_file: str, result_file: str) -> None:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    cores = keep_to_cores(job["cores"])
    import numpy as np
    import spikeinterface
    from spikeinterface.sorters import run_sorter, sorter_dict

    if job["sorter"] == "simsort":
        import spikeline.sorting  # noqa: F401 (it registers the sorter)
    if not job["warm_up_s"]:
        # Without a first sorting, what was compiled before is taken from the disk, where spikeline keeps it
        with contextlib.suppress(ImportError):
            from spikeline.sorting.compiled_kernels import keep_compiled_kernels

            keep_compiled_kernels()
    result = {
        "cores": cores,
        "versions": versions(["spikeinterface", "torch", "numba", *job["packages"]]),
        "status": "sorted",
    }

    def sort(recording: spikeinterface.BaseRecording) -> tuple[float, float, spikeinterface.BaseSorting]:
        with tempfile.TemporaryDirectory() as folder:
            start, processor_start = time.perf_counter(), time.process_time()
            found = run_sorter(
                job["sorter"], recording, folder=Path(folder) / "sorting", verbose=False, **job["parameters"]
            )
            seconds = time.perf_counter() - start
            return seconds, time.process_time() - processor_start, spikeinterface.NumpySorting.from_sorting(found)

    if job["sorter"] not in sorter_dict or not sorter_dict[job["sorter"]].is_installed():
        result["status"] = "not installed"
    else:
        recording = spikeinterface.load(job["recording"])
        if recording.get_channel_groups() is None:  # Kilosort4's wrapper asks for it, one shank or not
            recording.set_channel_groups([0] * recording.get_num_channels())
        result["start_s"] = time.perf_counter() - START
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if job["warm_up_s"]:
                stretch = recording.frame_slice(0, round(job["warm_up_s"] * recording.get_sampling_frequency()))
                start = time.perf_counter()
                try:
                    sort(stretch)
                except Exception as error:  # a stretch may be too short for a sorter; what it compiled is compiled
                    result["warm_up_error"] = last_error(error)
                result["warm_up_s"] = time.perf_counter() - start
            start = time.perf_counter()
            try:
                seconds, processor_seconds, found = sort(recording)
            except Exception as error:  # whatever a sorter fails with: it is a result too
                traceback.print_exc()
                result |= {"status": f"failed: {last_error(error)}", "seconds": time.perf_counter() - start}
            else:
                spikes = found.to_spike_vector()
                np.savez(
                    job["spikes"],
                    spike_samples=spikes["sample_index"].astype(np.int64),
                    unit_index=spikes["unit_index"].astype(np.int64),
                    n_units=len(found.unit_ids),
                )
                result |= {"seconds": seconds, "processor_seconds": processor_seconds}
        result["peak_mb"] = peak_memory_mb()
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
