"""Signing by Standard Webhooks."""

from typing import Any

import pytest

from backoffice.kit import webhooks

# The vector of the specification's reference libraries, `sign function works`:
# https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE: dict[str, Any] = {
    "message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "sent_at": 1614265330,
    "body": b'{"test": 2432232314}',
}
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_signed_as_the_reference_libraries_sign_it():
    assert webhooks.headers(**MESSAGE, secret=SECRET) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize(
    "change", [{"message_id": "msg_other"}, {"sent_at": 1614265331}, {"body": b'{"test":2432232314}'}]
)
def test_the_signature_is_over_the_id_the_time_and_the_exact_bytes(change):
    assert webhooks.headers(**{**MESSAGE, **change}, secret=SECRET)["webhook-signature"] != SIGNATURE


def test_without_a_secret_a_message_is_named_and_not_signed():
    assert set(webhooks.headers(**MESSAGE, secret="")) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_no base64"]
)
def test_what_is_no_secret_or_can_be_guessed_is_refused_and_not_quoted(secret):
    with pytest.raises(ValueError, match="at least 24 random bytes"):
        webhooks.key_of(secret)
