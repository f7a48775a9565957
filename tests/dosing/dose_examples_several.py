"""Dose examples: several instructions. Concurrent ones are added up, steps never are (Q4)."""

from tests.dosing.dose_orders import (
    A_DAY,
    AMITRIPTYLINE_10,
    DAILY,
    QUANTITY,
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
            order(take(mg(25), MORNING), take(mg(50), BEDTIME)), "75", "75", "50", "75"),
    example("25 mg and 50 mg, neither a sequence nor a time of the day", "Q4, the order does not say",
            order(take(mg(25), DAILY), take(mg(50), DAILY)), "75", "75", "50", "75", together=True),
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
    example("two doses on weekdays that they do not share", "Q2, no day has both",
            order(take(mg(100), {**DAILY, "dayOfWeek": ["mon", "wed", "fri"]}),
                  take(mg(75), {**DAILY, "dayOfWeek": ["tue", "thu", "sat", "sun"]})),
            "600/7", "600/7", "100", "100"),
    example("two doses on weekdays of which one is shared", "Q2, Wednesday has both",
            order(step(1, mg(50), {**DAILY, "dayOfWeek": ["mon", "wed"]}),
                  step(1, mg(25), {**DAILY, "dayOfWeek": ["wed", "fri"]})),
            "150/7", "150/7", "50", "75"),
    example("some weekdays beside every day", "Q2, Monday has both",
            order(step(1, mg(25), {**DAILY, "dayOfWeek": ["mon"]}), step(1, mg(25), DAILY)),
            "200/7", "200/7", "25", "50"),
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


def stage(number: int, dose: Json, repeat: Json = DAILY, **members: object) -> Json:
    """An instruction with its place in the order, for a week."""
    return take(dose, {**WEEK, **repeat}, sequence=number, **members)


def split(number: int | None, dose: Json, when: str, start: str = "", end: str = "") -> Json:
    """A part of the day, as Swiss split dosing numbers it."""
    bounds = {name: day for name, day in (("start", start), ("end", end)) if day}
    sequence = {} if number is None else {"sequence": number}
    return take(dose, {"when": [when], **({"boundsPeriod": bounds} if bounds else {})}, **sequence)


TODAY, LATER = "2026-11-20", "2027-02-10"

SPLIT = (
    example("morning and evening, numbered, a start in the first", "CH EMED split dosing",
            order(split(1, tablets(2), "MORN", TODAY), split(2, tablets(2), "EVE")), "100", "100", "50", "100"),
    example("morning and night, numbered, the same bounds", "CH EMED split dosing",
            order(split(1, tablets(1), "MORN", TODAY, LATER), split(2, tablets(2), "HS", TODAY, LATER)),
            "75", "75", "50", "75"),
    example("morning, noon and evening, numbered, no bounds", "CH EMED split dosing",
            order(split(1, tablets(1), "MORN"), split(2, tablets(1), "NOON"), split(3, tablets(1), "EVE")),
            "75", "75", "25", "75"),
    example("morning and evening, not numbered, no bounds", "Four-slot scheme",
            order(split(None, tablets(1), "MORN"), split(None, tablets(2), "EVE")), "75", "75", "50", "75"),
    example("morning and evening, numbered, each for a week", "CH EMED split dosing",
            order(stage(1, tablets(1), MORNING), stage(2, tablets(1), BEDTIME)), "50", "50", "25", "50"),
    example("other times of the day, numbered, the same bounds", "CH EMED split dosing",
            order(*(take(tablets(1), {"timeOfDay": [time], "boundsPeriod": {"start": TODAY, "end": LATER}}, sequence=n)
                    for n, time in ((1, "08:00:00"), (2, "20:00:00")))), "50", "50", "25", "50"),
    example("the words of the first part say the whole", "CH EMED EPR split dosing",
            order({**split(1, tablets(2), "MORN", TODAY, LATER),
                   "text": "2 comprimés à avaler le matin et 1 comprimé à avaler le soir."},
                  split(2, tablets(1), "EVE")), "75", "75", "50", "75"),
    refused("the words of the first part say neither its dose nor the whole", "CH EMED EPR split dosing",
            order({**split(1, tablets(2), "MORN"), "text": "3 comprimés le matin"}, split(2, tablets(2), "EVE")),
            "text-conflict", "text"),
    example("a split week, then another", "Q4, bounds decide",
            order(split(1, mg(10), "MORN", "2026-11-01", "2026-11-07"),
                  split(1, mg(10), "HS", "2026-11-01", "2026-11-07"),
                  split(2, mg(25), "MORN", "2026-11-08"), split(2, mg(25), "HS", "2026-11-08")),
            "20", "50", "25", "50", steps=("20", "50")),
    example("morning first, then only at night", "Q4, the first ends before the second begins",
            order(split(1, mg(10), "MORN", "2026-11-01", "2026-11-07"), split(2, mg(25), "HS", "2026-11-08")),
            "10", "25", "25", "25", steps=("10", "25")),
    example("numbered, neither bounds nor times of the day", "Two readings: the larger",
            order(step(1, mg(10)), step(2, mg(25))), "35", "35", "25", "35", together=True),
    example("numbered, all of the same days, no times of the day", "Two readings: the larger",
            order(*(take(mg(n), {**DAILY, "boundsPeriod": {"start": TODAY, "end": LATER}}, sequence=n)
                    for n in (10, 25))), "35", "35", "25", "35", together=True),
    example("numbered, the first ends after the second begins", "Two readings: the larger",
            order(take(mg(10), {**DAILY, "boundsPeriod": {"start": TODAY, "end": "2026-12-10"}}, sequence=1),
                  take(mg(25), {**DAILY, "boundsPeriod": {"start": "2026-12-01"}}, sequence=2)),
            "35", "35", "25", "35", together=True),
    example("numbered, the first until a day, the second unbounded", "Q4, the first ends",
            order(take(mg(10), {**DAILY, "boundsPeriod": {"end": "2026-12-10"}}, sequence=1), step(2, mg(25))),
            "10", "25", "25", "25", steps=("10", "25")),
    example("in the morning for a week, at bedtime for another length", "Two readings: the larger",
            order(stage(1, mg(10), MORNING),
                  take(mg(25), {**BEDTIME, "boundsDuration": {"value": 14, "unit": "d", "code": "d"}}, sequence=2)),
            "35", "35", "25", "35", together=True),
)  # fmt: skip

NOTHING = (
    example("2-0-2-0 as four instructions", "Four-slot scheme with zeros",
            order(*(split(None, tablets(n), when) for n, when in ((2, "MORN"), (0, "NOON"), (2, "EVE"), (0, "NIGHT")))),
            "100", "100", "50", "100"),
    example("0-0-1 as three instructions", "Four-slot scheme with zeros",
            order(*(split(n, tablets(n // 3), when) for n, when in ((1, "MORN"), (2, "NOON"), (3, "EVE")))),
            "25", "25", "25", "25"),
    example("a zero without a unit beside a dose", "Zero of anything is nothing",
            order(take(quantity(0), MORNING), take(mg(25), BEDTIME)), "25", "25", "25", "25"),
    refused("0-0-0 as three instructions", "Zeros alone state no dose",
            order(*(split(None, tablets(0), when) for when in ("MORN", "NOON", "EVE"))), "dose-unclear", QUANTITY),
)  # fmt: skip

STEPS = (
    example("periods that meet on one day", "Q4, as most systems write it",
            order(during(mg(10), "2026-11-01", "2026-11-08"), during(mg(25), "2026-11-08", "2026-11-30")),
            "10", "25", "25", "25", steps=("10", "25")),
    example("10, then 25, then 50 mg at bedtime", "Article, 10 mg weekly steps; UK label",
            order(stage(1, mg(10), BEDTIME), stage(2, mg(25), BEDTIME), step(3, mg(50), BEDTIME)),
            "10", "50", "50", "50", steps=("10", "25", "50")),
    example("steps listed the other way round", "Q4, sequence decides",
            order(stage(3, mg(50)), stage(1, mg(10)), stage(2, mg(25))),
            "10", "50", "50", "50", steps=("10", "25", "50")),
    example("a taper from 75 mg", "NICE NG222 taper", order(stage(1, mg(75)), stage(2, mg(50)), stage(3, mg(25)),
            stage(4, mg(10))), "10", "75", "75", "75", steps=("75", "50", "25", "10")),
    example("two doses in each of two steps", "US label, hospital 100 to 200 mg",
            order(stage(1, mg(50), MORNING), stage(1, mg(50), BEDTIME), stage(2, mg(100), MORNING),
                  stage(2, mg(100), BEDTIME)), "100", "200", "100", "200", steps=("100", "200")),
    example("sequences with a gap", "Q4", order(stage(10, mg(10)), stage(20, mg(25))),
            "10", "25", "25", "25", steps=("10", "25")),
    example("a weekly step before a daily one", "Q4 with Q2",
            order(stage(1, mg(70), per(1, 1, "wk")), stage(2, mg(25), per(2, 1, "d"))),
            "10", "50", "70", "70", steps=("10", "50")),
    example("a range as a step", "UK label, start 10-25 mg",
            order({"sequence": 1, "timing": {"repeat": {**DAILY, **WEEK}}, "doseAndRate": [{"doseRange": {"low": mg(10),
                  "high": mg(25)}}]}, stage(2, mg(50))), "10", "50", "50", "50", steps=("25", "50")),
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
            order(stage(1, mg(10)), stage(2, mg(10), per(3, 1, "d"), asNeededBoolean=True)),
            "0", "30", "10", "30", steps=("10", "30")),
)  # fmt: skip

SEVERAL = (*CONCURRENT, *STEPS, *SPLIT, *NOTHING)
