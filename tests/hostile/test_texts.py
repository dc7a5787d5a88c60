"""The same texts through every entry point: one that takes a text for another would be a silent change."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest

from content.base.files import FORMATS
from content.news.models import Post
from content.news.resources import PostResource
from content.orders.models import Order
from tests.content.awkward.book import book, row
from tests.content.awkward.book import rows as sheet
from tests.content.files import export
from tests.content.files import table as csv_of
from tests.content.pages import administrator, form_of
from tests.hostile.cases import KEPT, REFUSED, counted, nothing_written, table
from tests.hostile.texts import TEXTS
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


ENTRIES = {"API, POST": by_api, "API, PATCH": by_patch, "admin, form": by_form}


def both(entry: str) -> list[Any]:
    return [pytest.param(*one.values, entry, id=one.id, marks=one.marks) for one in table(f"{entry}: texts", TEXTS)]


@pytest.mark.parametrize(("text", "entry"), [one for entry in ENTRIES for one in both(entry)])
def test_a_text_is_kept_as_it_was_sent_or_refused_with_its_cure(api, text, entry):
    Post.objects.create(title="Before", body="B")
    if text.refused:
        with nothing_written():
            assert re.search(text.refused, ENTRIES[entry](api, text.value).refused)
        return
    changed = text.form if entry == "admin, form" else None
    assert ENTRIES[entry](api, text.value) == Said(kept=text.value if changed is None else changed)


# --- many at once ----------------------------------------------------------------------------------------------------
KEPT_TEXTS = [text.value for text in TEXTS.values() if not text.refused]
REFUSED_TEXTS = [text for text in TEXTS.values() if text.refused]
HALVES = [text for text in REFUSED_TEXTS if "surrogate" in text.refused]
WHOLE = [text for text in REFUSED_TEXTS if text not in HALVES]


def in_csv(texts: list[str]) -> bytes:
    return csv_of(["title", "body"], *([text, "B"] for text in texts)).encode()


def in_json(texts: list[str]) -> bytes:
    return json.dumps([{"title": text, "body": "B"} for text in texts]).encode()


def in_workbook(texts: list[str]) -> bytes:
    written = (NO_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", escape(text)) for text in texts)
    return book(sheet(*(row(text, "B") for text in written)))


def imported(kind: str, data: bytes) -> Any:
    """Import as a job does, and a person confirms."""
    result: Any = PostResource().import_data(FORMATS[kind]().create_dataset(data))
    assert not result.base_problems()
    return result.problems()


# UTF-8 has no halves of characters: a CSV file with such bytes is in another encoding.
FILES = {"CSV": (in_csv, WHOLE), "JSON": (in_json, REFUSED_TEXTS), "XLSX": (in_workbook, REFUSED_TEXTS)}


def files(outcome: str, many: Callable[[str], int]) -> list[Any]:
    return [pytest.param(kind, marks=counted(f"import, {kind}: texts", outcome, many(kind))) for kind in FILES]


@pytest.mark.parametrize("kind", files(KEPT, lambda _: len(KEPT_TEXTS)))
def test_texts_in_a_file_are_kept_as_they_were_sent(kind):
    assert imported(kind, FILES[kind][0](KEPT_TEXTS)) == []
    assert list(Post.objects.order_by("pk").values_list("title", flat=True)) == KEPT_TEXTS


@pytest.mark.parametrize("kind", files(REFUSED, lambda kind: len(FILES[kind][1])))
def test_texts_in_a_file_are_refused_with_their_cure(kind):
    write, texts = FILES[kind]
    with nothing_written():
        found = imported(kind, write([text.value for text in texts]))
    assert [(number, column) for number, column, _ in found] == [(n, "title") for n in first_numbers(kind, len(texts))]
    assert [text for text, (*_, says) in zip(texts, found, strict=True) if not re.search(text.refused, says)] == []


def first_numbers(kind: str, many: int) -> range:
    """Return the numbers of so many rows: a table's first one names its columns."""
    return range(1, many + 1) if kind == "JSON" else range(2, many + 2)


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_what_was_kept_comes_back_from_an_export(kind):
    Post.objects.bulk_create([Post(title=text, body="B") for text in KEPT_TEXTS])
    data = export(administrator(), Post, kind)
    Post.objects.all().update(title="Other")
    assert imported(kind.upper(), data) == []
    assert list(Post.objects.order_by("pk").values_list("title", flat=True)) == KEPT_TEXTS


@pytest.fixture
def store(settings, transactional_db):
    """A peer that has said who it is."""
    settings.NODE = "warehouse"
    store = peer("store")
    assert store.send(store.node.batch()).status_code == 200
    return store


@counted("peer, batch: texts", KEPT, len(KEPT_TEXTS))
def test_texts_in_a_batch_are_kept_as_they_were_sent(store):
    keys = [store.node.create(LAMP | {"product_name": text}) for text in KEPT_TEXTS]
    assert set(store.results()) == {"applied"}
    names = {str(order.pk): order.product_name for order in Order.objects.all()}
    assert [names[key] for key in keys] == KEPT_TEXTS


@counted("peer, batch: texts", REFUSED, len(WHOLE))
def test_texts_in_a_batch_are_refused_with_their_cure(store):
    texts = {store.node.create(LAMP | {"product_name": text.value}): text for text in WHOLE}
    with nothing_written():
        results = {item["key"]: item for item in store.hand_in()}
    assert {item["result"] for item in results.values()} == {"refused"}
    assert [key for key, text in texts.items() if not re.search(text.refused, json.dumps(results[key]["fields"]))] == []


@pytest.mark.parametrize("text", HALVES)
@counted("peer, batch: texts", REFUSED, tests=len(HALVES))
def test_half_a_character_refuses_the_batch(store, text):
    store.node.create(LAMP | {"product_name": text.value})
    with nothing_written():
        answer = store.send(json.dumps(store.node.news(MODEL)).encode())
    assert answer.status_code == 400
    assert re.search(text.refused, answer.json()["detail"])
