"""Which account somebody is whom the provider vouches for."""

import logging

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import Role, User
from backoffice.accounts.oidc.models import Identity
from backoffice.accounts.oidc.provider import Claims
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """Nobody is signed in; the message is for the person."""


def account_of(claims: Claims) -> User:
    """Return the account, which is made at the first sign-in where OIDC_NEW_ROLE says so.

    Raises:
        RefusedError: there is none, it may not open the pages, or it is somebody else's.
    """
    identity = (
        Identity.objects.select_related("user").filter(issuer=settings.OIDC_ISSUER, subject=claims["sub"]).first()
    )
    with transaction.atomic():
        user = _link(claims) if identity is None else identity.user
        if not (user.is_active and user.is_staff):
            raise RefusedError(_("Your account may not open these pages."))
    return user


def _link(claims: Claims) -> User:
    name = _name(claims)
    user = User.objects.filter(username=name).first() or _create(name, claims)
    if user.identities.filter(issuer=settings.OIDC_ISSUER).exists():
        log.warning("%s is another person at the provider than the one who signed in first", user)
        raise RefusedError(_("The account of this name belongs to somebody else."))
    Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject=claims["sub"])
    record(Action.IDENTITY_LINKED, user, issuer=settings.OIDC_ISSUER)
    return user


def _name(claims: Claims) -> str:
    claim = settings.OIDC_NAME_CLAIM
    name = claims.get(claim)
    if not isinstance(name, str) or not name:
        log.warning("the provider sent no claim %s; it sent: %s", claim, ", ".join(sorted(claims)))
        raise RefusedError(_("The provider did not tell your name."))
    if claim == "email" and claims.get("email_verified") is not True:
        raise RefusedError(_("The provider has not checked your e-mail address."))
    return name


def _create(name: str, claims: Claims) -> User:
    role = Role.objects.select_related("group").filter(slug=settings.OIDC_NEW_ROLE).first()
    if role is None or role.group is None:
        raise RefusedError(_("You have no account here. Ask an administrator for one."))
    texts = {"email": "email", "first_name": "given_name", "last_name": "family_name"}
    profile = {field: text for field, claim in texts.items() if isinstance(text := claims.get(claim), str)}
    user = User(username=name, is_staff=True, **profile)
    user.set_unusable_password()
    try:
        user.full_clean()
    except ValidationError as error:
        log.warning("no account is made: %s", error)
        raise RefusedError(_("No account can be made of what the provider says about you.")) from None
    user.save()
    user.groups.add(role.group)
    return user
