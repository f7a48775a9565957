"""Dose examples: words. Understood whole or not at all; they fill gaps and never overrule data."""

from tests.dosing.dose_orders import (
    A_DAY,
    AMITRIPTYLINE,
    AMITRIPTYLINE_25,
    DAILY,
    QUANTITY,
    TOLPERISONE_150,
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

SOLUTION = {"text": "Amitriptyline 10 mg/5 mL oral solution"}


def said(text: str, drug: Json = AMITRIPTYLINE_25, **members: object) -> Json:
    """An order whose dosage is words only."""
    return order({"text": text, **members}, drug=drug)


def beside(text: str, dose: Json | None = None, repeat: Json | None = DAILY, **members: object) -> Json:
    """An order with data and words."""
    return order(take(dose or mg(25), repeat, text=text, **members))


# With tablets of 25 mg: text, low, high, single, dosing day.
ENGLISH = (
    ("25 mg at bedtime", "25", "25", "25", "25"),
    ("Take 1 tablet by mouth at bedtime.", "25", "25", "25", "25"),
    ("Take one tablet by mouth three times daily", "75", "75", "25", "75"),
    ("one tablet twice a day with food", "50", "50", "25", "50"),
    ("half a tablet every night", "25/2", "25/2", "25/2", "25/2"),
    ("1/2 tablet in the morning", "25/2", "25/2", "25/2", "25/2"),
    ("1-2 tablets at night", "25", "50", "50", "50"),
    ("1 to 2 tablets every 4 to 6 hours as needed", "0", "300", "50", "300"),
    ("25 mg every 12 hours", "50", "50", "25", "50"),
    ("50 mg every other day", "25", "25", "50", "50"),
    ("70 mg once a week", "10", "10", "70", "70"),
    ("25 mg 3 times a week at bedtime", "75/7", "75/7", "25", "25"),
    ("10 mg/day", "10", "10", "10", "10"),
    ("1 tablet in the morning and 2 at night", "75", "75", "50", "75"),
    ("1½ tablets at night", "75/2", "75/2", "75/2", "75/2"),
    ("25 mg in the evening before bed", "25", "25", "25", "25"),
    ("Take 1 tablet (25 mg total) by mouth 4 (four) times daily.", "100", "100", "25", "100"),
    ("One to be taken four times a day", "100", "100", "25", "100"),
    ("0.05 g daily", "50", "50", "50", "50"),
    ("25 mg as needed, max 75 mg/day", "0", "75", "25", "75"),
    ("1 tablet prn, not more than 2 tablets per day", "0", "50", "25", "50"),
    ("25 mg three times daily as needed, maximum 50 mg in 24 hours", "0", "50", "25", "50"),
)

LATIN = (
    ("25 mg nocte", "25", "25", "25", "25"),
    ("1 tab t.d.s.", "75", "75", "25", "75"),
    ("1 tbl b.i.d.", "50", "50", "25", "50"),
    ("1 tab qid", "100", "100", "25", "100"),
    ("25 mg q.h.s.", "25", "25", "25", "25"),
    ("1 tab mane", "25", "25", "25", "25"),
    ("1 tab p.o. q8h", "75", "75", "25", "75"),
    ("1 tab q4-6h prn", "0", "150", "25", "150"),
)

GERMAN = (
    ("1-0-1", "50", "50", "25", "50"),
    ("0-0-1", "25", "25", "25", "25"),
    ("0-0-0-1", "25", "25", "25", "25"),
    ("1-0-2 Tabletten", "75", "75", "50", "75"),
    ("½-0-½", "25", "25", "25/2", "25"),
    ("1-0-1/2", "75/2", "75/2", "25", "75/2"),
    ("10 mg 1-1-1", "30", "30", "10", "30"),
    ("2x tgl. 1 Tbl.", "50", "50", "25", "50"),
    ("dreimal täglich 1 Tablette nach dem Essen", "75", "75", "25", "75"),
    ("1 Tablette zur Nacht", "25", "25", "25", "25"),
    ("morgens und abends 1 Tablette", "50", "50", "25", "50"),
    ("alle 8 Stunden 1 Tablette", "75", "75", "25", "75"),
    ("jeden 2. Tag 1 Tablette", "25/2", "25/2", "25", "25"),
    ("einmal wöchentlich 70 mg", "10", "10", "70", "70"),
    ("bei Bedarf 1 Tablette, höchstens 3 Tabletten pro Tag", "0", "75", "25", "75"),
)

HUNGARIAN = (
    ("naponta 3x1 tabletta", "75", "75", "25", "75"),
    ("este 1 tabletta", "25", "25", "25", "25"),
    ("fél tabletta este", "25/2", "25/2", "25/2", "25/2"),
    ("reggel és este 1 tabletta", "50", "50", "25", "50"),
    ("8 óránként 1 tabletta", "75", "75", "25", "75"),
    ("lefekvés előtt 25 mg", "25", "25", "25", "25"),
    ("naponta kétszer 1 tabletta étkezés után", "50", "50", "25", "50"),
    ("szükség esetén 1 tabletta, legfeljebb 2 tabletta naponta", "0", "50", "25", "50"),
)

ALONE = (
    *(
        example(f"{text!r}", f"free text, {language}", said(text), low, high, single, day, words=True)
        for language, texts in (
            ("English", ENGLISH), ("Latin", LATIN), ("German", GERMAN), ("Hungarian", HUNGARIAN),
        )
        for text, low, high, single, day in texts
    ),
    example("150 mg three times daily after meals", "EU tolperisone label, after meals",
            said("150 mg three times daily after meals", TOLPERISONE_150), "450", "450", "150", "450", words=True),
    example("3x1 Filmtablette", "Tolperisone, German habit", said("3x1 Filmtablette", TOLPERISONE_150),
            "450", "450", "150", "450", words=True),
    example("mL in words", "A-PAIN, oral solution", said("5 ml at night", SOLUTION),
            "10", "10", "10", "10", words=True),
)  # fmt: skip

NOT_READ = (
    *(
        refused(f"{text!r}", "free text, not understood whole", said(text), "dose-in-words", "text")
        for text in (
            "apply thinly", "as directed", "25 mg once",
            "25 mg daily for 7 days then 50 mg", "1,000 mg daily", "1-1/2 tablets at night",
            "1 tablet twice daily and at bedtime", "1 tablet daily and at bedtime",
            "25 mg at night 2 wk", "two daily", "2 x 25 mg at bedtime", "every 0 hours 25 mg",
            "75 mg daily in divided doses", "Take what the clinic said on the day of the last visit. 25 mg daily. " * 4,
        )
    ),
    refused("words without how often", "free text", said("25 mg"), "frequency-missing", "timing"),
    refused("words without how much", "free text", said("three times daily"), "dose-missing", "doseAndRate"),
    *(refused(f"a maximum alone: {words}", "free text", said(words), "dose-maximum-only", "text")
      for words in ("max. 3 Tbl./Tag b. Bed.", "max 3 tablets daily", "maximum 3 comprimés par jour")),
    refused("as needed without a maximum", "free text with Q3", said("25 mg as needed"),
            "daily-maximum-not-stated", "maxDosePerPeriod"),
    refused("tablets of unknown strength", "free text with Q5", said("1 tablet daily", AMITRIPTYLINE),
            "strength-unknown", "medication"),
    refused("mL of unknown concentration", "free text with Q6", said("5 ml daily", AMITRIPTYLINE),
            "concentration-unknown", "medication"),
)  # fmt: skip

AGREE = (
    example("the same in words", "order with words", beside("25 mg at bedtime"), "25", "25", "25", "25"),
    example("the same in tablets", "order with words", beside("1 tablet daily"), "25", "25", "25", "25"),
    example("only how often", "order with words", beside("once daily"), "25", "25", "25", "25"),
    example("only how much", "order with words", beside("25 mg"), "25", "25", "25", "25"),
    example("the scheme of two tablets", "order with words, German", beside("1-0-1", tablets(1), per(2, 1, "d")),
            "50", "50", "25", "50"),
    example("a range whose upper end is the dose", "order with words", beside("10-25 mg at night"),
            "25", "25", "25", "25"),
    example("words beside a count", "order with words",
            beside("25 mg three times daily", mg(25), per(3, 1, "d", count=2)), "50", "50", "25", "50"),
    example("tablets of unknown strength in words", "order with words",
            order(take(mg(25), DAILY, text="2 tablets daily"), drug=AMITRIPTYLINE), "25", "25", "25", "25"),
    example("words with days", "HL7 sample order, 5 mL bid x 10 days",
            beside("25 mg bid x 10 days", mg(25), per(2, 1, "d")), "50", "50", "25", "50"),
    *(example(f"{said!r} is what the day comes to", "order with words", beside(said, tablets(1), per(n, 1, "d")),
              str(25 * n), str(25 * n), "25", str(25 * n))
      for n, said in ((2, "2 tablets a day"), (2, "2 comprimés par jour"), (3, "3 Tabletten täglich"))),
    example("a scheme in the code of the timing", "timing.code.text",
            order(take(tablets(1), timing={"code": {"text": "1-0-1"}})), "50", "50", "25", "50", words=True),
    example("a scheme in the code of the timing beside the same", "timing.code.text",
            order(take(tablets(1), timing={"repeat": per(2, 1, "d"), "code": {"text": "1-0-1"}})),
            "50", "50", "25", "50"),
    example("prose is ignored", "order with words", beside("Swallow whole. Never chew 100 mg at once."),
            "25", "25", "25", "25"),
    example("'take two daily' may be two tablets once", "order with words", beside("take two daily", tablets(2)),
            "50", "50", "50", "50"),
    example("words say as needed", "order with words, Q3", beside("25 mg as needed"),
            "0", "25", "25", "25", words=True),
    example("words add a maximum", "order with words, Q3",
            beside("25 mg 4 times daily as needed, max 75 mg/day", mg(25), per(4, 1, "d"), asNeededBoolean=True),
            "0", "75", "25", "75", words=True),
    example("words add a maximum in tablets of unknown strength", "order with words, Q3 and Q5",
            order(take(mg(25), per(3, 1, "d"), asNeededBoolean=True, text="25 mg as needed, max 2 tablets per day"),
                  drug=AMITRIPTYLINE), "0", "75", "25", "75"),
    example("words say how often, the data how much at most", "order with words, Q3",
            beside("25 mg every 8 hours as needed", mg(25), per(2, 1, "d"), asNeededBoolean=True,
                   maxDosePerPeriod=at_most(mg(50), A_DAY)), "0", "50", "25", "50"),
    example("words say how often without the maximum", "order with words, Q1",
            beside("25 mg three times daily", mg(25), per(3, 1, "d"), maxDosePerPeriod=at_most(mg(50), A_DAY)),
            "50", "50", "25", "50"),
    example("words repeat the maximum", "order with words, Q3",
            beside("25 mg as needed, max 75 mg/day", mg(25), None, asNeededBoolean=True,
                   maxDosePerPeriod=at_most(mg(75), A_DAY)), "0", "75", "25", "75"),
)  # fmt: skip

DISAGREE = tuple(
    refused(name, "order with words that differ", found, "text-conflict", "text")
    for name, found in (
        ("another amount", beside("50 mg at bedtime")),
        ("an amount that lacks beside another frequency", order({"timing": {"repeat": DAILY}, "text": "2x tgl. 1"})),
        ("a frequency that lacks beside another amount", order(take(tablets(1), text="2 tablets three times daily"))),
        ("another number of tablets", beside("2 tablets daily")),
        ("another frequency", beside("25 mg three times daily")),
        ("a scheme of twice a day", beside("1-0-1", tablets(1))),
        ("weekly against daily", beside("25 mg weekly")),
        ("daily against weekly", beside("70 mg daily", mg(70), per(1, 1, "wk"))),
        ("the same day in another number of doses", beside("50 mg daily", mg(25), per(2, 1, "d"))),
        ("another maximum", beside("25 mg as needed, max 100 mg/day", mg(25), None, asNeededBoolean=True,
                                   maxDosePerPeriod=at_most(mg(75), A_DAY))),
        ("an amount far above the maximum of the data",
         order(take(tablets(1), per(4, 1, "d"), text="600 mg a day in 3 divided doses",
                    maxDosePerPeriod=at_most(tablets(2), A_DAY)))),
        ("a third tablet beyond the maximum of the data",
         beside("3x1", tablets(1), per(2, 1, "d"), maxDosePerPeriod=at_most(tablets(2), A_DAY))),
        ("the tablets of a day taken at once", beside("2 comprimés une fois par jour", tablets(1), per(2, 1, "d"))),
        ("a scheme against the frequency", order({"text": "1-0-1", "timing": {"repeat": DAILY}})),
        ("a scheme against the amount", order(take(mg(50), text="1-0-1"))),
    )
)  # fmt: skip

FILLED = (
    example("words say when", "order with words", beside("at bedtime", mg(25), None),
            "25", "25", "25", "25", words=True),
    example("words say when, data the bounds", "Sandbox order with words",
            beside("25 mg at bedtime", mg(25), {"boundsPeriod": {"start": "2026-11-01"}}),
            "25", "25", "25", "25", words=True),
    example("words say when, data the count", "order with words",
            beside("25 mg three times daily", mg(25), {"count": 2}), "50", "50", "25", "50", words=True),
    example("words say how much", "order with words", order({"text": "25 mg", "timing": {"repeat": per(3, 1, "d")}}),
            "75", "75", "25", "75", words=True),
    example("words say the scheme", "order with words, German", beside("1-0-1", tablets(1), None),
            "50", "50", "25", "50", words=True),
    example("words say the scheme, data how often", "order with words, German",
            order({"text": "1-0-1", "timing": {"repeat": per(2, 1, "d")}}), "50", "50", "25", "50", words=True),
    example("words say the scheme, data as needed", "order with words, Q3", said("1-1-1", asNeededBoolean=True),
            "0", "75", "25", "75", words=True),
    example("words say the scheme, data the maximum", "order with words, Q3",
            said("1-1-1", asNeededBoolean=True, maxDosePerPeriod=at_most(tablets(2), A_DAY)),
            "0", "50", "25", "50", words=True),
    example("words say only the maximum", "order with words, Q3",
            beside("max. 75 mg/day", mg(25), None, asNeededBoolean=True), "0", "75", "25", "75", words=True),
    refused("words do not overrule a missing unit", "structured data decides", beside("25 mg daily", quantity(25)),
            "unit-missing", QUANTITY),
    refused("words do not overrule an unknown frequency", "structured data decides",
            beside("25 mg daily", mg(25), {"when": ["C"]}), "frequency-unknown", "timing.repeat.when"),
    refused("words do not overrule half a frequency", "structured data decides",
            beside("25 mg twice daily", mg(25), {"frequency": 3}), "frequency-missing", "timing.repeat.period"),
    refused("words do not overrule a comparator", "structured data decides",
            beside("10 mg daily", {**mg(25), "comparator": "<"}), "element-unreadable", "doseAndRate"),
)  # fmt: skip

WORDS = (*ALONE, *NOT_READ, *AGREE, *DISAGREE, *FILLED)
