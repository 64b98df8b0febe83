"""``spikeline``: everything a rule does, by hand; and the checks of configurations and results."""

from __future__ import annotations

import click

from spikeline import __version__
from spikeline.cli.configuration import config
from spikeline.cli.dynamics import molds
from spikeline.cli.group import Commands
from spikeline.cli.results import compare, verify
from spikeline.cli.simulation import compile_mechanisms, currents, record, rheobase
from spikeline.cli.sorting import score, sort_command
from spikeline.cli.training import ship_weights, train

__all__ = ["command_line", "main"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=Commands, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="spikeline")
def command_line() -> None:
    """From biophysical neurons to sorted, scored recordings, and from trajectories to mixtures, step by step.

    The workflow (`snakemake`) runs these steps for you; here each can be run by hand on files of your own.
    Exit codes: 0 all well, 1 a check found something, 2 an error.
    """


_STEPS = (compile_mechanisms, rheobase, currents, record, train, ship_weights, sort_command, score)
for command in (verify, compare, config, *_STEPS, molds):
    command_line.add_command(command)


def main() -> None:
    """Entry point of the command ``spikeline``."""
    command_line(prog_name="spikeline")
