"""An authenticator app, and accounts that have one."""

import time

import pyotp

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import codes, service
from tests.backoffice.accounts.people import account

PASSWORD = "correct-horse-battery"


class App:
    """Shows codes; each call the next one, as each works once. See the fixture `slow_codes`."""

    def __init__(self, secret: str) -> None:
        self.totp, self.step = pyotp.TOTP(secret), 0

    def code(self) -> str:
        self.step = max(self.step + 1, int(time.time()) // codes.STEP)
        return self.totp.generate_otp(self.step)


def equipped(name: str = "editor", *roles: str, **fields) -> tuple[User, App, list[str]]:
    """An account with a second factor, its app, and its recovery codes."""
    user = account(name, *(roles or ("editor",)), password=PASSWORD, **fields)
    secret = codes.new_secret()
    app = App(secret)
    recovery = service.set_up(user, secret, app.code())
    assert recovery is not None
    return user, app, recovery


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"
