"""Problems in Dutch, the Nordic languages, Portuguese and Turkish, and words that stand alone behind a comma."""

from service.terminology.recognise import Terminology

PRESENT = """
hepatic-decompensation|цирроз печени, декомпенсация;Leberzirrhose, dekompensiert;cirrhosis, decompensated
hepatic-decompensation|marskość wątroby, zdekompensowana;cirrose hepática descompensada
hepatic-decompensation|gedecompenseerde levercirrose;dekompenserad levercirros;Karaciğer sirozu, dekompanse
hepatic-decompensation|cirrosi epatica (scompensata);cirrhose, décompensée;Leberzirrhose (dekompensiert)
acute-urinary-retention|Harnverhalt, akut;urinary retention, acute;retenção urinária aguda;acute urineretentie
acute-urinary-retention|akut idrar retansiyonu
long-qt|verlengde QT-tijd;långt QT-syndrom;síndrome do QT longo;Uzun QT sendromu;langt QT-syndrom;QT prolongado
long-qt|lang QT syndroom
myasthenia-gravis|myasthenia gravis;miastenia gravis;Miyastenia gravis;myasteni
heart-failure|hartfalen;hjärtsvikt;insuficiência cardíaca congestiva;kalp yetmezliği;KALP YETMEZLİĞİ;hjertesvigt
heart-failure|hjertesvikt;Decompensatio cordis
epilepsy|epilepsie;epilepsi;epilepsia;Epilepsi
recent-myocardial-infarction|hartinfarct 2026;hjärtinfarkt;enfarte agudo do miocárdio;miyokard infarktüsü
recent-myocardial-infarction|acuut myocardinfarct;Blodprop i hjertet;hjerteinfarkt
ischaemic-heart-disease|angina pectoris;ischemische hartziekte;kranskärlssjukdom;doença arterial coronária
ischaemic-heart-disease|koroner arter hastalığı;iskæmisk hjertesygdom
atrial-fibrillation|boezemfibrilleren;förmaksflimmer;fibrilhação auricular;fibrilação atrial;atriyal fibrilasyon
atrial-fibrillation|atrieflimren;atrieflimmer
glaucoma-unspecified|glaucoom;glaukom;glaucoma;glokom
urinary-retention|urineretentie;urinretention;retenção urinária;idrar retansiyonu;urinretensjon
pregnancy|zwangerschap;gravid vecka 12;grávida de 12 semanas;gebelik;hamile
breastfeeding|geeft borstvoeding;ammar;a amamentar;emziriyor;amning
severe-renal-impairment|nierinsufficiëntie, stadium 4;ernstige nierinsufficiëntie;terminal njursvikt
severe-renal-impairment|insuficiência renal terminal;kronik böbrek hastalığı evre 5;hemodialyse;hemodiálise
depressive-disorder|depressie;depression;depressão;depresyon;depresjon
bipolar-disorder|bipolaire stoornis;bipolär sjukdom;perturbação bipolar;bipolar bozukluk
stroke|CVA;slaganfall;AVC;inme;hjerneslag;apopleksi;beroerte
spasticity|spasticiteit;spasticitet;espasticidade;spastisite
fibromyalgia|fibromyalgie;fibromyalgi;fibromialgia;fibromiyalji
dementia|dementie;demens;demência;demans;ziekte van Alzheimer
suicidal-ideation|suïcidepoging;självmordsförsök;ideação suicida;intihar girişimi
hyperthyroidism|hyperthyreoïdie;hypertyreos;hipertiroidismo;hipertiroidi
benign-prostatic-hyperplasia|prostaatvergroting;prostataförstoring;hiperplasia benigna da próstata;prostat büyümesi
heart-block|AV-blok;AV-block II;bloqueio AV total;AV blok;bundeltakblok
hypokalaemia|hypokaliëmie;hypokalemi;hipocaliemia;hipokalemi
orthostatic-hypotension|orthostatische hypotensie;ortostatisk hypotension;hipotensão ortostática
orthostatic-hypotension|ortostatik hipotansiyon
alcohol-dependence|alcoholafhankelijkheid;alkoholberoende;alcoolismo;alkol bağımlılığı
"""
DENIED = (
    "geen epilepsie; epilepsie uitgesloten; ingen epilepsi; ej epilepsi; epilepsi utesluten; ikke epilepsi; "
    "epilepsi udelukket; sem epilepsia; nega epilepsia; epilepsia excluída; epilepsi yok; epilepsi dışlandı; "
    "epilepsi saptanmadı; niet zwanger; inte gravid; não grávida; hamile değil; gebelik yok"
)
SUSPECTED = (
    "verdenking op epilepsie; mogelijk epilepsie; epilepsie?; misstänkt epilepsi; epilepsi kan ej uteslutas; "
    "mistanke om epilepsi; suspeita de epilepsia; epilepsia a esclarecer; epilepsi şüphesi; olası epilepsi; "
    "ön tanı: epilepsi"
)
OF_THE_FAMILY = (
    "familieanamnese: epilepsie; moeder epilepsie; hereditet för epilepsi; história familiar de epilepsia; "
    "mãe com epilepsia; ailede epilepsi; aile öyküsü: epilepsi; epilepsi i familien"
)
PAST = (
    "voorgeschiedenis van epilepsie; doorgemaakte beroerte; tidigare epilepsi; tidligere epilepsi; "
    "antecedentes de epilepsia; status na CVA; geçirilmiş inme; epilepsi öyküsü; história pessoal de AVC"
)
ORDINARY = (
    "hypertensie; hoge bloeddruk; högt blodtryck; hipertensão arterial; yüksek tansiyon; "
    "diabetes mellitus type 2; tip 2 diyabet; astma; migrän; enxaqueca; migren; artrose; artros; rugpijn; "
    "lombalgia; bel ağrısı; forhøjet blodtryk; høyt blodtrykk; KOL; KOLS"
)


def test_problems_are_read_in_these_languages(terminology: Terminology) -> None:
    for line in PRESENT.strip().splitlines():
        set_, written = line.split("|")
        for words in written.split(";"):
            assert set_ in terminology.problem((), (words,)).present, words


def test_what_is_denied_or_the_familys_does_not_count_and_is_understood(terminology: Terminology) -> None:
    for words in (*DENIED.split("; "), *OF_THE_FAMILY.split("; "), *ORDINARY.split("; ")):
        saying = terminology.problem((), (words,))
        assert (bool(saying.suspected or saying.past), saying.understood) == (False, True), words
        assert not saying.present or words in ORDINARY, words


def test_what_is_suspected_or_past_does_not_count_as_present(terminology: Terminology) -> None:
    for words in SUSPECTED.split("; "):
        saying = terminology.problem((), (words,))
        assert (bool(saying.present), bool(saying.suspected)) == (False, True), words
    for words in PAST.split("; "):
        assert terminology.problem((), (words,)).past, words


def test_a_word_of_another_part_does_not_belong_to_the_problem_before_it(terminology: Terminology) -> None:
    for words in ("Herzinfarkt, akute Gastritis", "Herzinfarkt, akute Gastritis (akut)"):
        assert "acute-myocardial-infarction" not in terminology.problem((), (words,)).present
    for words in ("far advanced cancer", "Mamma-Ca", "HIV pos, epilepsy", "depressie met angst"):
        assert terminology.problem((), (words,)).present, words


def test_a_relative_beside_a_problem_is_named_where_it_may_be_about_something_else(terminology: Terminology) -> None:
    for words in ("Epilepsie, Vater gestorben", "epilepsy, mother died of cancer at 50"):
        saying = terminology.problem((), (words,))
        assert "epilepsy" in saying.unclear | saying.present, words
    for words in ("Long QT, mother also affected", "Long-QT-Syndrom, Familienanamnese positiv"):
        assert terminology.problem((), (words,)).present == {"long-qt"}, words
    for words in ("Epilepsie (Mutter)", "Epilepsie, bei der Mutter", "epilepsy (in family)"):
        saying = terminology.problem((), (words,))
        assert (saying.present, saying.suspected, saying.understood) == (frozenset(), frozenset(), True), words


INVERTED = {
    "ischaemic-heart-disease": "Disease, coronary artery;Maladie, coronaire;Enfermedad, coronaria",
    "acute-myocardial-infarction": "Infarction, myocardial, acute",
    "acute-urinary-retention": "Retention, urinary, acute",
    "heart-failure": "Insuficiencia, cardíaca;Failure, heart, congestive",
    "diabetic-neuropathy": "Neuropathy, diabetic",
    "renal-impairment": "Failure, renal, chronic;Disease, kidney, chronic, stage 4",
    "stroke": "Accident, cerebrovascular",
    "": (
        "Asthma, block, heart murmur;Disease, coronary artery, ruled out;Disease, coronary artery, family history of;"
        "Gout, disease, artery, coronary"
    ),
}


def test_a_name_written_the_other_way_round_is_read_and_a_list_is_none(terminology: Terminology) -> None:
    for expected, names in INVERTED.items():
        for name in names.split(";"):
            present = terminology.problem((), (name,)).present
            assert (expected in present) if expected else not present, name
