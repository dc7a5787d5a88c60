"""Numbers have their digits in groups, as the reader's language writes them."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from backoffice.kit.estimates import Count
from backoffice.kit.numbers import grouped

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
