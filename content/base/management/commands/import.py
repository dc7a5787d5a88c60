# ruff: noqa: N999 - the command's name
from importlib import import_module
from typing import Any

from import_export.command_utils import get_resource_class

from content.base.management.refusal import refuse_bookkeeping

Replaced: Any = import_module("import_export.management.commands.import").Command  # `import` is a keyword


class Command(Replaced):  # type: ignore[misc]
    """django-import-export's command, except that it refuses the program's own bookkeeping."""

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_bookkeeping(get_resource_class(options["resource"])._meta.model)
        super().handle(*args, **options)
