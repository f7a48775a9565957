"""Words by which a drug is not taken, not for now, or in another dose later; and those that only sound so."""

from service.terminology.endings import Ending
from service.terminology.recognise import Terminology

DRUGS = ("amitriptyline",)
WORDS = {
    Ending.STOP: (
        "STOP;stop taking;STOP amitriptyline;Stop amitriptyline 25 mg today;Amitriptyline 25 mg: STOP;discontinued;"
        "Discontinued 2026-10-01;D/C;d/c'd;do not take;Do not take this medicine.;don't take;no longer taking;"
        "patient is not taking it;never started;STOP - dry mouth;Stopped due to side effects;stop at once;"
        "stopped by GP on 12/10/2026;STOP, dry mouth;cancelled;refused;not given;course completed;"
        "Patient should NOT take this, ordered in error;ab sofort nicht mehr;not for this patient;entered in error;"
        "nem kell szedni;Absetzen;absetzen ab morgen;Abgesetzt wegen Mundtrockenheit;"
        "Bitte absetzen;Amitriptylin absetzen;abgesetzt am 1.10.2026;abgesetzt 3/2026;nicht einnehmen!;"
        "nimmt er nicht mehr;nimmt Pat. nicht ein;wurde abgesetzt;arrêter;Arrêt;ne pas prendre;ne plus prendre;"
        "arrêt du traitement;arrêté en raison de somnolence;suspender;Suspendido;no tomar;ya no toma;dejó de tomar;"
        "interrotto;non assumere;parar;não tomar;stoppen;gestopt;niet innemen;sluta;ej tas;seponeret;"
        "seponeres;ophørt;tager det ikke længere;seponert;lopeta;lopetettu;ei käytössä;odstawić;odstawiony;"
        "nie przyjmować;vysadit;vysazeno;neužívat;vysadiť;vysadené;elhagyni;elhagyta;leállítva;nem szedi;ne szedje;"
        "oprit;nu luați;отменить;отменён;не принимать;не принимает;прекратить прием;скасовано;не приймати;відмінено;"
        "kesildi;almıyor;διακοπή;prekinuti;ukinuti;lopetada;pārtraukt;nutraukti;спрян;中止;停药;중단"
    ),
    Ending.HOLD: (
        "DO NOT TAKE UNTIL REVIEW;deferred;postponed;zurückgestellt;ne pas avant ECG;nicht vor EKG;"
        "on hold;HOLD;do not start;held;hold amitriptyline;hold temporarily;paused;withhold;suspended;"
        "pausieren;pausiert;"
        "Pausiert seit 3.11.;ausgesetzt;vorübergehend absetzen;sistiert;suspendre;suspendre le traitement;suspendu;"
        "en pause;sospendere;sospeso;en pausa;pauzeren;tijdelijk stoppen;pausas;tauolla;wstrzymać;wstrzymano;"
        "pozastavit;dočasně vysadit;szüneteltetni;suspendat;приостановить;пауза;временно отменить;призупинити;休薬"
    ),
    Ending.PERHAPS: (
        "Stopped after rash;STOP 12.12.2026;STOP 25 mg. Start 10 mg at night;hold until seen;"
        "not taking as prescribed;25 mg daily, STOP;Stop warfarin and amitriptyline;refused twice;held pending ECG;"
        "taper and stop;stop mañana;utsatt"
    ),
    Ending.CHANGE: (
        "then two;dann 2;double;doppelt;moitié;only if pain;nur bei Schmerzen;an extra tablet;replaced by duloxetine;"
        "umgestellt auf Duloxetin;"
        "ausschleichen;wean off over 4 weeks;Dosis verdoppeln nach 1 Woche;increase by 25 mg weekly;"
        "see chart;nach Plan;erst ab 1.12.;jede Woche eine mehr;"
        "augmenter de 25 mg;zwiększać co tydzień;увеличивать по 25 мг"
    ),
    None: (
        "Do not take a double dose;do not increase the dose;"
        "25 mg daily;1-0-1;Do not stop suddenly;do not take more than 2 tablets;Do not take with alcohol;"
        "Do not stop taking this medicine except on your doctor's advice;stop if rash appears;If rash, stop;"
        "stop taking and contact your doctor if you feel unwell;Take for 3 weeks then stop;nicht absetzen;"
        "nicht abrupt absetzen;Absetzen bei Hautausschlag;bei Ausschlag absetzen;Nicht mit Alkohol einnehmen;"
        "nach 3 Wochen absetzen;ne pas arrêter brutalement;arrêter si somnolence;ne pas prendre avec de l'alcool;"
        "no suspender bruscamente;suspender si aparece erupción;non sospendere;no tomar con alcohol;"
        "nicht mehr als 2 Tabletten;bei Ausschlag sofort absetzen;unverändert;wie gehabt;"
        "niet stoppen zonder overleg;stop bij huiduitslag;stoppen na 7 dagen;sluta inte plötsligt;"
        "nie odstawiać nagle;odstawić w razie wysypki;не прекращать прием;отменить при сыпи;"
        "не принимать с алкоголем;nem szabad abbahagyni;nu opriți brusc;Start: 11/29/2026 Stop: 12/06/2026;"
        "stop smoking;hold for sedation;hold if drowsy;stop sertraline;replaces sertraline, stop sertraline;"
        "Patient told to take with food;start tonight;do not exceed 2 tablets;swallow whole;for pain;see AVS;"
        "Warning. May cause drowsiness. If affected do not drive or operate machinery. Avoid alcoholic drink;"
        "do not take at the same time as antacids;may increase the sedative effects of alcohol;"
        "10 mg at bedtime: a step of the taper, see the patient before the next step;bitte mit Wasser"
    ),
}


def test_words_that_end_a_drug_are_told_from_warnings_in_every_language(terminology: Terminology) -> None:
    texts = [(text, meaning) for meaning, listed in WORDS.items() for text in listed.split(";")]
    read = [(text, terminology.ending(text, DRUGS) if terminology.mentions_ending(text) else None) for text, _ in texts]
    assert read == texts


def test_the_drug_that_ends_is_the_one_of_the_order(terminology: Terminology) -> None:
    assert terminology.ending("stop sertraline", ("sertraline",)) is Ending.STOP
    assert terminology.ending("sertraline: stop sertraline and amitriptyline", ("sertraline",)) is Ending.PERHAPS
