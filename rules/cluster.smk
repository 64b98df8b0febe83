# A run that ends early leaves nothing behind on the cluster.
import re
import shutil
import subprocess
from pathlib import Path


def cancel_leftovers(logs):
    """Cancel what this run still has in SLURM.

    The executor cancels the jobs it knows at that moment. It does not know a job whose submission is under way, nor any
    while it waits for a late output file, so a Ctrl-C can miss them. All jobs of a run carry the run's id as their name,
    and the id is in the log.
    """
    if shutil.which("scancel") is None:
        return
    for file in [logs] if isinstance(logs, str) else logs:
        for run_id in re.findall(r"SLURM run ID: (\S+)", Path(file).read_text()):
            subprocess.run(["scancel", f"--name={run_id}"], timeout=60, check=False)


onerror:
    cancel_leftovers(log)
