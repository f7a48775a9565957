"""Dose examples: slots of zero, days of the week, rates that nobody can take, several doses of one instruction."""

from tests.dosing.dose_orders import (
    A_DAY,
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

D_AND_R = "doseAndRate"


def slots(**counts: object) -> Json:
    """A scheme as one instruction a time of the day, zeros as well, of 25 mg tablets."""
    return order(
        *(take(tablets(count), {"when": [when], "period": 1, "periodUnit": "d"}) for when, count in counts.items())
    )


def doses(*quantities: Json, repeat: Json = DAILY) -> Json:
    """One instruction with several doses."""
    return order({"doseAndRate": [{"doseQuantity": one} for one in quantities], "timing": {"repeat": repeat}})


def fast(amount: Json, repeat: Json) -> tuple[Json, str, str]:
    """An order at a rate that nobody can take, and why it has no dose."""
    return order(take(amount, repeat)), "frequency-implausible", "timing"


def on(*days: str, **more: object) -> Json:
    """Days of the week, without a frequency."""
    return {"dayOfWeek": list(days), **more}


ZEROS = (
    example("1-0-1-0 as four", "scheme", slots(MORN=1, NOON=0, EVE=1, NIGHT=0), "50", "50", "25", "50"),
    example("0-0-0-2 as four", "scheme", slots(MORN=0, NOON=0, EVE=0, NIGHT=2), "50", "50", "50", "50"),
    example("2-0-1 as three", "scheme", slots(MORN=2, NOON=0, EVE=1), "75", "75", "50", "75"),
    example("0.5-0-0.5", "scheme", slots(MORN=0.5, NOON=0, EVE=0.5), "25", "25", "25/2", "25"),
    example("1-0-1 in words", "scheme", order({"text": "1-0-1"}), "50", "50", "25", "50", words=True),
    example("0-0-1-0 in words", "scheme", order({"text": "0-0-1-0 Stück"}), "25", "25", "25", "25", words=True),
    example("½-0-1 in words", "scheme", order({"text": "½-0-1"}), "75/2", "75/2", "25", "75/2", words=True),
    example("a zero of mg beside tablets", "scheme",
            order(take(mg(0), {"when": ["MORN"]}), take(tablets(1), {"when": ["HS"]})),
            "25", "25", "25", "25"),
    refused("zeros alone", "states no dose", slots(MORN=0, NOON=0, EVE=0), "dose-unclear", QUANTITY),
    refused("zeros alone in words", "states no dose", order({"text": "0-0-0"}), "dose-in-words", "text"),
)  # fmt: skip

WEEK_DAYS = (
    example("on Mondays", "Q2", order(take(mg(25), on("mon"))), "25/7", "25/7", "25", "25"),
    example("on three days", "Q2", order(take(mg(25), on("mon", "wed", "fri"))), "75/7", "75/7", "25", "25"),
    example("on all days", "Q2", order(take(mg(25), on("mon", "tue", "wed", "thu", "fri", "sat", "sun"))),
            "25", "25", "25", "25"),
    example("on Mondays at two times", "Q2", order(take(mg(25), on("mon", timeOfDay=["08:00:00", "20:00:00"]))),
            "50/7", "50/7", "25", "50"),
    example("on two days at bedtime", "Q2", order(take(tablets(2), on("mon", "thu", when=["HS"]))),
            "100/7", "100/7", "50", "50"),
    example("on two days morning and evening", "Q2", order(take(tablets(1), on("tue", "sat", when=["MORN", "EVE"]))),
            "100/7", "100/7", "25", "50"),
    example("a day that stands twice", "Q2", order(take(mg(25), on("mon", "mon"))), "25/7", "25/7", "25", "25"),
    example("days beside once a day", "Q2", order(take(mg(25), {**DAILY, **on("sat", "sun")})),
            "50/7", "50/7", "25", "25"),
    example("days at a time without seconds", "Q2", order(take(mg(25), on("fri", timeOfDay=["8:00"]))),
            "25/7", "25/7", "25", "25"),
    refused("a day that FHIR does not have", "Q2", order(take(mg(25), on("someday"))),
            "frequency-unknown", "timing.repeat.dayOfWeek"),
)  # fmt: skip

IMPLAUSIBLE = (
    refused("once a second", "STAT", *fast(tablets(1), per(1, 1, "s"))),
    refused("once a minute", "slip", *fast(tablets(1), per(1, 1, "min"))),
    refused("8 an hour", "slip for every 8 hours", *fast(tablets(1), per(8, 1, "h"))),
    refused("25 a day", "slip", *fast(mg(25), per(25, 1, "d"))),
    refused("1 to 30 a day", "slip", *fast(mg(25), per(1, 1, "d", frequencyMax=30))),
    refused("200 a week", "slip", *fast(mg(25), per(200, 1, "wk"))),
    refused("every half hour", "slip", *fast(mg(25), per(1, 0.5, "h"))),
    refused("twice an hour as needed", "slip", order(take(mg(25), per(2, 1, "h"), asNeededBoolean=True,
            maxDosePerPeriod=at_most(mg(50), A_DAY))), "frequency-implausible", "timing"),
    refused("once a second beside words", "STAT", order(take(mg(25), per(1, 1, "s"), text="25 mg at once")),
            "frequency-implausible", "timing"),
    example("every hour is the most", "24 a day", order(take(mg(1), per(1, 1, "h"))), "24", "24", "1", "24"),
)  # fmt: skip

SEVERAL_DOSES = (
    example("1 tablet and 25 mg", "equal", doses(tablets(1), mg(25)), "25", "25", "25", "25"),
    example("25 mg and 1 tablet", "equal", doses(mg(25), tablets(1)), "25", "25", "25", "25"),
    example("2 tablets and 50 mg", "equal",
            doses(tablets(2), mg(50), repeat=per(2, 1, "d")), "100", "100", "50", "100"),
    example("0.05 g and 50 mg", "equal", doses(quantity(0.05, "g", "g"), mg(50)), "50", "50", "50", "50"),
    example("1 tablet twice", "equal", doses(tablets(1), tablets(1)), "25", "25", "25", "25"),
    example("three ways to say it", "equal",
            doses(tablets(1), mg(25), quantity(25000, "ug", "ug")), "25", "25", "25", "25"),
    refused("1 tablet and 50 mg", "they differ", doses(tablets(1), mg(50)), "doses-differ", D_AND_R),
    refused("25 mg and 50 mg", "they differ", doses(mg(25), mg(50)), "doses-differ", D_AND_R),
    refused("three of which one differs", "they differ", doses(mg(25), tablets(1), mg(10)), "doses-differ", D_AND_R),
    refused("1 tablet and a puff", "one is not known", doses(tablets(1), quantity(1, "puff")), "unit-unknown",
            "doseAndRate[1].doseQuantity"),
)  # fmt: skip

MAXIMA = (
    example("at most 4 doses a day", "NHS", order(take(tablets(2), asNeededBoolean=True,
            maxDosePerPeriod=at_most(quantity(4, "dose", "{dose}"), A_DAY))), "0", "200", "50", "200"),
    example("at most 2 doses in words", "NHS", order({"text": "1 tablet as needed, max 2 doses daily"}),
            "0", "50", "25", "50", words=True),
    example("at most one each 6 hours in words", "French", order({"text": "max. 1 comprimé chaque 6 heures"}),
            "0", "100", "25", "100", words=True),
    example("as needed and at most one each 6 hours", "French",
            order({"text": "1 comprimé si besoin, max. 1 comprimé toutes les 6 heures"}), "0", "100", "25", "100",
            words=True),
    refused("2 as needed, at most 1 each 6 hours", "a contradiction",
            order({"text": "2 tablets prn, max 1 tablet every 6 hours"}), "dose-in-words", "text"),
    refused("a dose of one dose", "a dose has no size",
            order(take(quantity(1, "dose"), DAILY)), "unit-unknown", QUANTITY),
    example("a duration of the administration is no length of a step", "FHIR", order(
            take(mg(25), {**DAILY, "duration": 7, "durationUnit": "d"}, sequence=1), take(mg(50), DAILY, sequence=2)),
            "75", "75", "50", "75", together=True),
)  # fmt: skip

SCHEMES = (*ZEROS, *WEEK_DAYS, *IMPLAUSIBLE, *SEVERAL_DOSES, *MAXIMA)
