"""How problems in words stand: denied as a list, another person's, only spoken of, over, or so that nobody can tell."""

from service.terminology.problems import Mentions
from service.terminology.recognise import Terminology

DENIED = (
    "No hx of CAD, CHF, or arrhythmia; Denies CAD, MI, arrhythmia; negative for MI, AF, stroke; "
    "no h/o seizures, glaucoma, BPH; No CAD, CHF or AF; keine KHK, Herzinsuffizienz oder VHF; "
    "kein Anhalt für KHK, Herzinfarkt, VHF; Neg.: Epilepsie, Glaukom, VHF; "
    "Brak: padaczki, jaskry, migotania przedsionków; нет: ИБС, аритмии, эпилепсии; "
    "ИБС, аритмию, эпилепсию отрицает; epilepsia, glaucoma, aritmia: nega; No antecedentes de IAM, FA, epilepsia; "
    "Pas d'ATCD d'IDM, d'AVC, de FA; CAD (-), AF (-), seizure (-); Seizures - none; Epilepsie neg.; "
    "Epilepsie: nein; Herzinfarkt 0; Pregnancy: No; Schwangerschaft: nein; Epilepsie: -; Epilepsy: none; "
    "Epilepsy = no; Padaczka: nie; épilepsie : non; эпилепсия: нет; epilepsi: nej; epilepsi: ingen; Epilepsi: yok; "
    "epilepsie: geen; epilepszia: nincs; epilessia: no; epilepsie: ne; Epilepsie (nein); AF: 0; AF: absent; "
    "AF: negative; seizures: denies; No known history of seizures; "
    "sin antecedentes de epilepsia, glaucoma o infarto; senza storia di epilessia, glaucoma o infarto; "
    "bez padaczki, jaskry ani zawału; bez epilepsie, glaukomu ani infarktu myokardu; "
    "ingen epilepsi, glaukom eller förmaksflimmer; geen epilepsie, glaucoom of hartinfarct; "
    "ei epilepsiaa, glaukoomaa eikä eteisvärinää; sem epilepsia, glaucoma ou enfarte; "
    "fără epilepsie, glaucom sau infarct miocardic; epilepsi, glokom veya inme yok; "
    "nincs epilepszia, glaukóma vagy szívinfarktus; немає епілепсії, глаукоми чи інфаркту міокарда; "
    "pas d'épilepsie, de glaucome ni d'infarctus du myocarde; Mutter (72): Epilepsie; Epilepsie (bei der Mutter); "
    "Denies CAD (per chart), MI; KHK, VHF verneint; KHK, Epilepsie oder VHF ausgeschlossen; VHF (0); "
    "Suspected stroke ruled out; V.a. VHF nicht bestätigt; ∅ KHK; Ø KHK, Ø VHF; "
    "kein Vorhofflimmern, keine KHK, keine Epilepsie, no CAD, no epilepsy; VHF: nein, KHK: nein, Epilepsie: nein; "
    "VHF -, KHK -; AF: no, CAD: no; bez padaczki; bez jaskry; pas de FA ni d'épilepsie; "
    "sans épilepsie ni glaucome; weder KHK noch VHF; neither CAD nor AF; nem epilepsziás; not epileptic; "
    "Non-pregnant; nicht-schwanger; Patientin nicht schwanger; neguje padaczkę, jaskrę, zawał serca; "
    "zaprzecza: padaczka, jaskra; nie choruje na padaczkę; nie występuje padaczka; "
    "neguje epilepsii, glaukom, infarkt myokardu; popírá epilepsii; epilepsie neguje; épilepsie : absente; "
    "pas d'antécédents d'épilepsie, de glaucome, d'infarctus du myocarde; nie epilepsie: absence d'épilepsie; "
    "aucune épilepsie; nega epilepsia, glaucoma; nega cardiopatia ischemica, epilessia; epilepsia: negada; "
    "nessuna epilessia; non epilessia; sin epilepsia ni glaucoma; niega epilepsia, glaucoma e infarto; "
    "sem história de epilepsia, glaucoma; ontkent epilepsie, glaucoom; geen voorgeschiedenis van epilepsie; "
    "nekar epilepsi, glaukom; benægter epilepsi, glaukom; benekter epilepsi; kieltää epilepsian, glaukooman; "
    "tagadja epilepszia; neagă epilepsie, glaucom; отрицает эпилепсию, ИБС; эпилепсия - нет; эпилепсия: отрицает; "
    "заперечує епілепсію, глаукому; епілепсія: ні; epilepsi: yok, glokom: yok; epilepsi öyküsü yok; glaukoma: nie; "
    "jaskra - nie; epilepsia: ei; glaukooma: ei; Epilepsie: negativ; Epilepsie verneint; Epilepsie, KHK: verneint; "
    "VHF: kein; Krampfleiden: nicht bekannt; Epilepsie nicht bekannt; Epilepsie? nein; ani FS ani ICHS; "
    "neither AF nor CAD; denies AF, MI, stroke; no MI; Kein MI, kein HF; Amitriptylin 25 MG bei Hypertonie; "
    "Diabetes; FH: MI, AF; Mutter: MI"
)
NOT_THE_PATIENTS_OR_NOT_THERE = (
    "Vorhofflimmern nicht mehr vorhanden; AV-Block I° nicht mehr nachweisbar; Arrhythmie nicht dokumentiert; "
    "Epilepsie als Kind, geheilt; Long QT unter Citalopram, normalisiert; AF no longer present; AF not seen; "
    "AF not documented; fibrillation auriculaire non retrouvée; fibrilación auricular no documentada; "
    "fibrillazione atriale non documentata; nie stwierdzono migotania przedsionków; "
    "migotania przedsionków nie stwierdzono; фибрилляция предсердий не выявлена; förmaksflimmer ej påvisat; "
    "VHF nicht gesichert; VHF nicht bestätigt; fetal long QT; Tochter mit Epilepsie; Husband has epilepsy; "
    "wife pregnant; Ehefrau schwanger; Contact with pregnant woman; cat allergy, dog with epilepsy; "
    "Suizid des Vaters; Son has long QT; Sohn: Epilepsie; épouse enceinte; mari épileptique, épilepsie du mari; "
    "hijo con epilepsia; esposa embarazada; figlio con epilessia; moglie incinta; córka z padaczką; żona w ciąży; "
    "syn epilepsie; manželka těhotná; у сына эпилепсия; жена беременна; у мужа инсульт; lányának epilepszia; "
    "felesége terhes; dochter met epilepsie; dotter med epilepsi; hustru gravid; datter med epilepsi; kone gravid; "
    "tyttärellä epilepsia; vaimo raskaana; fiica cu epilepsie; soție gravidă; filho com epilepsia; esposa grávida; "
    "oğlunda epilepsi; eşi hamile; у сина епілепсія; дружина вагітна; grandmother had stroke; "
    "Großmutter Schlaganfall; uncle with epilepsy; Risk of falls assessment done; Screening for glaucoma; "
    "dementia screening normal; pregnancy counselling; desire for pregnancy; Kinderwunsch; "
    "Beratung Schwangerschaft; dépistage du glaucome; cribado de glaucoma; Glaukom-Screening; Glaukomvorsorge; "
    "Demenzscreening unauffällig; Fall prevention education; stroke prevention; Tochter schwanger; "
    "daughter pregnant; daughter is breastfeeding; epilepsia ya no presente; epilepsia resuelta; "
    "епілепсія не підтверджена; эпилепсия не подтверждена; padaczka wykluczona; epilepsie neprokázána; "
    "epilepsia nevylúčená; epilepszia nem igazolódott; epilepsi kan uteslutas; epilepsi avkreftet; "
    "epilepsi afkræftet; VHF aktuell nicht nachweisbar; AF not currently present; fibrilación auricular ausente; "
    "AV-Block nicht mehr nachweisbar; LSB nicht dokumentiert; no se evidencia fibrilación auricular; "
    "keine VHF-Episoden; Vorhofflimmern wurde nicht gesehen; kein Nachweis von Vorhofflimmern; Ausschluss VHF; "
    "VHF auszuschließen"
)
SUSPECTED = (
    "questionable seizure history; unclear seizure history; ?history of epilepsy; St.n. V.a. Epilepsie; ?epilepsy; "
    "epilepsy?; Z.n. fraglichem Krampfanfall; susp. history of seizures; nie można wykluczyć padaczki; "
    "nelze vyloučit epilepsii; нельзя исключить эпилепсию; cannot exclude epilepsy; "
    "no se puede descartar epilepsia; nem zárható ki epilepszia; VHF nicht ausgeschlossen; "
    "VHF nicht auszuschließen; VHF nicht sicher ausgeschlossen"
)
PRESENT = {
    "ischaemic-heart-disease": (
        "s/p CABG; Status post CABG 2018; Z. n. ACVB; history of CABG; St.n. PTCA; St.p. CABG; stan po CABG; "
        "by-pass aorto-coronarico pregresso; PTCA + Stent; CABG x3; antécédent de pontage coronarien; "
        "stav po CABG; состояние после АКШ; стан після АКШ; status na CABG; tidigare CABG; geçirilmiş CABG; "
        "sairastettu ohitusleikkaus; status após CABG; antecedente de bypass coronario; "
        "status post stent coronarian; KHK, Z.n. ACVB 2012, kein Infarkt; CAD s/p CABG x3, no angina; "
        "Z.n. Bypass (ACVB) 2010; KHK (3-Gefäß), NSTEMI ausgeschlossen; Angina pectoris, Troponin negativ; "
        "KHK, Belastungs-EKG negativ"
    ),
    "long-qt": (
        "Long QT, mother also affected; Long QT syndrome, family history positive; "
        "Long-QT, Mutter ebenfalls betroffen; Long-QT-Syndrom, FA positiv; No fever. Long QT syndrome; "
        "no chest pain but long QT; Epilepsie: nein. Long QT; No known allergies. Long QT; kein Umzug, Long QT; "
        "HIV neg., Long QT; keine Antikoagulation, Long QT; Long QT (stopped citalopram); "
        "Long QT, verneint Synkopen; Long QT - 480 ms - no syncope; Long QT, brother also; congenital long QT; "
        "hereditäres Long-QT-Syndrom; familiäres Long-QT-Syndrom; LQTS (QTc 510 ms, nicht medikamentös); "
        "Long QT syndrome – confirmed genetically; Long QT syndrome (KCNH2); "
        "prolonged QT interval - not drug induced"
    ),
    "epilepsy": (
        "Epilepsy, no known triggers; Epilepsie seit Kindheit; Epilepsie: ja; Epilepsy, diagnosed as a child; "
        "Epilepsie als Kind diagnostiziert; Epilepsy not controlled; Epilepsie, nicht eingestellt; "
        "Epilepsie ohne Medikation; Epilepsie. Mutter: KHK; Epilepsie, Kontrolle nein; Epilepsy since childhood; "
        "epilepsia desde la infancia; padaczka od dzieciństwa; Epilepsie - letzter Anfall 2019; "
        "Epilepsie, anfallsfrei; Epilepsy, seizure free, no driving; Epilepsie (nicht medikamentös eingestellt); "
        "seizures with no warning; Epilepsie, kein Trigger bekannt; Epilepsie: fokal; Epilepsie: Valproat; "
        "epilepsie à bascule; Epilepsy; Frau mit Epilepsie; woman with epilepsy; homme avec épilepsie; "
        "Kind of seizures: focal epilepsy; Epilepsie, mutterschaftlich versorgt; "
        "Epilepsie nach Mutterkornvergiftung; Epilepsie, Ursache nicht gefunden; Epilepsy, cause not identified; "
        "Epilepsie, MRT negativ; Epilepsie, MRT unauffällig; Epilepsie MRT negativ; épilepsie, IRM négative; "
        "epilepsy of cause not found; padaczka, przyczyna nie stwierdzono; Epilepsie, EEG normal; "
        "seizures, EEG negative"
    ),
    "pregnancy": (
        "Pregnant with second child; schwanger, 2. Kind; Pregnancy with fetal anomaly; "
        "Schwangerschaft, Kind zeitgerecht entwickelt; pregnant, baby moving well; "
        "enceinte de son deuxième enfant; Schwanger, 12. SSW, keine Beschwerden; pregnant, husband supportive; "
        "Schwangerschaft (nein zu Folsäure); Pregnant, no complications; gravid, partner informed; "
        "pregnancy, fetus normal; embarazo, feto sano; ciąża, płód prawidłowy; pregnant with twins; "
        "Schwangere mit Kind im Bauch; grossesse, mari présent"
    ),
    "hepatic-impairment": ("Leberzirrhose Child C; Liver cirrhosis Child-Pugh B; cirrhosis (Child A)"),
    "atrial-fibrillation": (
        "AF, no CAD; VHF, keine KHK; VHF ohne Antikoagulation; kein Schlaganfall. VHF; no history of surgery. AF; "
        "Hepatic failure without mention whether acute or chronic, AF; Paroxysmales VHF, aktuell SR; "
        "AF, rate controlled; VHF, nicht antikoaguliert; VHF (ED 2019), CHA2DS2-VASc 4, keine OAK; "
        "AF - not on anticoagulation; Vorhofflimmern - keine Beschwerden; atrial fibrillation, no stroke; "
        "fibrillation auriculaire, pas d'anticoagulation; migotanie przedsionków, bez leczenia; "
        "ФП, без антикоагулянтов; förmaksflimmer, ingen behandling; VHF bei Z.n. Herzinfarkt; "
        "VHF mit negativem TEE; VHF, ED bei Screening 2020; Kein Diabetes. VHF. Keine KHK.; "
        "non-valvular atrial fibrillation; nicht-valvuläres Vorhofflimmern; non valvular atrial fibrillation; "
        "VHF bestätigt; AF; fibrillation auriculaire non valvulaire; migotanie przedsionków niezastawkowe; "
        "неклапанная фибрилляция предсердий; VHF, Flattern neu"
    ),
    "breastfeeding": (
        "breastfeeding mother; lactating mother; Mother currently breastfeeding; stillende Mutter; "
        "breastfeeding her son; stillt ihre Tochter; mère allaitante"
    ),
    "cancer": ("cáncer de mama"),
    "hepatic-failure": ("Hepatic failure without mention whether acute or chronic"),
    "falls": (
        "history of falls; no syncope but history of falls; Stürze, keine Fraktur; falls, no injury; Sturzneigung; "
        "Denies syncope. History of falls; kein Fieber, aber history of falls"
    ),
    "myasthenia-gravis": ("Myasthenia gravis, Thymektomie 2010; Myasthenie (okulär), Mutter unauffällig"),
}
NOBODY_CAN_TELL = (
    "epilepsy, lives with husband; Ehefrau schwanger, Vorhofflimmern; No CAD, AF; keine Epilepsie, Vorhofflimmern; "
    "Epilepsie, Vater gestorben; Depression screening positive; No history of surgery, AF; Denies chest pain, AF; "
    "Kind mit AV-Block; child with epilepsy; fille avec épilepsie; VHF, Ehefrau informiert; "
    "KHK, in der Koro ausgeschlossen; VHF, im Holter nicht nachweisbar; No diabetes, has AF; "
    "VHF bestätigt, Flattern ausgeschlossen; known AF, screening for sleep apnoea; Mutter gesund, VHF; "
    "lives with husband, AF; VHF seit Geburt des Kindes; Diabetes, MI; no CAD but AF; No CAD. AF since 2015; "
    "sin IAM, con FA crónica; pas d'IDM mais FA; arterielle Hypertonie, DM, HF; no CAD. MG; Mutter KHK, selbst AF; "
    "KHK seit Tod der Mutter; без эпилепсии, глаукомы и инфаркта миокарда"
)


def _read(terminology: Terminology, words: str) -> Mentions:
    return terminology.words.problems.read(words)


def test_a_denial_reaches_over_its_list_and_a_bare_no_denies_what_stands_before_it(terminology: Terminology) -> None:
    for words in DENIED.split("; "):
        saying = _read(terminology, words)
        assert saying == Mentions(denied=saying.denied, understood=True), words


def test_what_is_another_persons_over_or_only_spoken_of_is_not_present(terminology: Terminology) -> None:
    for words in NOT_THE_PATIENTS_OR_NOT_THERE.split("; "):
        assert _read(terminology, words).present == frozenset(), words


def test_doubt_about_the_past_is_doubt(terminology: Terminology) -> None:
    for words in SUSPECTED.split("; "):
        saying = _read(terminology, words)
        assert (bool(saying.suspected), saying.present, saying.past) == (True, frozenset(), frozenset()), words


def test_a_cue_for_something_else_takes_no_problem_away(terminology: Terminology) -> None:
    for set_, written in PRESENT.items():
        for words in written.split("; "):
            assert set_ in _read(terminology, words).present, words


def test_where_nobody_can_tell_whether_a_list_is_denied_or_whose_it_is_that_is_named(terminology: Terminology) -> None:
    for words in NOBODY_CAN_TELL.split("; "):
        saying = _read(terminology, words)
        assert (bool(saying.unclear), saying.present) == (True, frozenset()), words


def test_a_long_text_is_read_to_its_end(terminology: Terminology) -> None:
    for before in ("arterielle Hypertonie, " * 200, "Bluthochdruck " * 700, "keine Gicht. " * 500):
        assert _read(terminology, f"{before}Long-QT-Syndrom").present == {"long-qt"}, before[:20]


def test_a_remission_behind_a_comma_belongs_to_the_depression(terminology: Terminology) -> None:
    for words in (
        "rezidivierende depressive Störung, gegenwärtig remittiert",
        "Major depressive disorder, recurrent, in full remission",
        "MDD in partial remission",
        "Depression, z. Zt. symptomfrei",
        "depresja, w remisji",
        "депрессия, в ремиссии",
    ):
        assert "depression-in-remission" in _read(terminology, words).present, words
