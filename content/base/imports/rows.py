"""The rows of an import, read from the file page by page and judged here as far as no other row matters.

Nothing is written but to the temporary table (`staging`), and nothing is asked of the database for a single row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DataError, Error, connection, transaction
from django.utils.translation import gettext as _

from backoffice.kit.batches import batched
from backoffice.kit.history import column_values
from backoffice.kit.permissions import Person, Write, as_error, batch_refusals
from content.base.imports.end_state import checks_link
from content.base.imports.newer import Newer, Versions
from content.base.imports.problems import Problems
from content.base.imports.result import ContentResult, ContentRow, words
from content.base.imports.staging import CHANGED, CONFLICT, NEW, UNCHANGED, Stage
from content.base.imports.unique import unique_keys
from content.base.models import ContentModel
from content.base.tables import CellError

PAGE = 500  # rows judged at a time
MISSING = ("blank", "null")  # codes of errors


@dataclass(slots=True)
class Row:
    """A row of the file.

    Attributes:
        number: the row's number in the file.
        cells: the cells by column.
        key: the key in the file; None for a new object without one.
        obj: the object with the row's values; None if none could be made.
        before: its stored values by attname, for a new object the defaults, but with the key in the file.
        changed: the names of the fields that the row changes.
        version: the history row of the state that the file was made from; None if the file does not tell it.
        newer: what somebody changed since then; None if nobody did.
        errors: what is wrong, by field.
        is_repeated: whether an earlier row of the same page has the key.
        values: the row in the temporary table.
    """

    number: int
    cells: dict[str, Any]
    key: Any = None
    obj: Any = None
    kind: str = NEW
    before: dict[str, Any] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    version: int | None = None
    newer: Newer | None = None
    errors: dict[str, Any] = field(default_factory=dict)
    is_repeated: bool = False
    values: list[Any] = field(default_factory=list)

    def refuse(self, error: ValidationError) -> None:
        self.errors = error.update_error_dict(self.errors)

    @property
    def messages(self) -> dict[str, list[str]]:
        """What is wrong, by field: Django's texts, but for a value that is missing, of which they name no cure."""
        missing = [_("A value is missing. Write one.")]
        by_field = ValidationError(self.errors).error_dict.items()
        return {
            name: [text for error in errors for text in (missing if error.code in MISSING else error.messages)]
            for name, errors in by_field
        }

    def give_up(self, error: Exception) -> None:
        """Say what is wrong with a row of which nothing else can be judged."""
        self.obj, self.errors = None, {NON_FIELD_ERRORS: [ValidationError(words(error))]}


def _row(number: int, headers: Sequence[str], cells: Sequence[Any]) -> Row:
    """Return a row with the cells of the known columns. A cell elsewhere that can't be read may mean a broken row."""
    row = Row(number, {name: cell for name, cell in zip(headers, cells, strict=True) if name})
    unread = [cell for name, cell in zip(headers, cells, strict=True) if not name and isinstance(cell, CellError)]
    if unread:
        row.errors = {NON_FIELD_ERRORS: [ValidationError(cell.message) for cell in unread]}
    return row


class Reader:
    """Reads rows with a resource, and fills the table, the result and the list of problems.

    Args:
        is_locking: whether to lock the objects that are read, until the end of the transaction.
        on_page: called with the number of rows of each page.
    """

    def __init__(
        self,
        resource: Any,
        stage: Stage,
        result: ContentResult,
        problems: Problems,
        versions: Versions,
        *,
        is_locking: bool,
        on_page: Callable[[int], None],
    ) -> None:
        self.resource, self.stage, self.result, self.problems = resource, stage, result, problems
        self.versions, self.is_locking, self.on_page = versions, is_locking, on_page
        self.model: type[ContentModel] = resource.model
        self.person = Person(resource.user)
        self.pk: Any = self.model._meta.pk
        self.columns = resource.get_import_fields()
        self.fields: list[Any] = list(self.model._meta.concrete_fields)
        self.links = [link for link in self.fields if link.many_to_one and checks_link(link)]
        self.unique = {name for key in unique_keys(self.model) for name in key.names}

    def read(self, headers: Sequence[str], rows: Iterable[tuple[int, Sequence[Any]]]) -> None:
        """Read the rows, `(number, cells)`. A header that is empty is of a column that is left out."""
        for page in batched(rows, PAGE):
            self.result.total_rows += len(page)
            self.problems.forget(number for number, _ in page)
            self._judge([_row(number, headers, cells) for number, cells in page])
            self.on_page(len(page))

    def _judge(self, rows: list[Row]) -> None:
        for row in rows:
            self._guard(row, self._find_key)
        stored = self._stored(rows)
        for row in rows:
            if not row.errors:
                self._guard(row, partial(self._fill, stored=stored))
        self._refuse_deleted([row for row in rows if row.kind == NEW and row.key is not None and row.version])
        newer = self.versions.newer({row.key: row.version for row in rows if row.obj is not None and row.kind != NEW})
        for row in rows:
            if row.key in newer and not row.is_repeated:
                self._merge(row, newer[row.key])
        writes = [row for row in rows if row.obj is not None and row.kind in (NEW, CHANGED)]
        actions = [Write("add", row.obj) if row.kind == NEW else Write("change", row.obj, row.before) for row in writes]
        # Before the model's own rules: "name is taken" would reveal a parent that this user can't see.
        for row, refused in zip(writes, batch_refusals(actions, self.person), strict=True):
            if refused:
                row.refuse(as_error(refused))
            self._guard(row, self._validate)
        self._add(rows)
        for row in rows:
            if row.errors:
                self.problems.add(row.number, row.messages)
            elif row.obj is not None:
                self.result.accept(ContentRow(row.number, row.kind, row.obj, row.before), row.changed)

    def _guard(self, row: Row, step: Callable[[Row], None]) -> None:
        """Do a step of the row; what is wrong is said of the row, also if it is an error in the program."""
        try:
            step(row)
        except ValidationError as error:
            row.refuse(error)
        except Error:
            raise
        except Exception as error:  # noqa: BLE001 - logged; the other rows are judged all the same
            row.give_up(error)

    def _find_key(self, row: Row) -> None:
        row.version = self.versions.version_of(row.cells)
        self.resource.before_import_row(row.cells)
        row.key = self.resource.key_of(row.cells)

    def _stored(self, rows: list[Row]) -> dict[Any, Any]:
        """Return the stored objects that the rows name and the user may see, by key."""
        keys = set()
        for row in rows:
            if row.key is None:
                continue
            row.is_repeated = row.key in keys
            try:
                self.pk.run_validators(row.key)  # `pk__in` raises for a number that the database can't hold
            except ValidationError:
                continue
            keys.add(row.key)
        if not keys:
            return {}
        objects = self.model._default_manager.visible_to(self.resource.user).filter(pk__in=keys)
        return {obj.pk: obj for obj in (objects.order_by("pk").select_for_update() if self.is_locking else objects)}

    def _fill(self, row: Row, stored: dict[Any, Any]) -> None:
        """Give the row its object, with the values of its cells."""
        if row.is_repeated:
            row.kind = CHANGED
            return  # refused by `end_state`, as a key that is in another page already
        obj = None if row.key is None else stored.get(row.key)
        if obj is None:
            if row.key is not None and not self.resource._meta.caller_keys:
                column, name = self.pk.name, self.model._meta.verbose_name
                unseen = self.person.unseen(self.model, row.key)
                text = _("%(unseen)s Leave the %(column)s empty to add a new %(name)s.")
                raise ValidationError({column: text % {"unseen": unseen, "column": column, "name": name}})
            obj = self.resource.init_instance(row.cells)
        else:
            row.kind = CHANGED
        # A new object may have a default key, which does not count.
        row.before = column_values(obj) | {self.pk.attname: row.key}
        for column in self.columns:
            try:
                self.resource.import_field(column, obj, row.cells)
            except ValueError as error:
                row.errors[column.column_name] = [ValidationError(str(error), code="invalid")]
        row.obj = obj
        self._compare(row)

    def _compare(self, row: Row) -> None:
        """Find out what the row changes."""
        now = column_values(row.obj)
        row.changed = [item.name for item in self.fields if now[item.attname] != row.before[item.attname]]
        if row.kind == CHANGED and not row.changed and not row.errors:
            row.kind = UNCHANGED

    def _refuse_deleted(self, rows: Sequence[Row]) -> None:
        deleted = self.versions.deleted([row.key for row in rows])
        for row in rows:
            if row.key in deleted:
                message = _("It was deleted after the file was made. Leave its version empty to add it again.")
                row.errors.setdefault(self.pk.name, []).append(ValidationError(message, code="conflict"))
                row.kind = CONFLICT

    def _merge(self, row: Row, newer: Newer) -> None:
        """Keep what somebody changed since the file was made, and refuse the row if it changes the same otherwise."""
        changed = [item for item in self.fields if item.name in row.changed]
        for name, message in newer.merge(row.obj, row.before, changed):
            row.errors.setdefault(name, []).append(ValidationError(message, code="conflict"))
            row.kind = CONFLICT
        self._compare(row)

    def _validate(self, row: Row) -> None:
        """Validate as `full_clean` does, except for what `end_state` judges."""
        obj, known = row.obj, {*row.errors}
        links = {link.name for link in self.links if getattr(obj, link.attname) is not None}
        for rule in (lambda: obj.clean_fields(exclude=known | links), obj.clean):
            try:
                rule()
            except ValidationError as error:
                row.refuse(error)

    def _add(self, rows: list[Row]) -> None:
        for row in rows:
            self._guard(row, self._prepare)
        try:
            self._insert([row.values for row in rows])
        except (DataError, ValueError):  # a value that the database can't hold: find the rows that have one
            for row in rows:
                try:
                    self._insert([row.values])
                except (DataError, ValueError) as error:
                    row.give_up(error)
                    self._prepare(row)
                    self._insert([row.values])

    def _insert(self, values: list[list[Any]]) -> None:
        if connection.in_atomic_block:  # an error would else break the transaction; outside of one, it would begin one
            with transaction.atomic():
                self.stage.add(values)
        else:
            self.stage.add(values)

    def _prepare(self, row: Row) -> None:
        """Give the row its values in the table."""
        is_whole = row.obj is not None and row.kind not in (UNCHANGED, CONFLICT)
        moves = is_whole and (row.kind == NEW or not self.unique.isdisjoint(row.changed))
        key = row.key if row.obj is not None or row.is_repeated else None
        values = self.stage.values(row.obj, row.kind, row.errors) if is_whole else self.stage.key_alone(key)
        row.values = [row.number, row.kind, moves, bool(row.errors), *values]
