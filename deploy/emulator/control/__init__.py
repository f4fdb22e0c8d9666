from __future__ import annotations

from deploy.emulator.control.routes import add_control_routes

__all__ = ["add_control_routes"]
