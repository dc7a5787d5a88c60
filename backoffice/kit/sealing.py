"""Texts that the database keeps and a stolen copy of it doesn't tell: encrypted with a key made from the secret key."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.utils.crypto import salted_hmac

from backoffice.kit.secret_keys import secret_keys


class SealError(Exception):
    """The text was not sealed with one of the valid keys."""


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text.

    Raises:
        SealError: it was sealed with another key.
    """
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise SealError from None


def reseal(sealed: str) -> str:
    """Return the text sealed with the key in use.

    Raises:
        SealError: it was sealed with another key than one of the valid ones.
    """
    return seal(unseal(sealed))


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in secret_keys()])


def _key(secret: str) -> bytes:
    derived = salted_hmac("backoffice.kit.sealing", "", secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(derived)
