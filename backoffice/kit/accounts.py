"""An account and its permissions, read in one statement: what nearly every request of the API begins with."""

from functools import cache
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission
from django.db.models import JSONField, OuterRef, Subquery, Value
from django.db.models.functions import Concat

from backoffice.kit.statements import Slot, Statement


class Names(Subquery):
    """The texts that a query finds in its column `permission`, as JSON."""

    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        return super().as_sql(compiler, connection, template="to_jsonb(ARRAY(%(subquery)s))")

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="(SELECT json_group_array(permission) FROM (%(subquery)s))"
        )


def active_account(key: Any, *, by: str = "pk") -> AbstractBaseUser | None:
    """Return the active account with its permissions whose column `by` is `key`; None if there is none.

    The permissions are those of this moment, and what Django's `ModelBackend` would read and remember at their first
    check, in two more statements.

    Args:
        by: a unique column, of the account or of what belongs to it: `sessions__family`.
    """
    statement = _statement(by)
    rows = statement.run({"key": key})
    if not rows:
        return None
    *columns, of_user, of_groups = rows[0]
    account: Any = get_user_model().from_db(statement.database, _attnames(), columns)
    if not account.is_superuser:  # these have all, which Django reads if somebody asks for the list
        account._user_perm_cache, account._group_perm_cache = set(of_user), set(of_groups)
    return cast(AbstractBaseUser, account)


@cache
def _statement(by: str) -> Statement:
    model: Any = get_user_model()
    names = Permission.objects.order_by().values(permission=Concat("content_type__app_label", Value("."), "codename"))
    permissions = (Names(names.filter(**{owner: OuterRef("pk")})) for owner in ("user", "group__user"))
    rows = model._default_manager.filter(**{by: Slot("key", _column(model, by))}, is_active=True)
    # PostgreSQL plans the joins in four times the time that it runs them.
    return Statement(rows.values_list(*_attnames(), *permissions), prepare=True)


def _column(model: Any, path: str) -> Any:
    """Return the field that a path of the ORM leads to."""
    name, _, rest = path.partition("__")
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    return _column(field.related_model, rest) if rest else field


def _attnames() -> list[str]:
    return [field.attname for field in get_user_model()._meta.concrete_fields]
