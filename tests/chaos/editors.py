"""Who writes, by name."""

from tests.chaos.api_editor import ApiEditor
from tests.chaos.editor import Editor
from tests.chaos.import_editor import ImportEditor
from tests.chaos.orm_editor import OrmEditor

EDITORS: dict[str, type[Editor]] = {"orm-1": OrmEditor, "orm-2": OrmEditor, "api": ApiEditor, "import": ImportEditor}
