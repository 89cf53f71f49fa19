"""What one line says: the median and the 95th percentile, and of how many."""

import statistics
from collections.abc import Sequence
from typing import Any


def milliseconds(times: Sequence[float]) -> dict[str, float]:
    """p50 and p95 of times in seconds."""
    return {
        "p50_ms": round(statistics.median(times) * 1000, 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1] * 1000, 2),
    }


def beside_bare(name: str, ours: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    """Both, measured in turn in the same run, and how many times as long ours takes."""
    here, limit = milliseconds(ours), milliseconds(bare)
    return {
        "name": name,
        **here,
        **{f"bare_{key}": value for key, value in limit.items()},
        "ratio": round(statistics.median(ours) / statistics.median(bare), 2),
        "requests": len(ours),
    }
