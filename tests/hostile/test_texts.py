"""The same texts through every entry point: one that takes a text for another would be a silent change."""

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest

from content.base.files import FORMATS
from content.base.tables import FileError
from content.news.models import Post
from content.news.resources import PostResource
from content.orders.models import Order
from tests.content.awkward.book import book, row
from tests.content.awkward.book import rows as sheet
from tests.content.files import export
from tests.content.files import table as csv_of
from tests.content.pages import administrator, form_of
from tests.hostile.cases import nothing_written, table
from tests.hostile.texts import TEXTS, Text
from tests.syncer.targets.peer.inbound.batches import LAMP, MODEL, peer

pytestmark = pytest.mark.django_db

POSTS = "/api/news/posts/"
NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\r\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Said:
    """What an entry point answered; nothing: it took the text, and `kept` is what it stored."""

    refused: str = ""
    kept: str | None = None


def by_api(api: Any, text: str) -> Said:
    answer = api.send("POST", POSTS, {"title": text, "body": "B"})
    return said_by(answer)


def by_patch(api: Any, text: str) -> Said:
    answer = api.send("PATCH", f"{POSTS}{Post.objects.values_list('pk', flat=True).get()}/", {"title": text})
    return said_by(answer)


def said_by(answer: Any) -> Said:
    if answer.status_code < 300:
        return Said(kept=answer.json()["title"])
    assert answer.status_code in (400, 422), answer.content
    return Said(refused=answer.json()["detail"])


@cache
def empty_form() -> dict[str, str]:
    return form_of(administrator().get("/admin/news/post/add/"), "post_form")


def by_form(_api: Any, text: str) -> Said:
    client = administrator()
    form = empty_form() | {"title": text, "body": "B"}
    encoded = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()})
    answer: Any = client.post("/admin/news/post/add/", encoded, content_type="application/x-www-form-urlencoded")
    if answer.status_code == 302:
        return Said(kept=Post.objects.latest("pk").title)
    if answer.status_code == 400:
        return Said(refused=answer.content.decode())
    return Said(refused=" ".join(answer.context["adminform"].form.errors["title"]))


def by_file(kind: str, data: bytes) -> Said:
    """Import as a job does, and a person confirms."""
    try:
        result: Any = PostResource().import_data(FORMATS[kind]().create_dataset(data))
    except FileError as error:
        return Said(refused=str(error))
    assert not result.base_problems()
    if problems := result.problems():
        return Said(refused=problems[0][2])
    return Said(kept=Post.objects.latest("pk").title)


def by_csv(_api: Any, text: str) -> Said:
    return by_file("CSV", csv_of(["title", "body"], [text, "B"]).encode())


def by_json(_api: Any, text: str) -> Said:
    return by_file("JSON", json.dumps([{"title": text, "body": "B"}]).encode())


def by_workbook(_api: Any, text: str) -> Said:
    written = NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(text))
    return by_file("XLSX", book(sheet(row(written, "B"))))


ENTRIES = {
    "API, POST": by_api,
    "API, PATCH": by_patch,
    "admin, form": by_form,
    "import, CSV": by_csv,
    "import, JSON": by_json,
    "import, XLSX": by_workbook,
}
# UTF-8 has no halves of characters: a CSV file with such bytes is in another encoding.
CSV_TEXTS = {name: text for name, text in TEXTS.items() if "surrogate" not in text.refused}


def both(entry: str) -> list[Any]:
    return [
        pytest.param(*one.values, entry, id=one.id, marks=one.marks)
        for one in table(f"{entry}: texts", CSV_TEXTS if entry == "import, CSV" else TEXTS)
    ]


@pytest.mark.parametrize(("text", "entry"), [one for entry in ENTRIES for one in both(entry)])
def test_a_text_is_kept_as_it_was_sent_or_refused_with_its_cure(api, text, entry):
    Post.objects.create(title="Before", body="B")
    if text.refused:
        with nothing_written():
            assert re.search(text.refused, ENTRIES[entry](api, text.value).refused)
        return
    changed = text.form if entry == "admin, form" else None
    assert ENTRIES[entry](api, text.value) == Said(kept=text.value if changed is None else changed)


KEPT_TEXTS = [text.value for text in TEXTS.values() if not text.refused]


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_what_was_kept_comes_back_from_an_export(kind):
    Post.objects.bulk_create([Post(title=text, body="B") for text in KEPT_TEXTS])
    data = export(administrator(), Post, kind)
    Post.objects.all().update(title="Other")
    result: Any = PostResource().import_data(FORMATS[kind.upper()]().create_dataset(data))
    assert not result.base_problems() + result.problems()
    assert list(Post.objects.order_by("pk").values_list("title", flat=True)) == KEPT_TEXTS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("text", table("peer, batch: texts", TEXTS))
def test_a_text_in_a_batch_is_kept_as_it_was_sent_or_refused(settings, text: Text):
    settings.NODE = "warehouse"
    store = peer("store")
    store.node.create(LAMP | {"product_name": text.value})
    batch = json.dumps(store.node.news(MODEL))
    assert store.send(store.node.batch()).status_code == 200  # the two know each other
    if not text.refused:
        assert result_of(store.send(batch.encode()))["result"] == "applied"
        assert Order.objects.get().product_name == text.value
        return
    with nothing_written():
        answer = store.send(batch.encode())
        says = answer.json()["detail"] if answer.status_code == 400 else json.dumps(result_of(answer)["fields"])
        assert re.search(text.refused, says)


def result_of(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    (item,) = answer.json()["items"]
    return item
