"""Django's database-backed sessions in our table: the setting SESSION_ENGINE."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db

from backoffice.kit.sessions.models import MARK_LENGTH, Session


class SessionStore(db.SessionStore):
    last_seen_at: datetime | None = None  # as it was when the session was read

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]
        self.last_seen_at = row.last_seen_at if row else None
        return row

    def create_model_instance(self, data: Mapping[str, Any]) -> Session:
        row: Any = super().create_model_instance(data)  # type: ignore[arg-type]
        row.user_id = data.get(SESSION_KEY)
        row.password_mark = data.get(HASH_SESSION_KEY, "")[:MARK_LENGTH]
        return row  # type: ignore[no-any-return]
