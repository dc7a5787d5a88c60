"""Our webhooks, on their way to a receiver that checks what it gets as the standard says."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.hostile.cases import REFUSED, counted
from tests.syncer.alerting import becomes_blocked, outcomes
from tests.syncer.conftest import HOOK_KEY, hook, target  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)

NONE_OF_OURS = "v1," + base64.b64encode(bytes(32)).decode()
ALTERED = {  # headers and body, which replace those that came
    "the body": ({}, b"another"),
    "the time": ({"webhook-timestamp": "soon"}, b""),
    "a later time": ({"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 60)}, b""),
    "the id": ({"webhook-id": "another"}, b""),
    "the signature": ({"webhook-signature": NONE_OF_OURS}, b""),
    "no signature": ({"webhook-signature": ""}, b""),
}


@counted("webhook: altered or late", REFUSED, tests=len(ALTERED))
@pytest.mark.parametrize("what", ALTERED)
def test_a_webhook_that_was_tampered_with_or_replayed_is_noticed(target, hook, what):  # noqa: F811
    becomes_blocked(target)
    assert outcomes() == [("unhealthy", "notified")]
    ((headers, body),) = hook.posts
    receiver = Webhook(f"whsec_{HOOK_KEY}")
    assert receiver.verify(body, headers) == json.loads(body)
    altered, data = ALTERED[what]
    with pytest.raises(WebhookVerificationError):
        receiver.verify(data or body, headers | altered)


@counted("webhook: altered or late", REFUSED)
def test_a_webhook_that_comes_again_much_later_is_noticed():
    receiver, then = Webhook(f"whsec_{HOOK_KEY}"), datetime.now(UTC) - timedelta(minutes=6)
    signed = {"webhook-id": "one", "webhook-timestamp": str(int(then.timestamp()))}
    signed["webhook-signature"] = receiver.sign("one", then, "{}")
    with pytest.raises(WebhookVerificationError, match="too old"):
        receiver.verify("{}", signed)
