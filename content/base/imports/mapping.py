"""The column of each heading of a file: as a person chose it, else as the heading says."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from content.base.headings import match_headings
from content.base.tables import FileError


class HeadingError(FileError):
    """The headings of the file make no sense. A person can choose the column of each of `headings`."""

    def __init__(self, message: str, headings: Sequence[str]) -> None:
        super().__init__(message)
        self.headings = [*headings]


def added_headings() -> list[str]:
    """Return the headings of the columns that the file of the failed rows has beside those of the imported file."""
    return [_("row in the file"), _("what is wrong")]


def matched(headings: Sequence[str], labels: Mapping[str, Iterable[str]], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each heading, empty if it is left out: `{"Title": "title", "Remark": ""}`.

    Args:
        labels: the names of each column, as `match_headings` takes them.
        chosen: what a person chose, in the form that is returned.

    Raises:
        FileError: a heading holds a null character, which can't be stored.
        HeadingError: two headings stand for one column, or none for any.
    """
    if odd := next((heading for heading in headings if "\0" in heading), ""):
        message = _("The heading “%(heading)s” holds a null character. Write it again.")
        raise FileError(message % {"heading": odd.replace("\0", "\ufffd")})
    open_ = [heading for heading in headings if heading not in chosen]
    try:
        found = match_headings(open_, labels)
    except FileError as error:
        raise HeadingError(str(error), headings) from error
    columns = {heading: found.columns.get(index, "") for index, heading in enumerate(open_)} | dict(chosen)
    used = [columns[heading] for heading in headings if columns[heading]]
    if twice := next((column for column in used if used.count(column) > 1), ""):
        message = _("Two headings stand for the column %(column)s. Leave one of them out.")
        raise HeadingError(message % {"column": twice}, headings)
    if not used:
        message = _("No heading is that of a column. The columns may be: %(columns)s.")
        raise HeadingError(message % {"columns": ", ".join(labels)}, headings)
    return {heading: columns[heading] for heading in headings}
