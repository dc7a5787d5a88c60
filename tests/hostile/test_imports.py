"""What an import makes of bad files: a person uploads them, and reads why."""

import html
import re
import time

import pytest

from content.base.imports.model import Import
from content.news.models import Post
from tests.content.files import preview
from tests.content.pages import administrator
from tests.hostile.cases import nothing_written, table
from tests.hostile.files import FILES

pytestmark = pytest.mark.django_db

MOST_SECONDS = 5  # of CPU, for any of them; a bomb takes minutes


@pytest.mark.parametrize("case", table("import: files", FILES))
def test_a_hostile_file_is_refused_with_its_cure_and_writes_nothing(case):
    client, begun = administrator(), time.process_time()
    with nothing_written():
        page = preview(client, Post, case.data, case.kind)
    assert time.process_time() - begun < MOST_SECONDS
    assert page.status_code == 200
    is_said = bool(re.search(case.says, html.unescape(page.content.decode())))
    assert is_said, case.says
    assert not Import.objects.filter(state="done").exists()
    assert not page.context.get("may_confirm")
