"""Kidney function, and the doses of other drugs that labels make depend on it (R21 to R23)."""

from datetime import timedelta
from typing import Any

from service.chart import Chart, Measurement
from service.engine.finding import Threshold, Thresholds

CLEARANCE = ("creatinine-clearance-cockcroft-gault", "creatinine-clearance-24h-urine")
COMPUTED = "egfr-computed"
"""What the chart computes from creatinine where no filtration rate is as new."""

FILTRATION = (
    "egfr-ckd-epi-2021",
    "egfr-ckd-epi-2009",
    "egfr-formula-unspecified",
    "egfr-mdrd",
    "egfr-mdrd-77147-7",
    COMPUTED,
)


def kidney_function(chart: Chart, most: Threshold) -> Measurement | None:
    """The latest creatinine clearance, else the latest eGFR, in mL/min and not older than that; None when unknown."""
    earliest = chart.today - timedelta(days=int(most.value))
    for kinds in (CLEARANCE, FILTRATION):
        found = [
            m
            for m in chart.measurements
            if m.kind in kinds
            and m.unit == "mL/min"
            and m.exact
            and m.value is not None
            and earliest <= m.taken <= chart.today
        ]
        if found:
            # Of several of one day the lowest: laboratories report a value for each population.
            return max(found, key=lambda m: (m.taken, -(m.value or 0)))
    return None


def is_clearance(kidney: Measurement | None) -> bool:
    """True for a creatinine clearance, by which labels go, and not an eGFR."""
    return kidney is not None and kidney.kind in CLEARANCE


def band(kidney: Measurement | None, thresholds: Thresholds) -> str:
    """ "normal", "moderate", "severe" or "failure" as the labels divide kidney function; "unknown" without a value."""
    value = kidney.value if kidney is not None else None
    if value is None:
        return "unknown"
    if value <= thresholds["renal_failure"].value:
        return "failure"
    if value < thresholds["renal_severe"].value:
        return "severe"
    return "moderate" if value < thresholds["renal_moderate"].value else "normal"


def renal_doses(kidney: Measurement | None, thresholds: Thresholds) -> dict[str, Any]:
    """The labels' daily ranges of gabapentin and pregabalin where kidneys are known to be worse than good."""
    found = band(kidney, thresholds)
    if found in ("unknown", "normal"):
        return {"band": found}
    drugs = ("gabapentin", "pregabalin")
    ranges = {
        f"{drug}_range": (thresholds[f"{drug}_{found}_low"], thresholds[f"{drug}_{found}_high"]) for drug in drugs
    }
    return {"band": found, **ranges}
