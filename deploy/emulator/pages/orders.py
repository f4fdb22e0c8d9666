"""What the emulator was told to do, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec

from deploy.emulator.faults import Fault
from deploy.emulator.options import Options

_FAULTS_SHOWN = 50


def orders(options: Options, usual: Options, faults: Sequence[Fault]) -> str:
    """Options that are not as usual and faults that wait, at a glance; every option behind it."""
    now, before = msgspec.to_builtins(options), msgspec.to_builtins(usual)
    hidden = {"app_secret"}
    shown = {name: value for name, value in now.items() if name not in hidden}
    changed = [f"{name} = {value}" for name, value in shown.items() if value != before[name]]
    waiting = [_sentence(fault) for fault in faults[:_FAULTS_SHOWN]]
    chips = "".join(f'<span class="chip warn">{escape(text)}</span>' for text in (*changed, *waiting))
    rows = "".join(f"<tr><td>{name}</td><td>{escape(str(value))}</td></tr>" for name, value in shown.items())
    glance = f'<div class="bar">{chips}</div>' if chips else '<p class="soft">Usual options, no faults waiting.</p>'
    return f'{glance}<details class="soft"><summary>options</summary><table>{rows}</table></details>'


def _sentence(fault: Fault) -> str:
    told = f" {fault.error.code}/{fault.error.subcode}" if fault.error else ""
    chance = f", {fault.probability:.0%} of calls" if fault.probability < 1 else ""
    whose = f" of {fault.ig_user_id}" if fault.ig_user_id else ""
    return f"{fault.kind_name}{told} on {fault.endpoint}{whose}: {fault.left:,} left{chance}"
