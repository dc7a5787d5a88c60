"""Numbers as pages show them, with their digits in groups as the reader's language writes them, and as addresses do."""

from django.db.models import BigIntegerField
from django.utils.formats import number_format

LARGEST = BigIntegerField.MAX_BIGINT


def grouped(number: int) -> str:
    """Return `10,000` in English and `10 000`, with a narrow space, in German and French."""
    return number_format(int(number), use_l10n=True, force_grouping=True)


def key_number(text: str) -> int | None:
    """Return the number of a row that a text from outside holds; None if it is none that a column can hold."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST))
    return int(text) if is_number and int(text) <= LARGEST else None
