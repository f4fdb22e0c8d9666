"""The life of a service process: start, probes, loops that can stop, an orderly end."""

from shared.lifecycle.checks import Check
from shared.lifecycle.loops import repeat
from shared.lifecycle.probes import add_probes, serve_probes
from shared.lifecycle.process import Serve, run_process

__all__ = ["Check", "Serve", "add_probes", "repeat", "run_process", "serve_probes"]
