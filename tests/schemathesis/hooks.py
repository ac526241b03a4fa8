"""What schemathesis loads beside its own: who is asking, and a count of what was answered. `check.py` sets the variables."""

import atexit
import json
import os
import secrets
from collections import Counter
from itertools import count
from pathlib import Path

import requests
import schemathesis

import program

HOME = Path(os.environ["HOME_OF_PROGRAM"])
API = os.environ["API"]
VISITOR = os.environ["VISITOR"]
COOKIE = "fastapiusersauth"

answers: Counter[int] = Counter()
numbers = count(1)
loopback = requests.Session()
# A proxy of the developer's is no way to loopback.
loopback.trust_env = False


class Person:
    """Somebody who is logged in whenever a case begins, for the routes under test log out, change passwords and rights, and delete
    people. Whoever cannot log in again any more, or has other rights than in the beginning, comes back as somebody new."""

    email = password = token = ""

    def get(self, _case: schemathesis.Case, _context: schemathesis.AuthContext) -> str:
        if not (self.is_as_it_was() or (self.log_in() and self.is_as_it_was())):
            self.begin_anew()
        return self.token

    def is_as_it_was(self) -> bool:
        me = loopback.get(f"{API}/users/me", headers={"Authorization": f"Bearer {self.token}"})
        user = me.json() if me.status_code == 200 else {}
        return user.get("is_verified", False) and user["is_superuser"] == (VISITOR == "administrator")

    def log_in(self) -> bool:
        answer = loopback.post(f"{API}/auth/jwt/login", data={"username": self.email, "password": self.password})
        self.token = answer.json()["access_token"] if answer.status_code == 200 else ""
        return self.token != ""

    def begin_anew(self) -> None:
        self.email, self.password = f"{VISITOR}-{next(numbers)}@example.org", secrets.token_urlsafe(18)
        role = ["--admin"] if VISITOR == "administrator" else []
        program.command(HOME, "user", "create", *role, self.email, stdin=f"{self.password}\n")
        assert self.log_in() and self.is_as_it_was(), f"{self.email} cannot log in"


class ByBearer(Person):
    def set(self, case: schemathesis.Case, token: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


class ByCookie(Person):
    def set(self, case: schemathesis.Case, token: str, _context: schemathesis.AuthContext) -> None:
        case.cookies[COOKIE] = token


if VISITOR != "nobody":
    # Asked before every case, because the one before may have ended the session.
    schemathesis.auth(refresh_interval=None)(ByCookie if VISITOR == "member" else ByBearer)


@schemathesis.hook
def after_call(_context: schemathesis.HookContext, _case: schemathesis.Case, response: schemathesis.Response) -> None:
    answers[response.status_code] += 1


@atexit.register
def tell() -> None:
    Path(os.environ["ANSWERS"]).write_text(json.dumps(answers))
