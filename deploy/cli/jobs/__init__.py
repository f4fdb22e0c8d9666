"""`instadistro jobs`: what an operator sees of the jobs, and does about them; one file a command."""

from __future__ import annotations

import click

from deploy.cli.jobs.dead import dead, show
from deploy.cli.jobs.discard import discard
from deploy.cli.jobs.recurring import pause, recurring, resume, run
from deploy.cli.jobs.redrive import redrive
from deploy.cli.jobs.stats import stats


@click.group(commands=[stats, dead, show, redrive, discard, recurring, pause, resume, run])
def jobs() -> None:
    """Look after jobs.

    The settings come from the environment, and what is missing there from the private system that runs on this machine.
    """
