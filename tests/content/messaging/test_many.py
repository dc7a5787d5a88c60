"""With many messages the lists read what they show and no more: the plans of the queries that they really run."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from content.messaging.models import Message
from tests.content.messaging.support import BOT, MESSAGES, OTHER_BOT, make_bot, program_of
from tests.content.pages import administrator

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

NUMBER = 200_000
BY_INDEX = {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
HANDFUL = 10  # rows that may be sorted
DEEPEST = 10_000  # rows that the last page of the admin's list reads
COUNTED = 20_000  # rows that are read to count 10,001: few more are sorted rather than read in order
BIG, SMALL = 0, 199  # conversations: number 0 has 20,000 messages, the others about 900
FILL = """
    INSERT INTO messaging_message (bot_id, direction, client, conversation, timestamp, text)
    SELECT CASE WHEN n %% 50 = 0 THEN %(rare)s ELSE %(bot)s END::uuid, CASE WHEN n %% 2 = 0 THEN 'to' ELSE 'from' END,
        'client-' || room, lpad(to_hex(room), 32, '0')::uuid, '2026-01-01Z'::timestamptz + n * interval '7 seconds',
        'What was said in number ' || n
    FROM (SELECT n, CASE WHEN n %% 10 = 0 THEN 0 ELSE n %% 200 END AS room FROM generate_series(1, %(number)s) n) made
"""


@pytest.fixture
def many():
    make_bot()
    make_bot(OTHER_BOT, "Rare")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"bot": BOT, "rare": OTHER_BOT, "number": NUMBER})
        cursor.execute("ANALYZE")  # of all tables, as autovacuum does


@pytest.mark.slow
def test_the_lists_of_messages_are_read_by_indexes_only(many):
    program, administrators = program_of("view_message"), administrator()
    for query in api_lists():
        page = plans(program, f"{MESSAGES}?{urlencode(query)}")
        check(page, f"API {query}")
        following = {**query, "cursor": page.answer.json()["next"]}
        check(plans(program, f"{MESSAGES}?{urlencode(following)}"), f"API {query}, next page")
    changelist = reverse("admin:messaging_message_changelist")
    for query in admin_lists():
        check(plans(administrators, f"{changelist}?{urlencode(query)}"), f"admin {query}")
    assert "Select all about 200,000 messages" in administrators.get(changelist).content.decode()


def room(number: int) -> str:
    return f"{number:032x}"


def api_lists() -> list[dict[str, Any]]:
    owners: list[dict[str, Any]] = [
        {"conversationId": room(BIG)},
        {"conversationId": room(SMALL)},
        {"bot": BOT},
        {"bot": OTHER_BOT},
    ]
    return [{}, {"sort": "timestamp"}, *owners, {"client": "client-0"}, {"client": "client-199"}]


def admin_lists() -> list[dict[str, Any]]:
    searched = [{"q": room(BIG)}, {"q": room(SMALL)}, {"q": "client-0"}, {"q": "client-199"}, {"q": "nobody"}]
    return [{}, {"p": 200}, {"o": "3"}, {"bot__id__exact": BOT}, {"bot__id__exact": OTHER_BOT}, *searched]


class Plans:
    """What a request asked of the table of messages, and how PostgreSQL goes about it."""

    def __init__(self, answer: Any, asked: list[str]) -> None:
        self.answer = answer
        self.counts = [plan(sql) for sql in asked if "COUNT(" in sql]
        self.reads = [plan(sql) for sql in asked if "COUNT(" not in sql]


def plans(client: Client, address: str) -> Plans:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return Plans(answer, [query["sql"] for query in queries if f'FROM "{Message._meta.db_table}"' in query["sql"]])


def plan(sql: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}")
        found = cursor.fetchone()[0]
    return list(nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


def nodes(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for below in top.get("Plans", ()):
        yield from nodes(below)


def check(found: Plans, where: str) -> None:
    """Pages come from an index in its order, unless they are a handful of rows. To count, any order will do."""
    assert found.reads, where
    for read in found.reads:
        assert kinds(read) <= BY_INDEX, where
        assert max(map(rows_read, read)) <= DEEPEST, where
        assert all(node["Actual Rows"] <= HANDFUL for node in read if "Sort" in node["Node Type"]), where
    for count in found.counts:
        assert kinds(count) <= BY_INDEX, where
        assert max(map(rows_read, count)) <= COUNTED, where


def kinds(read: list[dict[str, Any]]) -> set[str]:
    return {node["Node Type"] for node in read if node.get("Relation Name") == Message._meta.db_table}


def rows_read(node: dict[str, Any]) -> int:
    removed = sum(node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])
