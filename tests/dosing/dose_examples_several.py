"""Dose examples: several instructions. Concurrent ones are added up, steps never are (Q4)."""

from tests.dosing.dose_orders import (
    A_DAY,
    AMITRIPTYLINE_10,
    DAILY,
    Json,
    at_most,
    example,
    mg,
    order,
    per,
    quantity,
    refused,
    tablets,
    take,
)

BEDTIME = {"when": ["HS"]}
MORNING = {"when": ["MORN"]}


def step(number: int, dose: Json, repeat: Json = DAILY, **members: object) -> Json:
    """An instruction with its place in the order."""
    return take(dose, repeat, sequence=number, **members)


def during(dose: Json, start: str = "", end: str = "", repeat: Json = DAILY) -> Json:
    """An instruction for some days, without a sequence."""
    bounds = {name: day for name, day in (("start", start), ("end", end)) if day}
    return take(dose, {**repeat, "boundsPeriod": bounds})


CONCURRENT = (
    example("25 mg in the morning and 50 mg at bedtime", "Q4, same sequence",
            order(step(1, mg(25), MORNING), step(1, mg(50), BEDTIME)), "75", "75", "50", "75"),
    example("10 mg three times a day and 20 mg at bedtime", "US label, older adults",
            order(step(1, mg(10), per(3, 1, "d")), step(1, mg(20), BEDTIME)), "50", "50", "20", "50"),
    example("25 mg and 50 mg without a sequence", "Q4, absent sequence",
            order(take(mg(25), MORNING), take(mg(50), BEDTIME)), "75", "75", "50", "75", together=True),
    example("a tablet and a half, both at bedtime, are one dose", "Q4",
            order(step(1, mg(25), BEDTIME), step(1, mg(10), BEDTIME)), "35", "35", "35", "35"),
    example("70 mg a week beside 10 mg a day", "Q4 with Q2",
            order(step(1, mg(70), per(1, 1, "wk")), step(1, mg(10))), "20", "20", "70", "80"),
    example("25 mg at bedtime and 10 mg as needed", "Q4 with Q3",
            order(step(1, mg(25), BEDTIME),
                  step(1, mg(10), per(3, 1, "d"), asNeededBoolean=True, maxDosePerPeriod=at_most(mg(20), A_DAY))),
            "25", "45", "25", "45"),
    example("tablets beside milligrams", "Q4 with Q5",
            order(step(1, tablets(2), MORNING), step(1, mg(50), BEDTIME), drug=AMITRIPTYLINE_10),
            "70", "70", "50", "70"),
    example("one of two instructions has a sequence", "Q4, the order does not say",
            order(step(1, mg(10)), take(mg(25), DAILY)), "35", "35", "25", "35", together=True),
    example("periods that overlap", "Q4, the order does not say",
            order(during(mg(10), "2026-11-01", "2026-11-10"), during(mg(25), "2026-11-08", "2026-11-30")),
            "35", "35", "25", "35", together=True),
    example("periods that meet on one day", "Q4, both on that day",
            order(during(mg(10), "2026-11-01", "2026-11-08"), during(mg(25), "2026-11-08", "2026-11-30")),
            "35", "35", "25", "35", together=True),
    example("a period and no period", "Q4, the order does not say",
            order(during(mg(10), "2026-11-01", "2026-11-08"), take(mg(25), DAILY)),
            "35", "35", "25", "35", together=True),
    example("two starts without an end", "Q4, the order does not say",
            order(during(mg(10), "2026-11-01"), during(mg(25), "2026-11-08")), "35", "35", "25", "35", together=True),
    example("a period that ends before it starts", "Q4, hostile",
            order(during(mg(10), "2026-11-20", "2026-11-01"), during(mg(25), "2026-11-25", "2026-11-30")),
            "35", "35", "25", "35", together=True),
    refused("one of two without a unit", "Q4 with Q6", order(step(1, mg(25)), step(1, quantity(25))),
            "unit-missing", "dosageInstruction[1].doseAndRate[0].doseQuantity"),
    refused("one of two without a frequency", "Q4", order(step(1, mg(25)), take(mg(25), sequence=2)),
            "frequency-missing", "dosageInstruction[1].timing"),
    refused("a sequence that cannot be read, beside another", "Q4",
            order(step(1, mg(10)), take(mg(25), DAILY, sequence="b")),
            "element-unreadable", "dosageInstruction[1].sequence"),
    refused("bounds that cannot be read, beside others", "Q4",
            order(during(mg(10), "2026-11-01", "Invalid date"), during(mg(25), "2026-11-08")),
            "element-unreadable", "dosageInstruction[0].timing.repeat.boundsPeriod.end"),
)  # fmt: skip

WEEK = {"boundsDuration": {"value": 7, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}

STEPS = (
    example("10, then 25, then 50 mg at bedtime", "Article, 10 mg weekly steps; UK label",
            order(step(1, mg(10), {**BEDTIME, **WEEK}), step(2, mg(25), {**BEDTIME, **WEEK}), step(3, mg(50), BEDTIME)),
            "10", "50", "50", "50", steps=("10", "25", "50")),
    example("steps listed the other way round", "Q4, sequence decides",
            order(step(3, mg(50)), step(1, mg(10)), step(2, mg(25))), "10", "50", "50", "50", steps=("10", "25", "50")),
    example("a taper from 75 mg", "NICE NG222 taper", order(step(1, mg(75)), step(2, mg(50)), step(3, mg(25)),
            step(4, mg(10))), "10", "75", "75", "75", steps=("75", "50", "25", "10")),
    example("two doses in each of two steps", "US label, hospital 100 to 200 mg",
            order(step(1, mg(50), MORNING), step(1, mg(50), BEDTIME), step(2, mg(100), MORNING),
                  step(2, mg(100), BEDTIME)), "100", "200", "100", "200", steps=("100", "200")),
    example("sequences with a gap", "Q4", order(step(10, mg(10)), step(20, mg(25))),
            "10", "25", "25", "25", steps=("10", "25")),
    example("a weekly step before a daily one", "Q4 with Q2",
            order(step(1, mg(70), per(1, 1, "wk")), step(2, mg(25), per(2, 1, "d"))),
            "10", "50", "70", "70", steps=("10", "50")),
    example("a range as a step", "UK label, start 10-25 mg",
            order({"sequence": 1, "timing": {"repeat": DAILY}, "doseAndRate": [{"doseRange": {"low": mg(10),
                  "high": mg(25)}}]}, step(2, mg(50))), "10", "50", "50", "50", steps=("25", "50")),
    example("periods one after the other", "Q4, boundsPeriod",
            order(during(mg(10), "2026-11-01", "2026-11-07"), during(mg(25), "2026-11-08", "2026-11-30")),
            "10", "25", "25", "25", steps=("10", "25")),
    example("periods one after the other, listed the other way round", "Q4, boundsPeriod",
            order(during(mg(25), "2026-11-08", "2026-11-30"), during(mg(10), "2026-11-01", "2026-11-07")),
            "10", "25", "25", "25", steps=("10", "25")),
    example("periods the last of which is open", "Q4, boundsPeriod; titration then maintenance",
            order(during(mg(10), "2026-11-01", "2026-11-07"), during(mg(25), "2026-11-08", "2026-11-14"),
                  during(mg(50), "2026-11-15")), "10", "50", "50", "50", steps=("10", "25", "50")),
    example("until a day, then from the next on", "Q4, boundsPeriod",
            order(during(mg(50), end="2026-11-30"), during(mg(25), "2026-12-01")),
            "25", "50", "50", "50", steps=("50", "25")),
    example("a steadied dose after a rising one, as needed", "Q4 with Q3",
            order(step(1, mg(10)), step(2, mg(10), per(3, 1, "d"), asNeededBoolean=True)),
            "0", "30", "10", "30", steps=("10", "30")),
)  # fmt: skip

SEVERAL = (*CONCURRENT, *STEPS)
