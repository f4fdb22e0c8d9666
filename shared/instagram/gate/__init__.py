"""The gate before the platform: who may call it now, as its limits and its health allow, for all processes together."""

from shared.instagram.gate.gate import PlatformGate
from shared.instagram.gate.opening import open_gate
from shared.instagram.gate.wait import Wait

__all__ = ["PlatformGate", "Wait", "open_gate"]
