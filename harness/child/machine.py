"""The state of the machine around and during a measurement. Free of TensorFlow."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

_PROBE_WORK = range(4000)


def probe_s() -> float:
    """Seconds for a fixed piece of pure Python work, about 0.1 ms: slower means contended.

    The faster of two, so that one interrupt is not taken for a contended machine.
    """
    clock = time.perf_counter
    best = float("inf")
    for _ in range(2):
        start = clock()
        sum(_PROBE_WORK)
        best = min(best, clock() - start)
    return best


@dataclass(frozen=True)
class Snapshot:
    """Counters of the whole machine at one moment."""

    load_1min: float
    cpu_s: float
    """CPU seconds of every process since boot, all cores."""
    own_cpu_s: float
    """CPU seconds of this process and its threads."""
    steal_s: float
    """CPU seconds that the hypervisor gave to others."""
    swapped_bytes: int
    frequency_mhz: float | None

    @classmethod
    def take(cls) -> Snapshot:
        """Read the counters now."""
        cpu = psutil.cpu_times()
        busy = sum(cpu) - cpu.idle - getattr(cpu, "iowait", 0.0)
        # Guests' time is counted in user time already.
        busy -= getattr(cpu, "guest", 0.0) + getattr(cpu, "guest_nice", 0.0)
        own = psutil.Process().cpu_times()
        swap = psutil.swap_memory()
        frequency = psutil.cpu_freq()
        return cls(
            load_1min=os.getloadavg()[0],
            cpu_s=busy - getattr(cpu, "steal", 0.0),
            own_cpu_s=own.user + own.system,
            steal_s=getattr(cpu, "steal", 0.0),
            swapped_bytes=swap.sin + swap.sout,
            frequency_mhz=frequency.current if frequency else None,
        )


def change(before: Snapshot, after: Snapshot, wall_s: float, probes: list[float]) -> dict[str, Any]:
    """What the machine did during a measurement, with warnings in words.

    Args:
        before: counters when the timed blocks began.
        after: counters when they ended.
        wall_s: seconds between them.
        probes: seconds of the probe, one a block.
    """
    cores = os.cpu_count() or 1
    available = max(wall_s * cores, 1e-9)
    others = max(0.0, (after.cpu_s - before.cpu_s) - (after.own_cpu_s - before.own_cpu_s))
    steal = after.steal_s - before.steal_s
    swapped = after.swapped_bytes - before.swapped_bytes
    fastest, typical = (min(probes), sorted(probes)[len(probes) // 2]) if probes else (None, None)
    warnings = []
    if others / available > 0.1:
        warnings.append(f"other processes used {others / available:.0%} of the CPU time")
    if steal / available > 0.02:
        warnings.append(f"the hypervisor gave {steal / available:.0%} of the CPU time to others")
    if swapped > 0:
        warnings.append(f"the machine swapped {swapped / 2**20:.1f} MiB")
    if fastest and typical and typical > 1.25 * fastest:
        warnings.append(
            f"fixed Python work took {typical / fastest:.2f} times its fastest, in the median"
        )
    if before.frequency_mhz and after.frequency_mhz:
        ratio = after.frequency_mhz / before.frequency_mhz
        if not 0.9 < ratio < 1.1:
            warnings.append(
                f"the CPU's frequency went from {before.frequency_mhz:.0f} to "
                f"{after.frequency_mhz:.0f} MHz"
            )
    return {
        "others_share": others / available,
        "steal_share": steal / available,
        "swapped_bytes": swapped,
        "probe_fastest_s": fastest,
        "probe_median_s": typical,
        "before": asdict(before),
        "after": asdict(after),
        "warnings": warnings,
    }


def cpu_model() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
