"""A proportion of cases with its confidence interval."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Rate:
    """``part`` of ``whole`` cases."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """The share, 0 to 1; None without cases."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share after Wilson (1927), which holds for few cases too; None without cases."""
        if not self.whole:
            return None
        n, p, z = self.whole, self.part / self.whole, _Z
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half if self.part else 0.0), (middle + half if self.part < n else 1.0)


def trend(before: Rate, recent: Rate) -> str:
    """ "rising" or "falling" where the intervals do not overlap, else "no clear change"; empty without cases."""
    earlier, later = before.interval, recent.interval
    if earlier is None or later is None:
        return ""
    if later[0] > earlier[1]:
        return "rising"
    return "falling" if later[1] < earlier[0] else "no clear change"
