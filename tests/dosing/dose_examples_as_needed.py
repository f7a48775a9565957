"""Dose examples: as needed. The worst case is the smaller of frequency and maximum; never without either (Q3)."""

from tests.dosing.dose_orders import (
    A_DAY,
    DAILY,
    Json,
    at_most,
    between,
    example,
    mg,
    order,
    per,
    quantity,
    refused,
    tablets,
    take,
)

A_WEEK = quantity(1, "week", "wk")
THREE_TIMES = per(3, 1, "d")
RESTLESS_LEGS = {"coding": [{"system": "http://snomed.info/sct", "code": "32914008", "display": "Restless legs"}]}


def as_needed(dose: Json, repeat: Json | None = None, *maxima: Json, **members: object) -> Json:
    """An as-needed order of amitriptyline 25 mg tablets."""
    most = {} if not maxima else {"maxDosePerPeriod": maxima[0] if len(maxima) == 1 else list(maxima)}
    return order(take(dose, repeat, asNeededBoolean=True, **most, **members))


WITH_FREQUENCY = (
    example("25 mg up to three times a day", "Q3, frequency", as_needed(mg(25), THREE_TIMES), "0", "75", "25", "75"),
    example("for a reason", "HL7 R4 example medicationstatementexample1",
            order(take(mg(25), THREE_TIMES, asNeededCodeableConcept=RESTLESS_LEGS)), "0", "75", "25", "75"),
    example("at bedtime", "Q3, event", as_needed(mg(25), {"when": ["HS"]}), "0", "25", "25", "25"),
    example("one to two tablets every 4 to 6 hours", "HL7 R4 example medicationrequest0301",
            order(between(tablets(1), tablets(2), per(1, 4, "h", periodMax=6), asNeededBoolean=True)),
            "0", "300", "50", "300"),
    example("a maximum below the frequency of what is not as needed", "Q3, maxDosePerPeriod",
            order(take(mg(25), per(4, 1, "d"), maxDosePerPeriod=at_most(mg(75), A_DAY))), "75", "75", "25", "75"),
    example("said not to be as needed", "Q3", order(take(mg(25), THREE_TIMES, asNeededBoolean=False)),
            "75", "75", "25", "75"),
)  # fmt: skip

WITH_MAXIMUM = (
    example("at most 75 mg a day", "Q3, maxDosePerPeriod", as_needed(mg(25), None, at_most(mg(75), A_DAY)),
            "0", "75", "25", "75"),
    example("a maximum below the frequency", "Q3, the smaller counts",
            as_needed(mg(25), THREE_TIMES, at_most(mg(50), A_DAY)), "0", "50", "25", "50"),
    example("a maximum above the frequency", "Q3, the smaller counts",
            as_needed(mg(25), THREE_TIMES, at_most(mg(100), A_DAY)), "0", "75", "25", "75"),
    example("a maximum in tablets", "Q3 with Q5", as_needed(mg(25), None, at_most(tablets(3), A_DAY)),
            "0", "75", "25", "75"),
    example("a maximum in grams", "Q3 with Q6", as_needed(mg(25), None, at_most(quantity(0.1, "g", "g"), A_DAY)),
            "0", "100", "25", "100"),
    example("a maximum in 24 hours", "Q3, hours",
            as_needed(mg(25), None, at_most(mg(75), quantity(24, "h", "h"))), "0", "75", "25", "75"),
    example("a maximum in 24 hours, in words", "Q3, hours",
            as_needed(mg(25), None, at_most(mg(75), quantity(24, "hours"))), "0", "75", "25", "75"),
    example("a maximum in 12 hours", "Q3, hours",
            as_needed(mg(25), None, at_most(mg(50), quantity(12, "h", "h"))), "0", "100", "25", "100"),
    example("a maximum in a week may be taken on one day", "Q3 with Q2",
            as_needed(mg(25), None, at_most(mg(75), A_WEEK)), "0", "75/7", "25", "75"),
    example("a maximum in two days may be taken on one", "Q3 with Q2",
            as_needed(mg(25), None, at_most(mg(100), quantity(2, "d", "d"))), "0", "50", "25", "100"),
    example("a maximum in a week beside three times a day", "Q3 with Q2",
            as_needed(mg(25), THREE_TIMES, at_most(mg(175), A_WEEK)), "0", "25", "25", "75"),
    example("two maxima, for a day and for a week", "R5 maxDosePerPeriod list",
            as_needed(mg(50), None, at_most(mg(100), A_DAY), at_most(mg(300), A_WEEK)), "0", "300/7", "50", "100"),
    example("once a week with a daily maximum", "Q3, the smaller counts",
            as_needed(mg(70), per(1, 1, "wk"), at_most(mg(60), A_DAY)), "0", "10", "60", "60"),
    example("a maximum below one dose", "Q3", as_needed(mg(50), None, at_most(mg(25), A_DAY)),
            "0", "25", "25", "25"),
    example("a range of tablets and a maximum", "HL7 R4 example medicationrequest0301",
            order(between(tablets(1), tablets(2), per(1, 4, "h", periodMax=6), asNeededBoolean=True,
                          maxDosePerPeriod=at_most(tablets(8), A_DAY))), "0", "200", "50", "200"),
    example("a frequency that is not understood, and a maximum", "Q3, the maximum bounds it",
            as_needed(mg(25), {"when": ["C"]}, at_most(mg(50), A_DAY)), "0", "50", "25", "50"),
)  # fmt: skip

OPEN = (
    refused("neither frequency nor maximum", "Q3", as_needed(mg(25)), "daily-maximum-not-stated", "maxDosePerPeriod"),
    refused("only bounds", "Q3", as_needed(mg(25), {"boundsPeriod": {"start": "2026-11-01"}}),
            "daily-maximum-not-stated", "maxDosePerPeriod"),
    refused("a frequency that is not understood", "Q3", as_needed(mg(25), {"when": ["C"]}),
            "frequency-unknown", "timing.repeat.when"),
    refused("a frequency that contradicts itself", "Q3",
            as_needed(mg(25), per(1, 1, "d", when=["MORN", "HS"]), at_most(mg(50), A_DAY)),
            "frequency-conflict", "timing.repeat.when"),
    refused("a maximum of nothing", "Q3", as_needed(mg(25), None, at_most(mg(0), A_DAY)),
            "dose-unclear", "maxDosePerPeriod"),
    refused("a maximum below nothing", "Q3", as_needed(mg(25), DAILY, at_most(mg(-50), A_DAY)),
            "dose-unclear", "maxDosePerPeriod"),
    refused("a maximum without a value", "Q3", as_needed(mg(25), DAILY, at_most({"unit": "mg"}, A_DAY)),
            "element-unreadable", "maxDosePerPeriod"),
    refused("a maximum without a unit", "Q3 with Q6", as_needed(mg(25), DAILY, at_most(quantity(50), A_DAY)),
            "unit-missing", "maxDosePerPeriod"),
    refused("a maximum whose unit contradicts itself", "Q3 with Q6",
            as_needed(mg(25), DAILY, at_most(quantity(50, "mg", "ug"), A_DAY)), "unit-conflict", "maxDosePerPeriod"),
    refused("a maximum in no time", "Q3", as_needed(mg(25), None, at_most(mg(50), quantity(0, "d", "d"))),
            "frequency-unknown", "maxDosePerPeriod"),
    refused("a maximum in an unknown time", "Q3", as_needed(mg(25), None, at_most(mg(50), quantity(1, "course"))),
            "frequency-unknown", "maxDosePerPeriod"),
)  # fmt: skip

AS_NEEDED = (*WITH_FREQUENCY, *WITH_MAXIMUM, *OPEN)
