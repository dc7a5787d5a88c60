"""The settings of the node that is fuzzed: nothing but the API itself may refuse a request."""

from backoffice.settings import *  # noqa: F403

API_RATE = REGISTRATION_RATE = (10**9, 1)  # requests, seconds
SIGN_IN_FREE_FAILURES = dict.fromkeys(("account", "address", "known"), 10**9)
ACCESS_TOKEN_SECONDS = 24 * 60 * 60
