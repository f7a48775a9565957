"""Problems in words are read in every language, and what is denied, the family's, suspected or over is told apart."""

from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.loading import FOLDER
from service.terminology.problems import Mentions
from service.terminology.recognise import Coding, Terminology

Read = Callable[[str], Mentions]

CODES_ONLY = frozenset(
    {"ectopic-beats", "stopped-because-of-harm", "stopped-because-not-tolerated", "stopped-for-another-reason"}
)
"""Sets without words: ectopic beats are ordinary where no arrhythmia is named; stops have words of their own."""

LANGUAGES = frozenset({"en", "de", "fr", "hu", "pl", "cs", "sk", "ru", "es", "it", "ro", "uk", "fi"})

PRESENT = {
    "heart-failure": (
        "Congestive heart failure, NYHA III;Chronische Herzinsuffizienz NYHA II;Insuffisance cardiaque "
        "chronique;krónikus szívelégtelenség;Przewlekła niewydolność serca;chronické srdeční selhání;srdcové "
        "zlyhávanie;хроническая сердечная недостаточность;insuficiencia cardíaca;scompenso cardiaco;insuficiență "
        "cardiacă;HFrEF;ХСН II ФК"
    ),
    "long-qt": (
        "Syndrome du QT long;Hosszú QT-szindróma;Zespół długiego QT;Syndrom dlouhého QT;Syndróm dlhého QT;Синдром "
        "удлинённого интервала QT;Síndrome de QT largo;Sindrome del QT lungo;Sindrom de QT lung;LQTS type "
        "1;Verlängertes QT-Intervall;Angeborenes Long-QT-Syndrom;torsades de pointes"
    ),
    "stroke": (
        "CVA 2019;Ischämischer Schlaganfall;AVC ischémique;ischaemiás stroke;udar niedokrwienny mózgu;cévní "
        "mozková příhoda;cievna mozgová príhoda;ишемический инсульт;ОНМК;ictus isquémico;ictus ischemico;accident "
        "vascular cerebral ischemic;Apoplex"
    ),
    "spasticity": (
        "Spasticity of left arm;Spastik des Arms;spasticité du membre inférieur;spaszticitás;spastyczność "
        "kończyny;spasticita dolních končetin;spasticita;спастичность;espasticidad;spasticità;spasticitate"
    ),
    "myasthenia-gravis": (
        "Myasthenia gravis;Okuläre Myasthenie;myasthénie;miaszténia "
        "gravis;miastenia;myastenie;myasténia;миастения;miastenia gravis;Lambert-Eaton syndrome"
    ),
    "pregnancy": (
        "Pregnant, 12 weeks;Schwangerschaft 20. SSW;grossesse en cours;terhesség;ciąża 12 "
        "tydzień;těhotenství;tehotenstvo;беременность 20 недель;embarazo;gravidanza;Sarcină;Schwanger"
    ),
    "angle-closure-glaucoma": (
        "Angle-closure glaucoma;Narrow-angle glaucoma;Engwinkelglaukom;Winkelblockglaukom;glaucome à angle "
        "fermé;zárt zugú glaucoma;jaskra zamykającego się kąta;glaukom s uzavřeným úhlem;glaukóm s uzavretým "
        "uhlom;закрытоугольная глаукома;glaucoma de ángulo cerrado;glaucoma ad angolo chiuso;glaucom cu unghi "
        "închis"
    ),
    "glaucoma-unspecified": ("Glaucoma;Glaukom beidseits;Grüner Star;glaucome;glaukóma;jaskra;zelený zákal;глаукома"),
    "epilepsy": (
        "Epilepsy;Epilepsie;épilepsie;epilepszia;padaczka;epilepsie fokální;epilepsia;эпилепсия;epilepsia "
        "focal;epilessia;Krampfanfälle;Zustand bei fokaler Epilepsie"
    ),
    "hepatic-impairment": (
        "Liver cirrhosis;Leberzirrhose;cirrhose alcoolique;májcirrhosis;marskość wątroby;jaterní cirhóza;cirhóza "
        "pečene;цирроз печени;cirrosis hepática;cirrosi epatica;ciroză hepatică;Leberversagen;"
        "Toxische Hepatitis;drug-induced liver injury;hépatite médicamenteuse;токсический гепатит"
    ),
    "alcohol-dependence": (
        "Alcohol dependence syndrome;Alkoholabhängigkeit;chronischer Alkoholismus;dépendance à l'alcool;"
        "alkoholizmus;zespół zależności alkoholowej;závislost na alkoholu;závislosť od alkoholu;алкогольная "
        "зависимость;alcoholismo;dipendenza da alcol;dependență de alcool"
    ),
    "hyperkalaemia": "Hyperkalemia;Hyperkaliämie;hyperkaliémie;hiperkaliemia;hyperkalémie;гиперкалиемия",
    "hypomagnesaemia": "Hypomagnesemia;Hypomagnesiämie;hypomagnésémie;hipomagnezemia;hypomagnezémie;гипомагниемия",
    "renal-impairment": (
        "Chronic kidney disease stage 3;Chronische Niereninsuffizienz;insuffisance rénale chronique;krónikus "
        "veseelégtelenség;przewlekła choroba nerek;chronické onemocnění ledvin;chronická obličková "
        "choroba;хроническая болезнь почек;insuficiencia renal crónica;insufficienza renale cronica;boală cronică "
        "de rinichi"
    ),
    "benign-prostatic-hyperplasia": (
        "BPH;benigne Prostatahyperplasie;hypertrophie bénigne de la prostate;jóindulatú prosztata "
        "megnagyobbodás;łagodny rozrost prostaty;benigní hyperplazie prostaty;benígna hyperplázia "
        "prostaty;доброкачественная гиперплазия предстательной железы;hiperplasia benigna de próstata;ipertrofia "
        "prostatica benigna"
    ),
    "urinary-retention": (
        "Urinary retention;Harnverhalt;rétention urinaire;vizeletretenció;zatrzymanie moczu;retence moči;retencia "
        "moču;задержка мочи;retención urinaria;ritenzione urinaria"
    ),
    "depressive-disorder": (
        "Depression;dépression;depresszió;depresja;deprese;depresia;депрессия;depresión;depressione;reaktive Depression"
    ),
    "major-depressive-disorder": (
        "Major depressive disorder;schwere depressive Episode;épisode dépressif majeur;súlyos depressziós "
        "epizód;epizod depresyjny ciężki;těžká depresivní epizoda;ťažká depresívna epizóda;тяжёлый депрессивный "
        "эпизод;depresión mayor;depressione maggiore"
    ),
    "bipolar-disorder": (
        "Bipolar disorder;bipolare affektive Störung;trouble bipolaire;bipoláris zavar;choroba afektywna "
        "dwubiegunowa;bipolární porucha;bipolárna porucha;биполярное расстройство;trastorno bipolar;disturbo "
        "bipolare;manisch-depressive Erkrankung"
    ),
    "fibromyalgia": (
        "Fibromyalgia "
        "syndrome;Fibromyalgie;fibromyalgie;fibromialgia;fibromialgia;fibromyalgie;fibromyalgia;фибромиалгия"
    ),
    "atrial-fibrillation": (
        "AFib;Paroxysmales Vorhofflimmern;VHF;fibrillation auriculaire;pitvarfibrilláció;migotanie "
        "przedsionków;fibrilace síní;fibrilácia predsiení;фибрилляция предсердий;fibrilación "
        "auricular;fibrillazione atriale"
    ),
    "heart-block": (
        "AV-Block III. Grades;LBBB;Linksschenkelblock;bloc auriculo-ventriculaire;bal Tawara-szár blokk;blok "
        "przedsionkowo-komorowy;AV blok III. stupně;AV blok III. stupňa;АВ-блокада;bloqueo "
        "auriculoventricular;blocco AV"
    ),
    "ischaemic-heart-disease": (
        "Coronary artery disease;KHK;koronare Herzkrankheit;coronaropathie;ISZB;choroba wieńcowa;ICHS;ischemická "
        "choroba srdeční;ИБС;cardiopatía isquémica;cardiopatia ischemica"
    ),
    "recent-myocardial-infarction": (
        "Heart attack;NSTEMI;akuter Vorderwandinfarkt;infarctus du myocarde;szívinfarktus;zawał serca;infarkt "
        "myokardu;инфаркт миокарда;infarto agudo de miocardio;infarto miocardico"
    ),
    "brugada-syndrome": ("Brugada syndrome;Brugada-Syndrom;syndrome de Brugada;Zespół Brugadów;синдром Бругада"),
    "hypokalaemia": ("Hypokalaemia;Hypokaliämie;hypokaliémie;hypokalemia;hipokaliemia;hypokalémie;гипокалиемия"),
    "orthostatic-hypotension": (
        "Orthostatic hypotension;orthostatische Hypotonie;hypotension orthostatique;ortosztatikus "
        "hipotónia;hipotonia ortostatyczna;ortostatická hypotenze;ортостатическая гипотензия"
    ),
    "dementia": (
        "Alzheimer's disease;Demenz vom Alzheimer-Typ;démence;demencia;otępienie;demence;деменция;vaskuläre Demenz"
    ),
    "suicidal-ideation": (
        "Suicidal ideation;Suizidgedanken;idées suicidaires;öngyilkossági kísérlet;próba samobójcza;sebevražedný "
        "pokus;суицидальные мысли"
    ),
}

SUSPECTED = (
    "V. a. Epilepsie;Verdacht auf Myasthenia gravis;suspicion d'AVC;epilepszia gyanúja;podejrzenie "
    "miastenii;podezření na epilepsii;podozrenie na epilepsiu;подозрение на эпилепсию;sospecha de ictus;sospetto "
    "ictus;suspiciune de epilepsie;probable angle closure glaucoma;Glaukom?;fragliche Leberzirrhose;r/o stroke;DD "
    "Epilepsie;susp. epilepsie;eventuelle grossesse;lehetséges epilepszia;možná epilepsie;вероятный "
    "инсульт;Schwangerschaft nicht ausgeschlossen"
)
ABSENT = (
    "Keine Epilepsie;Epilepsie ausgeschlossen;pas d'épilepsie;absence de grossesse;nincs epilepszia;epilepszia "
    "kizárva;wykluczono padaczkę;nie ma padaczki;epilepsie vyloučena;vylúčená epilepsia;эпилепсии нет;эпилепсия "
    "исключена;sin epilepsia;no epilepsia;epilessia esclusa;fără epilepsie;Ausschluss Myasthenia gravis;no "
    "evidence of heart failure;not pregnant;denies suicidal ideation;nicht schwanger;Kein Hinweis auf "
    "Herzinsuffizienz;keine Suizidgedanken;no suicidal ideation;FH: long QT syndrome;Familienanamnese: "
    "Glaukom;Mutter mit Epilepsie;antécédents familiaux de glaucome;családi anamnézis: glaukóma;wywiad rodzinny: "
    "jaskra;u matki udar;rodinná anamnéza: epilepsie;семейный анамнез: инсульт;эпилепсия у матери;antecedentes "
    "familiares de infarto de miocardio;familiarità per ictus;Family history of bipolar disorder;Herzinfarkt beim "
    "Vater;glaucoma (mother)"
)
PAST = (
    "H/O stroke;history of myocardial infarction;s/p heart attack;Z.n. Apoplex;Zustand nach Myokardinfarkt;St. p. "
    "Herzinfarkt;antécédent d'AVC;ATCD infarctus du myocarde;korábbi stroke;stroke utáni állapot;stan po udarze "
    "mózgu;przebyty udar;stav po CMP;prodělaná CMP;prekonaná CMP;состояние после инсульта;перенесенный "
    "инсульт;antecedente de ictus;pregresso ictus;esiti di ictus;status post AVC;epilepsy in childhood, "
    "resolved;Depression in der Anamnese;depresja w wywiadzie;history of seizures;anamnestisch Epilepsie;Old "
    "stroke"
)
ORDINARY = (
    "Hypertension;arterielle Hypertonie;HTA;magas vérnyomás;nadciśnienie tętnicze;arteriální hypertenze;artériová "
    "hypertenzia;гипертоническая болезнь;Asthma bronchiale;Diabetes mellitus Typ 2;diabète de type 2;2-es típusú "
    "cukorbetegség;cukrzyca typu 2;сахарный диабет 2 типа;hypercholesterolemia;Adipositas;Migräne;reflux "
    "gastro-œsophagien;COPD;CHOPN;ХОБЛ;osteoporosis;Hypothyreose;niedoczynność "
    "tarczycy;гипотиреоз;GERD;eczema;Offenwinkelglaukom;Primary open-angle glaucoma;jaskra otwartego "
    "kąta;ventricular extrasystoles;Ventrikuläre Extrasystolen;экстрасистолия;"
    "first-degree burn;Appendicitis;Fraktur Radius;seasonal allergic rhinitis"
)


@pytest.fixture(scope="module")
def read(terminology: Terminology) -> Read:
    return terminology.words.problems.read


@pytest.mark.parametrize(("set_", "problems"), PRESENT.items())
def test_a_problem_is_read_in_the_words_of_each_language(read: Read, set_: str, problems: str) -> None:
    missed = [words for words in problems.split(";") if set_ not in read(words).present]
    assert missed == []


def test_what_is_suspected_is_told_apart(read: Read) -> None:
    assert [w for w in SUSPECTED.split(";") if read(w).present or not read(w).suspected] == []


def test_what_is_denied_excluded_or_the_familys_is_understood_and_is_nothing(read: Read) -> None:
    assert [w for w in ABSENT.split(";") if read(w) != Mentions(denied=read(w).denied, understood=True)] == []


def test_what_is_over_is_told_apart(read: Read) -> None:
    assert [w for w in PAST.split(";") if read(w).present or not read(w).past] == []


def test_ordinary_problems_are_known_to_be_something_else(read: Read) -> None:
    assert [w for w in ORDINARY.split(";") if read(w) != Mentions(understood=True)] == []


@pytest.mark.parametrize("words", ["Kryptogene Sache", "J45", "", "???", "Rohr im Fuß", "x" * 5000])
def test_what_stands_in_no_list_is_not_understood(read: Read, words: str) -> None:
    assert read(words) == Mentions()


ACUTE = {
    "acute-angle-closure": (
        Coding("http://hl7.org/fhir/sid/icd-10", "H40.2"),
        "Acute angle closure;Acute angle-closure glaucoma, right eye;Acute attack of angle closure;acute narrow angle "
        "glaucoma;akuter Winkelblock;glaucome aigu par fermeture de l'angle;ostra jaskra;острый приступ глаукомы",
        "Subacute angle closure;Non-acute angle closure;Zustand nach akutem Winkelblock;history of acute angle closure",
    ),
    "acute-urinary-retention": (
        Coding("http://snomed.info/sct", "267064002"),
        "Acute urinary retention;ACUTE retention;Retention of urine, acute;Acute retention of urine, no cause found;"
        "Acute on chronic retention of urine;Akuter Harnverhalt;rétention aiguë d'urine;ostre zatrzymanie moczu",
        "Retention of urine, not acute;History of acute retention of urine;kein akuter Harnverhalt;Retention of urine",
    ),
}


@pytest.mark.parametrize("set_", ACUTE)
def test_words_beside_a_code_tell_that_it_is_acute_unless_they_deny_it(set_: str, terminology: Terminology) -> None:
    code, acute, otherwise = ACUTE[set_]
    wider = terminology.concepts([code])
    for words in acute.split(";"):
        assert terminology.problem([code], [words]).present >= wider | {set_}, words
        assert terminology.problem([code._replace(display=words)], []).present >= wider | {set_}, words
    for words in otherwise.split(";"):
        assert terminology.problem([code], [words]).present == wider, words


def test_words_beside_another_code_make_nothing_acute(terminology: Terminology) -> None:
    prostate = Coding("http://hl7.org/fhir/sid/icd-10", "N40")
    said = terminology.problem([prostate], ["acute retention of urine"])
    assert said.present == {"benign-prostatic-hyperplasia"}
    assert said.unclear == {"acute-urinary-retention", "urinary-retention"}


def test_every_set_of_conditions_has_words_in_every_language(terminology: Terminology) -> None:
    files = {path.stem for path in (FOLDER / "terminology" / "conditions").glob("*.json")}
    sets = {id_ for id_ in terminology.concept_sets if id_ in files} - CODES_ONLY
    assert len(sets) > 50
    languages = terminology.words.languages
    assert {id_: LANGUAGES - languages.get(id_, frozenset()) for id_ in sets} == dict.fromkeys(sets, frozenset())


def test_the_words_are_those_of_sets_classes_and_drugs_that_there_are(terminology: Terminology) -> None:
    assert set(terminology.words.languages) <= set(terminology.concept_sets)
    named = {phrase.id for phrase in terminology.words.allergens.named} | set(
        terminology.words.allergens.codes.values()
    )
    assert {*terminology.words.allergens.within, *terminology.words.allergens.within.values()} <= named
    drugs = {drug for id_ in named for drug in (terminology.drugs_of(id_) or {id_})}
    assert {drug for drug in drugs if not terminology.classes([drug])} == set()


def test_every_phrase_of_the_lists_finds_its_set_and_none_is_read_as_present_behind_a_cue(
    terminology: Terminology,
) -> None:
    problems = terminology.words.problems
    cues = cycle(["V. a. ", "Verdacht auf ", "Familienanamnese: ", "family history of ", "подозрение на "])
    for phrase in problems.conditions:
        words = " ".join(word.strip("*") for word in phrase.words)
        assert phrase.id in problems.read(words).present, words
        if not phrase.whole and phrase.id != "falls":  # whose history counts
            cue = next(cues)
            assert phrase.id not in problems.read(cue + words).present, cue + words


def test_words_that_speak_of_a_part_do_not_reach_over_its_end(read: Read) -> None:
    assert read("Z. n. Apoplex mit Spastik").present == {"spasticity"}
    assert read("Stav po CMP, spastická hemiparéza").present == {"spasticity", "spastic-hemiplegia"}
    assert read("No fever. Long QT syndrome").present == {"long-qt"}
    assert read("Family history of stroke, epilepsy; heart failure").present == {"heart-failure"}
    assert read("Ausgeschlossen: Glaukom. Epilepsie").present == {"epilepsy"}


def test_history_of_what_lasts_for_life_is_present_unless_denied(read: Read) -> None:
    for words, sets in {
        "history of long QT syndrome": {"long-qt"},
        "PMH: Brugada syndrome": {"brugada-syndrome"},
        "Z.n. Brugada-Syndrom": {"brugada-syndrome"},
        "history of complete heart block, pacemaker": {"heart-block"},
        "PMH: bipolar disorder": {"bipolar-disorder"},
        "history of myasthenia gravis": {"myasthenia-gravis"},
        "no history of long QT": set(),
        "family history of Brugada syndrome": set(),
        "history of depression": set(),
    }.items():
        assert read(words).present == sets, words


def test_past_falls_and_attempts_count(read: Read) -> None:
    assert read("History of falls").present == {"falls"}
    assert read("Z. n. Suizidversuch").present == {"suicidal-ideation"}


def test_another_kind_is_not_taken_for_a_set(read: Read) -> None:
    for words in ("Primary open-angle glaucoma", "heat stroke", "respiratory depression", "Schwangerschaftstest"):
        assert read(words).present == frozenset(), words


@given(text=st.text(max_size=300))
def test_any_text_is_read_without_a_fault(terminology: Terminology, text: str) -> None:
    saying = terminology.words.problems.read(text)
    assert saying.present.isdisjoint(saying.past | saying.suspected | saying.unclear | saying.denied)
    assert saying.understood or saying == Mentions()


@given(
    cue=st.sampled_from(["V. a. ", "suspected ", "kein ", "no ", "bez ", "Z.n. ", "history of ", "подозрение на "]),
    words=st.sampled_from(
        [w for set_, problems in PRESENT.items() for w in problems.split(";") if set_ != "suicidal-ideation"]
    ),
)
def test_a_cue_before_a_problem_keeps_it_from_being_read_as_present(
    terminology: Terminology, cue: str, words: str
) -> None:
    part = words.split(",")[0]
    problems = terminology.words.problems
    lasts = problems.lasting if cue in ("Z.n. ", "history of ") else frozenset[str]()
    assert problems.read(cue + part).present <= lasts


def test_a_hostile_text_is_read_quickly(read: Read) -> None:
    assert read("no heart failure stroke " * 4000).understood


HARM, NOT_TOLERATED, OTHERWISE = "because-of-harm", "because-not-tolerated", "for-another-reason"
WHY_STOPPED = {
    "Anaphylaktischer Schock nach der Abenddosis": HARM,
    "œdème de Quincke": HARM,
    "obrzęk naczynioruchowy": HARM,
    "lips and tongue swollen": HARM,
    "bőrkiütés a mellkason": HARM,
    "epatite da farmaco": HARM,
    "ALT 12 times the upper limit": HARM,
    "żółtaczka": HARM,
    "аллергическая реакция": HARM,
    "vyrážka po celém těle": HARM,
    "boca seca": NOT_TOLERATED,
    "sécheresse de la bouche": NOT_TOLERATED,
    "secchezza delle fauci": NOT_TOLERATED,
    "zácpa": NOT_TOLERATED,
    "souhait de la patiente": OTHERWISE,
    "Wunsch des Patienten": OTHERWISE,
    "nieskuteczny": OTHERWISE,
    "no swelling of the face": None,
    "keine Allergie": None,
    "bez alergii": None,
}


@pytest.mark.parametrize(("written", "why"), WHY_STOPPED.items(), ids=WHY_STOPPED)
def test_why_a_drug_is_stopped_is_read_in_the_words_of_the_country(
    terminology: Terminology, written: str, why: str | None
) -> None:
    said = terminology.problem((), [written])
    assert {set_ for set_ in said.present if set_.startswith("stopped-")} == ({f"stopped-{why}"} if why else set())


@pytest.mark.parametrize(
    ("set_", "names"),
    [
        (
            "ischaemic-heart-disease",
            "stenocardia;Stenokardie;KHK;ICHS;ИБС;ІХС;sepelvaltimotauti;choroba niedokrwienna;iszb",
        ),
        ("heart-failure", "srdcové selhání;sydämen vajaatoiminta;серцева недостатність;insuf. cardiaca congestiva ICC"),
        ("orthostatic-hypotension", "hypotonia ortostatyczna;ortostatický kolaps;ortostaattinen hypotensio"),
        ("recent-myocardial-infarction", "ГІМ;sydäninfarkti;інфаркт міокарда;OZW STEMI"),
        ("benign-prostatic-hyperplasia", "BPH;ДГПЖ;eturauhasen hyvänlaatuinen liikakasvu;prostata vergrößert"),
        ("epilepsy", "епілепсія;epilepsia;судорожный синдром;drgawki"),
        ("renal-impairment", "ниркова недостатність;munuaisten vajaatoiminta;ХБП С3а;CKD G3"),
        ("cardiac-arrhythmia", "eteisvärinä;фібриляція передсердь;Flimmerarrhythmie"),
    ],
)
def test_usual_abbreviations_and_older_words_are_read(read: Read, set_: str, names: str) -> None:
    assert [name for name in names.split(";") if set_ not in read(name).present] == []


@pytest.mark.parametrize(
    "name",
    [
        "Angina tonsillaris", "angína", "ostra angina", "infarkt mozku", "Lungeninfarkt", "scompenso glicemico", "HBP",
        "недостаточность мозгового кровообращения", "Hepatitis B vaccination", "осн. гипертония", "ei masennusta",
        "isällä sepelvaltimotauti", "немає стенокардії", "у батька інсульт", "eteisvärinä poissuljettu",
        "Angst vor Herzinfarkt", "Herzinfarktrisiko niedrig", "Prophylaxe KHK", "risk of myocardial infarction",
        "riesgo de infarto", "страх инфаркта",
    ],
)  # fmt: skip
def test_what_only_looks_like_heart_or_liver_or_is_denied_is_not_present(read: Read, name: str) -> None:
    wanted = {"ischaemic-heart-disease", "recent-myocardial-infarction", "heart-failure", "hepatic-impairment"}
    wanted |= {"depressive-disorder", "cardiac-arrhythmia", "benign-prostatic-hyperplasia"}
    assert not wanted & read(name).present


@pytest.mark.parametrize("name", ["epäily sepelvaltimotauti", "підозра на стенокардію"])
def test_suspicion_in_the_newer_languages(read: Read, name: str) -> None:
    assert read(name).suspected == {"ischaemic-heart-disease"}


@pytest.mark.parametrize("name", ["стан після інсульту", "перенесений інсульт", "sairastettu aivoinfarkti"])
def test_the_past_in_the_newer_languages(read: Read, name: str) -> None:
    assert not read(name).present
    assert read(name).past == {"stroke"}


PARTS = {
    "heart-block": "БЛНПГ;БПНПГ;LAH;JTSZB;BCRD;hémibloc;блокада ЛНПГ",
    "renal-impairment": "ESRD;hemodialysis;CNI 4;тХПН;művesekezelés;loppuvaiheen munuaistauti",
    "hepatic-decompensation": "Leberzirrhose Child C;цирроз печени декомпенсированный;цирроз в стадии декомпенсации",
    "angle-closure-glaucoma": "ostry atak jaskry;akutní uzávěr úhlu;glaukoomakohtaus",
}


@pytest.mark.parametrize("wider", PARTS)
def test_the_words_of_a_part_count_for_the_whole(read: Read, wider: str) -> None:
    assert [name for name in PARTS[wider].split(";") if wider not in read(name).present] == []


@pytest.mark.parametrize(
    "name",
    [
        "Chronic kidney disease, stage 4 (severe)", "Chronic kidney disease (stage 5)", "CKD G5D", "CKD G4A3",
        "Chronische Nierenkrankheit, Stadium G4A3", "Хроническая болезнь почек, стадия 5",
        "Przewlekła choroba nerek, stadium 5", "Krónikus vesebetegség, 5. stádium", "PChN st. 4", "CKD Stad. 5",
    ],
)  # fmt: skip
def test_a_stage_behind_a_comma_or_in_brackets_belongs_to_the_kidney(read: Read, name: str) -> None:
    assert "severe-renal-impairment" in read(name).present
    assert "chronic-pain" not in read(name).present


@pytest.mark.parametrize("name", ["Chronic kidney disease, stage 3", "CKD G2; melanoma stage 4", "CKD (stage 3b)"])
def test_an_earlier_stage_is_not_severe(read: Read, name: str) -> None:
    assert "severe-renal-impairment" not in read(name).present


@pytest.mark.parametrize("name", ["Herzstillstand", "zástava srdeční", "Ikterus", "ictère", "parasuicide"])
def test_a_problem_with_the_words_of_a_harm_that_no_rule_asks_for_is_not_understood(read: Read, name: str) -> None:
    assert not read(name).understood
    assert read(f"kein {name}").understood


def test_an_adjective_behind_a_comma_or_in_brackets_belongs_to_the_problem_before_it(read: Read) -> None:
    for name, present in (
        ("Hypotension, orthostatic", {"orthostatic-hypotension"}),
        ("Infarction, myocardial, acute", {"acute-myocardial-infarction", "recent-myocardial-infarction"}),
        ("Failure, heart, congestive", {"heart-failure"}),
        ("Neuralgia, postherpetic", {"postherpetic-neuralgia", "neuropathic-pain"}),
        ("Fibrillation, atrial", {"atrial-fibrillation", "cardiac-arrhythmia"}),
        ("QT interval, prolonged", {"long-qt"}),
        ("Glaucoma, open-angle, left eye", set()),
        ("Glaukom (Offenwinkel)", set()),
        ("CKD, kidney stones", {"renal-impairment"}),
    ):
        assert (set(read(name).present), read(name).understood) == (present, True), name


def test_that_no_problem_is_known_is_understood_in_words_and_in_the_code_of_a_summary(terminology: Terminology) -> None:
    for words in ("No known problems", "keine Vorerkrankungen", "Aucun antécédent", "geen voorgeschiedenis"):
        assert terminology.problem((), (words,)) == Mentions(understood=True), words
    absent = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
    assert terminology.problem((Coding(absent, "no-known-problems"),), ()) == Mentions(understood=True)
    assert not terminology.problem((Coding(absent, "no-problem-info"),), ()).understood, "nobody asked"
    assert "epilepsy" in terminology.problem((), ("Keine Vorerkrankungen, Epilepsie",)).present
