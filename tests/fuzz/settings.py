"""The settings of the node that is fuzzed: nothing but the API itself may refuse a request."""

from backoffice.settings import *  # noqa: F403

API_RATE = SIGN_IN_RATE = (10**9, 1)  # requests, seconds
AXES_FAILURE_LIMIT = SIGN_IN_ADDRESS_FAILURES = 10**9
ACCESS_TOKEN_SECONDS = 24 * 60 * 60
