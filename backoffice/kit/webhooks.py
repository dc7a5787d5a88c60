"""Signing what we send to a webhook, by Standard Webhooks (https://www.standardwebhooks.com).

The receiver knows by the signature that it came from us unchanged, by the time that nobody sends an old one again, and
by the id that it has had it already: a message that is repeated keeps its id.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
KEY_LEAST = 24  # bytes; the specification asks for 24 to 64


def key_of(secret: str) -> bytes:
    """The key in a secret, `whsec_` and base64.

    Raises:
        ValueError: it is none, or can be guessed. The message does not quote it.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) < KEY_LEAST:
        raise ValueError(f"It must be {PREFIX} and the base64 of at least {KEY_LEAST} random bytes.")
    return key


def headers(*, message_id: str, sent_at: int, body: bytes, secret: str) -> dict[str, str]:
    """What to send along with exactly these bytes; without a secret they are not signed.

    Args:
        message_id: the same for each repeat; without a full stop.
        sent_at: seconds since 1970; of each repeat its own.
    """
    named = {"webhook-id": message_id, "webhook-timestamp": str(sent_at)}
    if not secret:
        return named
    signed = f"{message_id}.{sent_at}.".encode() + body
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return named | {"webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
