"""Answers in words: the types of metabolisers that laboratories name, in every language."""

from service.terminology.recognise import Terminology

ANSWERS = {
    "poor": (
        "LA9657-3;Poor metabolizer;CYP2D6 poor metaboliser;PM;PM phenotype;PM (*4/*4);langsamer Metabolisierer;"
        "métaboliseur lent;lassú metabolizáló;wolny metabolizer;pomalý metabolizátor;медленный метаболизатор;"
        "metabolizador lento;metabolizzatore lento;metabolizator lent;повільний метаболізатор;trage metaboliseerder;"
        "långsam metaboliserare;langsom omsætter;hidas metaboloija;yavaş metabolize edici;um metabolizador lento"
    ),
    "intermediate": (
        "LA10317-8;Likely intermediate metabolizer;IM;IM, CYP2C19;intermediärer Metabolisierer;métaboliseur "
        "intermédiaire;közepes metabolizáló;metabolizator pośredni;střední metabolizátor;промежуточный метаболизатор;"
        "metabolizador intermedio;metabolizzatore intermedio;intermediair metabolisme"
    ),
    "ultrarapid": (
        "LA10315-2;Ultrarapid metabolizer;ultra-rapid metabolizer (UM);Ultra rapid metabolizer;ultraschneller "
        "Metabolisierer;métaboliseur ultra-rapide;ultragyors metabolizáló;ultraszybki metabolizer;ultrarychlý "
        "metabolizátor;ультрабыстрый метаболизатор;сверхбыстрый метаболизатор;metabolizador ultrarrápido;"
        "ultrasnelle metaboliseerder;ultrasnabb metaboliserare;ultrahurtig omsætter"
    ),
    "rapid": "LA25390-8;Rapid metabolizer;RM;rapid metaboliser (*1/*17)",
    "as usual": (
        "unbestimmter Metabolisierer;unklar;métaboliseur indéterminé;inconnu;metabolizador indeterminado;desconocido;"
        "metabolizzatore indeterminato;sconosciuto;onbekend;okänd metaboliserare;ukendt;tuntematon;neznámý;neurčený;"
        "nieokreślony metabolizer;nieznany;ismeretlen;неопределенный метаболизатор;неизвестно;невизначений;belirsiz;"
        "necunoscut;desconhecido;"
        "LA25391-6;Normal metabolizer;Extensive metabolizer;Indeterminate;unknown;NM;EM;normaler Metabolisierer;"
        "métaboliseur normal;normál metabolizáló;нормальный метаболизатор;metabolizador normal;"
        "extensiver Metabolisierer"
    ),
    "": (
        "Not a poor metabolizer;Normal to intermediate metabolizer;poor or intermediate;*1/*4;see report;;"
        "kein langsamer Metabolisierer;pas un métaboliseur lent;не медленный метаболизатор;schneller Metabolisierer;"
        "métaboliseur rapide;быстрый метаболизатор;rapide à ultra-rapide;collected 3 pm;siehe im Bericht;"
        "im Genotyp *4;ver um relatório;em análise;"
        "LA9657-3 intermediate metabolizer"
    ),
}


def test_a_type_of_metaboliser_is_understood_by_code_or_in_words_and_no_other_word_is_one(
    terminology: Terminology,
) -> None:
    read = terminology.words.metaboliser
    wrong = {said: read(said) for type_, words in ANSWERS.items() for said in words.split(";") if read(said) != type_}
    assert wrong == {}
