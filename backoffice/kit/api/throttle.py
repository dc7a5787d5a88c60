"""Rate limits per user or address: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10

Requests are counted in fixed windows of time, in Django's cache: one number per user and window, incremented
atomically. Around the end of a window twice the quota can pass within one window's time; a list of times (as ninja's
own throttles keep) would prevent that, but grows with the quota and loses counts between threads.
"""

import math
import time
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from ninja.throttling import BaseThrottle

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.clients import client_address


class Rate(NamedTuple):
    """`requests` in each window of `seconds`."""

    requests: int
    seconds: int


class Usage(NamedTuple):
    """The use of a policy's quota in the current window, which ends in `reset` seconds."""

    policy: str
    rate: Rate
    used: int
    reset: int

    @property
    def is_over(self) -> bool:
        return self.used > self.rate.requests

    @property
    def headers(self) -> dict[str, str]:
        left = max(0, self.rate.requests - self.used)
        headers = {
            "RateLimit-Policy": f'"{self.policy}";q={self.rate.requests};w={self.rate.seconds}',
            "RateLimit": f'"{self.policy}";r={left};t={self.reset}',
        }
        return headers | ({"Retry-After": str(self.reset)} if self.is_over else {})


class Throttle(BaseThrottle):
    """Count each request that reaches an operation, after authentication; `with_limits` adds the result to the answer.

    `policy` is its name in the headers, `setting` the name of the setting that holds its `Rate`.
    """

    def __init__(self, policy: str, setting: str) -> None:
        self.policy, self.setting = policy, setting

    def allow_request(self, request: HttpRequest) -> bool:
        caller = f"user:{request.user.pk}" if request.user.is_authenticated else _address(request)
        return not self.count(request, caller).is_over

    def count(self, request: HttpRequest, caller: str) -> Usage:
        """Count `request` for `caller`, and keep the usage as its attribute `rate_usage`."""
        rate = Rate(*getattr(settings, self.setting))
        window, passed = divmod(time.time(), rate.seconds)
        key = f"rate:{self.policy}:{caller}:{window:.0f}"
        try:
            used = cache.incr(key)
        except ValueError:  # the first of its window
            used = 1 if cache.add(key, 1, rate.seconds) else cache.incr(key)
        usage = Usage(self.policy, rate, used, math.ceil(rate.seconds - passed))
        request.rate_usage = usage  # type: ignore[attr-defined]
        return usage


DEFAULT = Throttle("default", "API_RATE")
REGISTRATION = Throttle("registration", "REGISTRATION_RATE")


def _address(request: HttpRequest) -> str:
    return f"address:{client_address(request)}"


def with_limits(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer with the rate limit's headers, or 429 in its place.

    A request that reached no operation, as its sign-in or its path was wrong, is counted by address.
    """
    usage: Usage | None = getattr(request, "rate_usage", None)
    if usage is None:
        usage = DEFAULT.count(request, _address(request))
        if usage.is_over:
            response.close()
            response = ProblemError(429, "Too many requests.").response()
    for name, value in usage.headers.items():
        response[name] = value
    return response
