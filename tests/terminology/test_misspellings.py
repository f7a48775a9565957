"""Names with a letter wrong are found as what they might be, and other drugs and ordinary words are not."""

import random
import time

from service.terminology.misspellings import Misspellings, slips
from service.terminology.recognise import Terminology

MEANT = {
    "amitriptyline": "amitriptlyine; Amitryptlin 25; amitriptline; Amitriplin; amitrptyline; амитриптлин;"
    " Sarotin 25; Elavill; Elavl 10mg; Laroxil; Саратен; Amit 25",
    "tolperisone": "toleprisone 150 mg; Tolperidon; tolperson; Mydocaln; Mydoclam 150; tolpirisonhydrochlorid;"
    " Mydeto 50; Topxl; Tolp 150",
    "sertraline": "sertaline 50 mg; sertrline; sertarlin",
    "fluoxetine": "fluoxitine; fluoxtin 20",
    "moclobemide": "moclobmide; moclobemit 150",
    "venlafaxine": "venlafexine; velnafaxine",
    "gabapentin": "gabapetin; gabepentin",
}
OTHERS = (
    "Allopurinol; Aromasin; Phenazon; Protamin; Primaxin; Glucosamin; Gentamicin; Clobetasol; Metformin; Ramipril;"
    " Metamizol; Pantoprazol; Torasemid; Nolpaza; Zestril; Selenium; Prednisolon; Levothyroxin; gegen Migräne;"
    " see comments; Tabletten nach Plan; Amlodipin; Simvastatin; L-Thyroxin; Paracetamol; Cefuroxim; Flagyl 400;"
    " Lantus SoloStar; Paroex; Hyperium 1 mg; Glucor; Helenium; Avil; Tolvon; Amaryl 2; Elevit; Topo; Amid"
)


def test_a_name_with_a_letter_wrong_might_be_that_drug(terminology: Terminology) -> None:
    for drug, labels in MEANT.items():
        for label in labels.split("; "):
            assert not terminology.drugs_in_text(label), label
            assert terminology.nearly([label]) == {drug}, label


def test_a_name_that_is_cut_short_might_be_that_drug(terminology: Terminology) -> None:
    short = {
        "citalopram": "Citalo 20", "venlafaxine": "Venla 75 ret.", "mirtazapine": "Mirta 15", "quetiapine": "Quetia 25",
        "pregabalin": "Pregaba", "hydromorphone": "Hydromorph", "amitriptyline": "Amitri 10",
        "tolperisone": "Tolper 150",
    }  # fmt: skip
    for drug, label in short.items():
        assert terminology.nearly([label]) == {drug}, label
    assert (
        terminology.nearly(["Chlor", "Hydro", "Meta", "Prednis", "Levothyrox", "Panto 40", "Bisopro", "Ramip"]) == set()
    )


def test_another_drug_or_an_ordinary_word_is_no_misspelling(terminology: Terminology) -> None:
    assert [label for label in OTHERS.split("; ") if terminology.nearly([label])] == []


def test_a_misspelling_of_two_names_might_be_either(terminology: Terminology) -> None:
    assert terminology.nearly(["chlorazepam"]) == {"clonazepam", "lorazepam", "clorazepate"}


def test_slips_are_letters_missing_too_much_wrong_or_changed_in_place() -> None:
    for one, other, count in (
        ("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "abcd", 1), ("abc", "axc", 1),
        ("abcd", "badc", 2), ("abc", "", 3), ("", "ab", 2), ("abc", "xyz", 3),
    ):  # fmt: skip
        assert slips(one, other) == slips(other, one) == count


def test_every_single_slip_in_a_name_is_found_and_no_word_that_means_something_else() -> None:
    name = "tolperison"
    near = Misspellings({name: frozenset({"x"})}, ["tolperisox"])
    for place in range(len(name)):
        before, letter, after = name[:place], name[place], name[place + 1 :]
        for written in (f"{before}{after}", f"{before}q{after}", f"{before}q{letter}{after}"):
            assert near.drugs(written) == {"x"}, written
        assert near.drugs(f"{before}{after[:1]}{letter}{after[1:]}") == {"x"}
    assert not near.drugs("tolperisox")


def test_long_words_that_no_name_is_near_cost_little(terminology: Terminology) -> None:
    letters = random.Random(1)
    labels = [" ".join("".join(letters.choices("aeilmnprst", k=14)) for _ in range(20)) for _ in range(200)]
    begun = time.process_time()
    for label in labels:
        terminology.nearly([label])
    assert time.process_time() - begun < 1


def test_short_brands_count_with_the_word_that_makes_them_one(terminology: Terminology) -> None:
    for label, drugs in (
        ("ADT 25 mg", {"amitriptyline"}),
        ("DHC Continus 60", {"dihydrocodeine"}),
        ("Co-dydramol 10/500", {"dihydrocodeine"}),
        ("阿米替林片 25mg", {"amitriptyline"}),
        ("ADT (androgen deprivation) with leuprorelin 22.5 mg", set()),
    ):
        assert terminology.drugs_in_text(label) == drugs, label
