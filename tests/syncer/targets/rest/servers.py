"""The servers of `test_dialects.py`: how each speaks, and the columns of the route that speak it.

A server that the route says nothing about blocks the target, with a reason; its `cure` is what a person then sets.
"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.remote import Created, Deleted, Dialect, Pages, Updated
from tests.syncer.targets.rest.normalising import NORMALISING, texts
from tests.syncer.targets.rest.server import OPEN, Server


def as_uuid(key: Any) -> Any:
    return str(uuid5(NAMESPACE_URL, f"{key}")) if isinstance(key, int) else key


DATA = {"wrap": "data", "record": "data", "items_field": "data"}
RESOURCE = {
    "wrap": "data",
    "record": "data",
    "items_field": "data",
    "send_id": True,
    "constants": {"type": "posts"},
    "fields": {"attributes.userId": "user_id", "attributes.title": "title", "attributes.body": "body"},
    "lookup": ["attributes.userId", "attributes.title"],
}
ENVELOPED = [
    Server(name="data", dialect=Dialect(wrap="data", record="data", items="data"), columns=DATA),
    Server(
        name="named by the model",
        dialect=Dialect(wrap="post", record="post", items="posts", flag="ok"),
        columns={"wrap": "post", "record": "post", "items_field": "posts"},
    ),
    Server(
        name="JSON:API",
        dialect=Dialect(
            wrap="data",
            record="data",
            items="data",
            id_as=str,
            filters="refused",
            updates=("PATCH",),
            pages=Pages(by="body", name="links.next", address="path"),
            total="meta.count",
        ),
        columns=RESOURCE | {"update": "PATCH", "next_field": "links.next"},
    ),
    Server(
        name="deep",
        dialect=Dialect(wrap="request.body.post", record="response.result", items="response.results"),
        columns={"wrap": "request.body.post", "record": "response.result", "items_field": "response.results"},
    ),
    Server(
        name="an object for an empty list",
        dialect=Dialect(items="items", empty={"items": {}}),
        columns={"items_field": "items"},
    ),
    Server(
        name="null for an empty list",
        dialect=Dialect(items="items", empty={"items": None}),
        columns={"items_field": "items"},
    ),
]
NAMED = [
    Server(name="_id", dialect=Dialect(id="_id"), columns={"id_field": "_id"}),
    Server(name="UUIDs", dialect=Dialect(id="uuid", id_as=as_uuid), columns={"id_field": "uuid"}),
    Server(
        name="an id among the attributes",
        dialect=Dialect(id="attributes.id", wrap="data", record="data", items="data"),
        columns=RESOURCE | {"id_field": "attributes.id", "send_id": False},
    ),
    Server(name="a number in answers, a text in lists", dialect=Dialect(id_listed=str)),
    Server(name="a text in answers, a number in lists", dialect=Dialect(id_as=str, id_listed=int)),
    Server(name="ids from 0", dialect=Dialect(id_as=lambda key: key - 1 if isinstance(key, int) else key)),
    Server(name="long ids", dialect=Dialect(id_as=lambda key: 2**63 + int(key))),
    Server(name="ids with signs", dialect=Dialect(id_as=lambda key: f"a/{key} ü?#")),
    Server(name="given ids", dialect=Dialect(given_ids=True, id_as=str), columns={"own_id": "id"}),
]
PAGED = [
    Server(name="Link", dialect=Dialect(pages=Pages(by="link"))),
    Server(
        name="Link with several relations, unquoted",
        dialect=Dialect(
            pages=Pages(
                by="link",
                links=(
                    '<{first}>; rel="first"',
                    '<{next}>; title="next, please"; rel="last next"',
                    "<{first}>; rel=prev",
                ),
                address="query",
            )
        ),
    ),
    Server(
        name="Link, relative, rel=next",
        dialect=Dialect(pages=Pages(by="link", links=("<{first}>; rel=first", "<{next}>; rel=next"), address="path")),
    ),
    Server(
        name="Link, X-Total-Count of all",
        dialect=Dialect(pages=Pages(by="link"), total="X-Total-Count", counts="all"),
    ),
    Server(
        name="Next-Page",
        dialect=Dialect(wrap="data", record="data", items="data", pages=Pages(by="header", name="Next-Page")),
        columns=DATA | {"paging": "header"},
    ),
    Server(
        name="an address in the body",
        dialect=Dialect(items="results", pages=Pages(by="body", name="next"), total="count"),
        columns={"items_field": "results", "next_field": "next"},
    ),
    Server(
        name="a cursor",
        dialect=Dialect(items="data", pages=Pages(by="cursor", name="starting_after", last="")),
        columns={"items_field": "data", "paging": "cursor", "page_name": "starting_after", "next_field": "meta.next"},
    ),
    Server(
        name="page numbers",
        dialect=Dialect(items="data", pages=Pages(by="page", name="page"), total="meta.total", filters="ignored"),
        columns={"items_field": "data", "paging": "page"},
    ),
    Server(
        name="page numbers from 0, without a total",
        dialect=Dialect(pages=Pages(by="page", name="p", first=0)),
        columns={"paging": "page", "page_name": "p", "first_page": 0},
    ),
    Server(
        name="offsets",
        dialect=Dialect(pages=Pages(by="offset", name="skip"), total="Content-Range"),
        columns={"paging": "offset", "page_name": "skip"},
    ),
    Server(
        name="a total of something else",
        dialect=Dialect(items="data", total="total", counts="all", pages=Pages(by="page", name="page")),
        columns={"items_field": "data", "paging": "page"},
    ),
]
ANSWERING = [
    Server(name="201 without a body", dialect=Dialect(created=Created(body="empty"))),
    Server(name="201 with a Location", dialect=Dialect(created=Created(body="empty", location="absolute"))),
    Server(name="201 with a relative Location", dialect=Dialect(created=Created(body="empty", location="relative"))),
    Server(
        name="201 with a path as Location", dialect=Dialect(id_as=str, created=Created(body="html", location="path"))
    ),
    Server(name="201 with a list of one", dialect=Dialect(created=Created(body="list"))),
    Server(name="201 without an id", dialect=Dialect(created=Created(body="no id"), updated=Updated(status=204))),
    Server(name="200 with OK", dialect=Dialect(created=Created(status=200, body="OK"), updated=Updated(body="OK"))),
    Server(name="303", dialect=Dialect(created=Created(status=303, body="empty", location="path"))),
    Server(name="303 to the list", dialect=Dialect(created=Created(status=303, body="empty"))),
    Server(name="202 and later", dialect=Dialect(created=Created(status=202, body="empty", hidden=4))),
    Server(name="201 and later", dialect=Dialect(created=Created(hidden=3))),
    Server(name="304", dialect=Dialect(updated=Updated(unchanged=304))),
    Server(name="a page for people", dialect=Dialect(updated=Updated(body="html"), deleted=Deleted(status=200))),
    Server(
        name="errors in 200",
        dialect=Dialect(errors_in_200=True, flag="success", record="data", items="data", filters="refused"),
        columns={"record": "data", "items_field": "data"},
    ),
    Server(
        name="errors in 200, named",
        dialect=Dialect(errors_in_200=True, flag="done"),
        columns={"ok": "done", "error": "errors"},
    ),
]
STRICT = [
    Server(name="unique, 422", dialect=Dialect(unique=("title",))),
    Server(name="unique, 409", dialect=Dialect(unique=("title",), refuses=409)),
    Server(name="unique, 400, lower case", dialect=Dialect(unique=("title",), refuses=400, keep=texts(str.lower))),
    Server(
        name="unique, 409, cut",
        dialect=Dialect(unique=("title",), refuses=409, keep=texts(lambda text: text[:25])),
        asks=OPEN,
    ),
    Server(name="ETags", dialect=Dialect(etags="honoured"), columns={"if_match": True}),
    Server(name="ETags demanded", dialect=Dialect(etags="demanded"), columns={"if_match": True}),
    Server(
        name="ETags demanded, texts in lower case",
        dialect=Dialect(etags="demanded", keep=texts(str.lower)),
        columns={"if_match": True},
    ),
    Server(name="closing connections", dialect=Dialect(closes=True)),
    Server(name="slow deletes", dialect=Dialect(deleted=Deleted(listed=3))),
    Server(name="deleted records stay listed", dialect=Dialect(deleted=Deleted(flag="deleted"))),
    Server(
        name="deleted records stay listed, under a word of its own",
        dialect=Dialect(deleted=Deleted(flag="ghost")),
        asks=frozenset({"delete lost", "mass delete"}),
    ),
    Server(
        name="/posts/1.json, POST",
        dialect=Dialect(item="{list}/{id}.json", updates=("POST",)),
        columns={"item_path": "/posts/{id}.json", "update": "POST"},
    ),
    Server(name="lists of titles", dialect=Dialect(shows=("userId", "title")), asks=frozenset()),
    Server(name="no filters", dialect=Dialect(filters="refused")),
    Server(name="PATCH", dialect=Dialect(updates=("PATCH",)), columns={"update": "PATCH"}),
]
SILENT = [
    Server(name="_id, unsaid", dialect=Dialect(id="_id"), blocked="_id", cure={"id_field": "_id"}),
    Server(
        name="an id among the attributes, unsaid",
        dialect=Dialect(id="attributes.id"),
        blocked="attributes",
        cure={"id_field": "attributes.id"},
    ),
    Server(
        name="items, unsaid",
        dialect=Dialect(items="data"),
        blocked="its records may be in: data",
        cure={"items_field": "data"},
    ),
    Server(
        name="a silent cut",
        dialect=Dialect(pages=Pages(name="at"), total="X-Total-Count"),
        blocked="the route must say how lists are paged",
        cure={"paging": "offset", "page_name": "at"},
    ),
    Server(
        name="a silent cut, Content-Range",
        dialect=Dialect(pages=Pages(by="page", name="page"), total="Content-Range"),
        blocked="the route must say how lists are paged",
        cure={"paging": "page"},
    ),
    Server(
        name="a cursor, unsaid",
        dialect=Dialect(items="data", pages=Pages(by="cursor", name="cursor"), total="meta.total"),
        columns={"items_field": "data"},
        blocked="the route must say how lists are paged",
        cure={"paging": "cursor", "next_field": "meta.next"},
    ),
    Server(
        name="Next-Page, unsaid",
        dialect=Dialect(pages=Pages(by="header", name="Next-Page"), total="meta.total", items="items"),
        columns={"items_field": "items"},
        blocked="the route must say how lists are paged",
        cure={"paging": "header"},
    ),
    Server(
        name="an envelope, unsaid",
        dialect=Dialect(record="data", items="data"),
        columns={"items_field": "data"},
    ),
]
SERVERS = [*NORMALISING, *ENVELOPED, *NAMED, *PAGED, *ANSWERING, *STRICT, *SILENT]
