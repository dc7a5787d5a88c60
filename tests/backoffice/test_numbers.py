"""Numbers have their digits in groups, as the reader's language writes them, and those of rows come from outside."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from backoffice.kit.estimates import Count
from backoffice.kit.numbers import LARGEST, grouped, key_number

NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        ("en", "1,234,567", "more than 10,000"),
        ("de", f"1{NARROW}234{NARROW}567", f"mehr als 10{NARROW}000"),
        ("fr", f"1{NARROW}234{NARROW}567", f"plus de 10{NARROW}000"),
    ],
)
def test_a_number_is_grouped_in_python_and_in_templates(language, number, words):
    template = Template("{{ exact|grouped }} {{ counted|grouped }} {{ few|grouped }}")
    with override(language):
        assert grouped(1234567) == number
        page = template.render(Context({"exact": 1234567, "counted": Count(10_000, "more than"), "few": Count(7)}))
    assert page == f"{number} {words} 7"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        (str(LARGEST), LARGEST),
        (str(LARGEST + 1), None),
        ("9" * 5_000, None),
        ("-7", None),
        ("\N{ARABIC-INDIC DIGIT SEVEN}", None),
        ("", None),
    ],
)
def test_the_number_of_a_row_is_one_that_a_column_can_hold(text, number):
    assert key_number(text) == number
