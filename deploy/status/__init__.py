"""What the running services tell of themselves, read at their internal ports, summed up and shown on a terminal."""

from deploy.status.advice import Finding, findings, next_step
from deploy.status.parts import PartSeen, parts_of
from deploy.status.read import Reading, read_all
from deploy.status.servers import silent_servers
from deploy.status.show import render
from deploy.status.summarise import summarise
from deploy.status.summary import Summary
from deploy.status.targets import Target, local_targets, targets_at

__all__ = [
    "Finding",
    "PartSeen",
    "Reading",
    "Summary",
    "Target",
    "findings",
    "local_targets",
    "next_step",
    "parts_of",
    "read_all",
    "render",
    "silent_servers",
    "summarise",
    "targets_at",
]
