"""An import's file and the rules for its rows, opened for the account that imports."""

from dataclasses import dataclass
from typing import Any, Self

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from content.base.files import FORMATS
from content.base.imports.mapping import matched
from content.base.imports.model import Import
from content.base.imports.newer import Versions
from content.base.imports.problems import Problems
from content.base.tables import Table
from content.base.uploads import path_of


def rules_of(record: Import, user: Any) -> Any:
    """Return the resource of an import.

    Raises:
        PermissionDenied: the user may not import objects of this model.
    """
    pages: Any = admin.site.get_model_admin(apps.get_model(record.model))
    request = HttpRequest()
    request.user = user
    if user is not None and not pages.has_import_permission(request):
        raise PermissionDenied
    return pages.get_import_resource_classes(request)[record.resource](**pages.get_import_resource_kwargs(request))


@dataclass(frozen=True, kw_only=True)
class Source:
    """What an import reads, and by which rules."""

    rules: Any
    table: Table
    columns: dict[str, str]  # of each heading; empty: left out

    @classmethod
    def of(cls, record: Import, user: Any) -> Self:
        """Open the file of an import.

        Raises:
            FileError: the file is gone, can't be read, or its headings make no sense.
            PermissionDenied: the user may not import objects of this model.
        """
        rules = rules_of(record, user)
        table = FORMATS[record.kind]().create_dataset(path_of(record.upload))
        return cls(
            rules=rules,
            table=table,
            columns=matched(table.headers, rules.labels(), record.columns),
        )

    @property
    def headers(self) -> list[str]:
        return [self.columns[heading] for heading in self.table.headers]

    def versions(self, record: Import) -> Versions:
        return Versions(self.rules.model, since=record.moment, is_strict=record.is_strict)


def problems_of(record: Import, *, is_late: bool = False) -> Problems:
    """Open the list of all that is wrong with the rows of an import.

    Raises:
        FileError: it waited for too long.
    """
    return Problems(path_of(record.problems_file), is_late=is_late)
