"""Numbers as pages show them: large ones with their digits in groups, as the reader's language writes them."""

from django.utils.formats import number_format


def grouped(number: int) -> str:
    """Return `10,000` in English and `10 000`, with a narrow space, in German and French."""
    return number_format(int(number), use_l10n=True, force_grouping=True)
