# ruff: noqa: A002 (the addresses call it `id`)
"""The API of bots and messages. Messages have their own field names in JSON, and are never changed."""

from functools import partial
from typing import Literal
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from ninja import Query
from pydantic import BaseModel, Field

from backoffice.kit.api import conditional
from backoffice.kit.api.lists import list_response
from backoffice.kit.api.openapi import LOCATION
from backoffice.kit.api.pagination import Row
from backoffice.kit.api.problems import FieldError, InvalidError, ProblemError
from backoffice.kit.api.schemas import ListQuery, Text
from content.base.api import Resource, build_router
from content.messaging import wire
from content.messaging.api_clients import router as clients
from content.messaging.models import CLIENT_LENGTH, Bot, Direction, Message
from content.messaging.wire import MessageIn, MessageOut

NAMES = "|".join(wire.NAMES)


class Bots(Resource):
    def check_delete(self, request: HttpRequest, obj: Bot) -> None:
        if number := obj.messages.count():
            raise ProblemError(409, f"This bot has {number} message{'s' * (number > 1)}, so it can't be deleted.")


class Messages(Resource):
    def row(self, obj: Model) -> Row:
        return wire.message(super().row(obj))


bots = Bots(Bot, path="bots", fields=("name",), key="caller", sort=("name",), search=("name",))
messages = Messages(Message, path="messages", fields=wire.COLUMNS[1:], operations=frozenset())
router = build_router(bots, messages)
router.add_router("", clients)


class FieldsQuery(BaseModel):
    fields: str | None = Field(
        None, pattern=f"^({NAMES})(,({NAMES}))*$", description=f"Only these columns. Of: {', '.join(wire.NAMES)}."
    )


class MessageQuery(FieldsQuery, ListQuery):
    conversationId: UUID | None = Field(None, description="Of this conversation.")  # noqa: N815 - its name in JSON
    bot: UUID | None = Field(None, description="From or to this bot.")
    client: Text | None = Field(None, description="From or to this client.")
    sort: Literal["timestamp", "-timestamp"] | None = Field(
        None, description="Oldest or newest first. Else: a conversation the oldest, all other lists the newest first."
    )


class MessagePart(MessageOut):
    """What `fields=` leaves."""

    model_config = {"json_schema_extra": {"required": []}}


class MessagePage(BaseModel):
    items: list[MessageOut] | list[MessagePart]
    next: str | None
    count: int | None = None


@router.get(
    "/messages/",
    operation_id="messaging_messages_list",
    summary="List messages",
    response={200: MessagePage | list[MessageOut] | list[MessagePart]},
)
def list_messages(request: HttpRequest, query: Query[MessageQuery]) -> HttpResponseBase:
    messages.allow(request, "view")
    wanted = {"conversation": query.conversationId, "bot": query.bot, "client": query.client}
    filters = {name: value for name, value in wanted.items() if value is not None}
    rows = messages.visible(request).filter(**filters).values(*wire.COLUMNS)
    direction = query.sort or ("timestamp" if query.conversationId else "-timestamp")
    order = (direction, direction.replace("timestamp", "id"))
    return list_response(query, rows, order=order, convert=partial(_selected, query.fields))


def _selected(fields: str | None, rows: list[Row]) -> list[Row]:
    """Return the messages of these rows, with the fields named in `fields`, or with all if it is None."""
    items = wire.messages(rows)
    return items if fields is None else [{name: item[name] for name in fields.split(",")} for item in items]


@router.post(
    "/messages/",
    operation_id="messaging_messages_create",
    summary="Keep a message",
    response={201: MessageOut},
    openapi_extra=LOCATION,
)
def create_message(request: HttpRequest, data: MessageIn) -> HttpResponse:
    messages.allow(request, "add")
    values = {"conversation": data.conversationId, "timestamp": data.timestamp, "text": data.text}
    return messages.response(request, messages.create(request, values | _parties(request, data)))


def _parties(request: HttpRequest, data: MessageIn) -> dict[str, object]:
    """Return the values of `bot`, `client` and `direction`.

    Raises:
        InvalidError: not exactly one of `from` and `to` is a known bot (the error names both), or the client's id is
            blank or too long.
    """
    sender, receiver = _bot(request, data.sender), _bot(request, data.receiver)
    if bool(sender) == bool(receiver):
        problem = "Both from and to are bots" if sender else "Neither from nor to is a known bot"
        text = f"{problem}; one must be a bot, the other a client."
        raise InvalidError(FieldError("from", text), FieldError("to", text))
    name, client = ("to", data.receiver) if sender else ("from", data.sender)
    if not client.strip() or len(client) > CLIENT_LENGTH:
        raise InvalidError(FieldError(name, f"A client's id has 1 to {CLIENT_LENGTH} characters and may not be blank."))
    direction = Direction.FROM_BOT if sender else Direction.TO_BOT
    return {"bot": (sender or receiver), "client": client, "direction": direction}


def _bot(request: HttpRequest, text: str) -> UUID | None:
    """Return the key of the bot that the user sees under this id; None if there is no such bot."""
    try:
        key = UUID(text)
    except ValueError:
        return None
    return key if bots.visible(request).filter(pk=key).exists() else None


@router.get(
    "/messages/{int:id}/",
    url_name=messages.name,
    operation_id="messaging_messages_get",
    summary="Get a message",
    response={200: MessageOut | MessagePart, 304: None},
)
def get_message(request: HttpRequest, id: int, query: Query[FieldsQuery]) -> HttpResponse:
    messages.allow(request, "view")
    row, version = messages.get(request, id, wire.COLUMNS)
    return conditional.response(request, _selected(query.fields, [row])[0], version, fields=query.fields or "")
