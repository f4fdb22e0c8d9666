"""Private servers for one machine: the whole system without containers, in a state directory of its own."""

from deploy.local.happenings import Happening
from deploy.local.instance import Instance, InstanceBusyError, open_instance
from deploy.local.log_stream import BoundedFile, Log
from deploy.local.part import Part
from deploy.local.patience import PartFailedError, Patience
from deploy.local.ports import Ports, PortsTakenError, free_ports, read_ports
from deploy.local.system import System

__all__ = [
    "BoundedFile",
    "Happening",
    "Instance",
    "InstanceBusyError",
    "Log",
    "Part",
    "PartFailedError",
    "Patience",
    "Ports",
    "PortsTakenError",
    "System",
    "free_ports",
    "open_instance",
    "read_ports",
]
