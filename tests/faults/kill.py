#!/usr/bin/env python3
"""Does everything that was answered hold, although the program is killed again and again while people use it?

Usage: PYTHONPATH=tests .ci/with-postgres python3 tests/faults/kill.py [--kills N] [--seed N]

Half of the kills on SQLite, half on the PostgreSQL server of TEST_POSTGRES_URL, or all on SQLite where there is none. A few hit the very
first start, in the midst of making the tables, and some a later start; the others come at a random moment while six people register, log
in, change passwords, end sessions, and promote, demote, disable and delete each other. After each the program is started on the same data:

- What was acknowledged holds: accounts, sessions, passwords, rights. What was revoked (sessions, passwords, rights, accounts) stays so.
- What was not acknowledged has happened altogether or not at all.
- The database is sound, and no row lacks the one that belongs to it.

Prints its figures, and each violation; ends with 1 if there is one. PROGRAM names another binary than
the release.
"""

import argparse
import base64
import collections
import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import queue
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable

import program

PEOPLE = 6
ADMIN, ADMIN_PASSWORD = "admin@example.org", "violet kettle harbour 9"
# Kills in the very first start of each half, and how many in a hundred of the others hit a start.
FIRST_STARTS, STARTS = 5, 10
# The longest that people go on before a kill, and the longest into a start, in seconds.
LOAD, START = 0.6, 0.06
# No answer may be later than this, whatever it is.
PATIENCE = 20

# What is wrong with a row, and how to find such rows. Each is a change of several tables that must have happened altogether.
HALVES = {
    "a user without an account": 'SELECT count(*) FROM "user" u WHERE NOT EXISTS (SELECT 1 FROM auth_user_account a WHERE a.user_id = u.id)',
    "an account without a user": 'SELECT count(*) FROM auth_user_account a WHERE NOT EXISTS (SELECT 1 FROM "user" u WHERE u.id = a.user_id)',
    "a session without a user": 'SELECT count(*) FROM auth_session s WHERE NOT EXISTS (SELECT 1 FROM "user" u WHERE u.id = s.user_id)',
    "an address twice": 'SELECT count(*) FROM (SELECT lower(email) FROM "user" GROUP BY lower(email) HAVING count(*) > 1) x',
    "a user whom nobody has made": "SELECT count(*) FROM \"user\" u WHERE NOT EXISTS "
    "(SELECT 1 FROM auth_event e WHERE e.user_id = u.id AND e.kind IN ('signed_up', 'user_created'))",
    # A login deletes ended sessions, so that there may be fewer.
    "sessions that are no logins": 'SELECT count(*) FROM "user" u WHERE (SELECT count(*) FROM auth_session s WHERE s.user_id = u.id) > '
    "(SELECT count(*) FROM auth_event e WHERE e.user_id = u.id AND e.kind = 'logged_in')",
    "a login without its session": 'SELECT count(*) FROM "user" u WHERE abs('
    "(SELECT COALESCE(max(s.created_at), 0) FROM auth_session s WHERE s.user_id = u.id) - "
    "(SELECT COALESCE(max(e.occurred_at), 0) FROM auth_event e WHERE e.user_id = u.id AND e.kind = 'logged_in')) > 1",
    "an administrator whom nobody has made one": 'SELECT count(*) FROM "user" u JOIN auth_user_account a ON a.user_id = u.id '
    "WHERE u.is_superuser <> (a.admin_granted_at IS NOT NULL)",
    "an approval without an approver": 'SELECT count(*) FROM "user" u JOIN auth_user_account a ON a.user_id = u.id '
    "WHERE u.is_verified <> (a.approved_at IS NOT NULL)",
    "a live session of a disabled account": 'SELECT count(*) FROM "user" u JOIN auth_session s ON s.user_id = u.id '
    "WHERE NOT u.is_active AND s.ended_at IS NULL",
}


class Unanswered(Exception):
    """The program was killed before it had answered."""


@dataclasses.dataclass(frozen=True)
class State:
    """All of an account that can be seen from outside."""

    exists: bool = False
    password: str = ""
    live: frozenset[str] = frozenset()
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = False

    def rights(self) -> tuple[bool, bool, bool] | None:
        return (self.is_active, self.is_superuser, self.is_verified) if self.exists else None

    def __str__(self) -> str:
        return f"{self.rights()}, {len(self.live)} sessions live, password {self.password}" if self.exists else "not there"

    def opens(self, token: str) -> bool:
        return self.exists and self.is_active and token in self.live

    def admits(self, password: str) -> bool:
        return self.exists and self.is_active and password == self.password


class Account:
    """Somebody, and what may be true of them: one state, or two after a change that was not answered."""

    def __init__(self, email: str) -> None:
        self.email = email
        self.states = [State()]
        self.id = ""
        self.tokens: list[str] = []
        self.passwords: list[str] = []
        # Sessions since the last kill.
        self.fresh: set[str] = set()
        self.is_touched = True
        self.password_is_doubtful = False

    @property
    def state(self) -> State:
        assert len(self.states) == 1, self.email
        return self.states[0]


class Figures:
    """What has happened, to be printed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.acknowledged: collections.Counter[str] = collections.Counter()
        self.unanswered: collections.Counter[str] = collections.Counter()
        self.happened: collections.Counter[str] = collections.Counter()
        self.checks: collections.Counter[str] = collections.Counter()
        self.refused = 0
        self.violations: list[str] = []

    def count(self, counter: collections.Counter[str], what: str) -> None:
        with self.lock:
            counter[what] += 1

    def violation(self, text: str) -> None:
        with self.lock:
            self.violations.append(text)
            # The rest is most likely more of the same.
            if len(self.violations) <= 20:
                print(f"VIOLATION: {text}", file=sys.stderr)


class Client:
    """One connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as err:
            self.connection.close()
            raise Unanswered from err

    def call(self, method: str, path: str, token: str = "", body: object = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is None:
            return self.send(method, f"/api/v1{path}", None, headers)
        return self.send(method, f"/api/v1{path}", json.dumps(body), {**headers, "Content-Type": "application/json"})

    def form(self, path: str, token: str = "", **fields: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        if token:
            headers["Cookie"] = f"fastapiusersauth={token}"
        return self.send("POST", path, urllib.parse.urlencode(fields), headers)

    def log_in(self, email: str, password: str) -> tuple[int, str]:
        status, body = self.form("/api/v1/auth/jwt/login", username=email, password=password)
        return status, json.loads(body)["access_token"] if status == 200 else ""


class SQLite:
    name = "SQLite"

    def __init__(self, home: pathlib.Path) -> None:
        self.file = home / "kill.db"
        self.url = f"sqlite://{self.file}"

    def faults(self) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=10)) as db:
            found = [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
            found += [f"foreign key: {row}" for row in db.execute("PRAGMA foreign_key_check")]
            return found + [what for what, query in HALVES.items() if db.execute(query).fetchone()[0]]

    def remove(self) -> None:
        pass


class PostgreSQL:
    name = "PostgreSQL"

    def __init__(self, server: str) -> None:
        self.server, self.database = server, f"kill_{secrets.token_hex(6)}"
        parts = urllib.parse.urlsplit(server)
        self.url = parts._replace(path=f"/{self.database}").geturl()
        self.psql(self.server, f"CREATE DATABASE {self.database}")

    @staticmethod
    def psql(url: str, *statements: str) -> list[str]:
        arguments = [argument for statement in statements for argument in ("-c", statement)]
        command = ["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", *arguments, url]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()

    def faults(self) -> list[str]:
        counts = self.psql(self.url, *HALVES.values())
        return [what for what, count in zip(HALVES, counts, strict=True) if count != "0"]

    def remove(self) -> None:
        self.psql(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")


class Half:
    """All that happens on one database."""

    def __init__(self, home: pathlib.Path, database: SQLite | PostgreSQL, chance: random.Random) -> None:
        self.home, self.database, self.chance = home, database, chance
        self.figures = Figures()
        self.kills = 0
        self.accounts: list[Account] = []
        self.admin = ""
        self.hashing = threading.BoundedSemaphore(3)
        self.child: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.log = home / "log"
        sections = {
            "auth": {"token_secret": secrets.token_hex(32), "admin_emails": []},
            "server": {"port": 0, "log_level": "warn", "database_url": database.url},
            "policy": {"password_hash_concurrency": 4},
            "policy.throttle": {"enabled": False},
        }
        program.write_toml(home / "config.toml", sections)

    # ---- The program ----

    def spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen([program.BINARY], cwd=self.home, env=program.environment(self.home), stdout=subprocess.PIPE, stderr=log)
        return self.child

    def start(self) -> None:
        child = self.spawn()
        assert child.stdout
        for line in child.stdout:
            if b"http://127.0.0.1:" in line:
                self.port = int(line.split(b"http://127.0.0.1:")[1].split(b",")[0])
                return
        sys.exit(f"The program does not start any more; it says:\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        assert self.child and self.child.stdout
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.child.stdout.close()
        self.kills += 1

    def kill_in_a_start(self) -> None:
        self.spawn()
        time.sleep(self.chance.uniform(0, START))
        self.kill()

    def make_admin(self) -> None:
        program.command(self.home, "user", "create", "--admin", ADMIN, stdin=f"{ADMIN_PASSWORD}\n")

    # ---- The load ----

    def load(self) -> None:
        """Six people do things until the program is gone."""
        seconds, seeds = self.chance.uniform(0.02, LOAD), [self.chance.getrandbits(64) for _ in range(PEOPLE)]
        ready = threading.Barrier(PEOPLE + 1, timeout=PATIENCE)
        people = [threading.Thread(target=self.person, args=(number, random.Random(seed), ready)) for number, seed in enumerate(seeds)]
        for person in people:
            person.start()
        ready.wait()
        time.sleep(seconds)
        self.kill()
        for person in people:
            person.join()

    def person(self, number: int, chance: random.Random, ready: threading.Barrier) -> None:
        client, mine = Client(self.port), [account for account in self.accounts if account.email.startswith(f"p{number}-")]
        # Logging in takes long, and there must be sessions to end.
        short = [account for account in mine if account.state.exists and account.state.is_active and len(account.state.live) < 3]
        if short:
            self.log_in(client, chance.choice(short))
        ready.wait()
        with contextlib.suppress(Unanswered):
            while True:
                self.do_something(client, mine, chance, number)

    def newcomer(self, mine: list[Account], number: int) -> Account:
        account = Account(f"p{number}-{secrets.token_hex(6)}@example.org")
        mine.append(account)
        with self.figures.lock:
            self.accounts.append(account)
        return account

    def settle(self) -> None:
        """Before the first kill, everybody has two accounts, with two sessions each."""

        def one(number: int, seed: int) -> None:
            client, mine, chance = Client(self.port), [], random.Random(seed)
            for _ in range(2):
                account = self.newcomer(mine, number)
                self.register(client, account, chance)
                self.log_in(client, account)
                self.log_in(client, account)

        with concurrent.futures.ThreadPoolExecutor(PEOPLE) as pool:
            list(pool.map(one, range(PEOPLE), [self.chance.getrandbits(64) for _ in range(PEOPLE)]))
        self.check(is_last=True)

    def do_something(self, client: Client, mine: list[Account], chance: random.Random, number: int) -> None:
        """Three of them at most do what needs a password hashed, or nobody would come to do anything else."""
        there = [account for account in mine if account.state.exists]
        is_patient = not there or self.hashing.acquire(blocking=False)
        try:
            if not there or (is_patient and len(there) < 8 and chance.random() < 0.1):
                self.register(client, self.newcomer(mine, number), chance)
                return
            account = chance.choice(there)
            state, own = account.state, sorted(account.state.live, key=account.tokens.index)
            actions = [
                (3, lambda: self.change(client, account, "changed a role", is_superuser=not state.is_superuser)),
                (3, lambda: self.change(client, account, "changed an approval", is_verified=not state.is_verified)),
                (0.5 if state.is_active else 6, lambda: self.change(client, account, "disabled or enabled", is_active=not state.is_active)),
            ]
            if len(there) > 1:
                actions.append((0.2, lambda: self.delete(client, account)))
            if state.is_active and is_patient and len(own) < 8:
                actions.append((60, lambda: self.log_in(client, account)))
            if own:
                token, other = chance.choice(own), chance.choice(own)
                actions.append((6, lambda: self.log_out(client, account, token)))
                actions.append((6, lambda: self.end_on_page(client, account, "ended a session", token, frozenset({other}))))
                actions.append((4, lambda: self.look(client, account, token)))
                if len(own) > 2:
                    actions.append((3, lambda: self.end_on_page(client, account, "ended all other sessions", token, state.live - {token})))
                if is_patient:
                    actions.append((20, lambda: self.set_password(client, account, token, chance)))
            chance.choices([action for _, action in actions], [weight for weight, _ in actions])[0]()
        finally:
            if there and is_patient:
                self.hashing.release()

    def attempt(self, account: Account, what: str, after: State, ask: Callable[[], tuple[int, bytes]], expected: int) -> bool:
        """Asks for a change. Acknowledged, it has happened; without an answer, or put off, it may have."""
        before = account.state
        account.is_touched, account.states = True, [before, after]
        try:
            status, body = ask()
        except Unanswered:
            self.figures.count(self.figures.unanswered, what)
            raise
        if status == expected:
            account.states = [after]
            self.figures.count(self.figures.acknowledged, what)
            return True
        if status != 503:
            self.figures.violation(f"{account.email} {what}: {status} {body[:200]!r} instead of {expected}")
        with self.figures.lock:
            self.figures.refused += 1
        # What was put off has not happened; checked like everything else.
        account.states = [before]
        return False

    def register(self, client: Client, account: Account, chance: random.Random) -> None:
        password = f"{chance.getrandbits(64):x} harbour kettle"
        account.passwords.append(password)
        account.password_is_doubtful = True
        body = {"email": account.email, "password": password}

        def ask() -> tuple[int, bytes]:
            status, answer = client.call("POST", "/auth/register", body=body)
            account.id = json.loads(answer)["id"] if status == 201 else ""
            return status, answer

        self.attempt(account, "registered", State(exists=True, password=password), ask, 201)

    def log_in(self, client: Client, account: Account) -> None:
        """The token of a login that was not answered is nobody's."""
        state, token = account.state, ""

        def ask() -> tuple[int, bytes]:
            nonlocal token
            status, token = client.log_in(account.email, state.password)
            return status, b""

        if self.attempt(account, "logged in", state, ask, 200):
            account.tokens.append(token)
            account.fresh.add(token)
            account.states = [dataclasses.replace(state, live=state.live | {token})]

    def log_out(self, client: Client, account: Account, token: str) -> None:
        after = dataclasses.replace(account.state, live=account.state.live - {token})
        self.attempt(account, "logged out", after, lambda: client.call("POST", "/auth/jwt/logout", token), 204)

    def end_on_page(self, client: Client, account: Account, what: str, by: str, ended: frozenset[str]) -> None:
        after = dataclasses.replace(account.state, live=account.state.live - ended)
        session = "others" if len(ended) != 1 else json.loads(decoded(next(iter(ended)).split(".")[1]))["jti"]
        self.attempt(account, what, after, lambda: client.form("/account", by, session=session), 303)

    def change(self, client: Client, account: Account, what: str, **rights: bool) -> None:
        after = dataclasses.replace(account.state, **rights)
        if not after.is_active:
            after = dataclasses.replace(after, live=frozenset())
        self.attempt(account, what, after, lambda: client.call("PATCH", f"/users/{account.id}", self.admin, rights), 200)

    def set_password(self, client: Client, account: Account, token: str, chance: random.Random) -> None:
        password = f"{chance.getrandbits(64):x} lantern meadow"
        account.passwords.append(password)
        account.password_is_doubtful = True
        after = dataclasses.replace(account.state, password=password, live=frozenset({token}))
        # Whoever has just logged in need not say who they are.
        body = {"password": password} | ({} if token in account.fresh else {"current_password": account.state.password})
        self.attempt(account, "changed a password", after, lambda: client.call("PATCH", "/users/me", token, body), 200)

    def delete(self, client: Client, account: Account) -> None:
        self.attempt(account, "deleted", State(), lambda: client.call("DELETE", f"/users/{account.id}", self.admin), 204)

    def look(self, client: Client, account: Account, token: str) -> None:
        self.attempt(account, "looked", account.state, lambda: client.call("GET", "/users/me", token), 200)

    # ---- The checks ----

    def check(self, is_last: bool) -> None:
        """Compares everything that can be seen with what it may be, of the accounts that the last people have touched, or of all."""
        for fault in self.database.faults():
            self.figures.violation(f"in the database: {fault}")
        self.figures.count(self.figures.checks, "database")
        client = Client(self.port)
        status, body = client.call("GET", "/users/all", self.admin)
        if status != 200:
            sys.exit(f"The administrator is not let in: {status} {body!r}")
        everybody = {user["email"]: user for user in json.loads(body)}
        known = {account.email for account in self.accounts} | {ADMIN}
        for email in everybody.keys() - known:
            self.figures.violation(f"nobody has made {email}")
        clients: queue.SimpleQueue[Client] = queue.SimpleQueue()
        for _ in range(PEOPLE):
            clients.put(Client(self.port))

        def one(account: Account) -> None:
            client = clients.get()
            try:
                self.check_account(client, account, everybody.get(account.email), is_last)
            finally:
                clients.put(client)

        with concurrent.futures.ThreadPoolExecutor(PEOPLE) as pool:
            list(pool.map(one, [account for account in self.accounts if account.is_touched or is_last]))

    def check_account(self, client: Client, account: Account, seen: dict | None, is_last: bool) -> None:
        count, candidates = self.figures.count, account.states
        rights = (seen["is_active"], seen["is_superuser"], seen["is_verified"]) if seen else None
        fitting = [state for state in candidates if state.rights() == rights]
        count(self.figures.checks, "rights")
        opened = set()
        # Of the sessions that are over, all in the end, and before that the last ones.
        tokens = account.tokens if is_last else account.tokens[-12:]
        for token in {*tokens, *(token for state in candidates for token in state.live)}:
            if client.call("GET", "/users/me", token)[0] == 200:
                opened.add(token)
            fitting = [state for state in fitting if state.opens(token) == (token in opened)]
            count(self.figures.checks, "session")
        admitted = ""
        if account.password_is_doubtful or is_last:
            for password in account.passwords[-2:]:
                while (attempt := client.log_in(account.email, password))[0] == 503:
                    # Too many passwords are waiting to be hashed; it is said when to come again.
                    time.sleep(1)
                status, token = attempt
                if status == 200:
                    admitted = password
                    account.tokens.append(token)
                    opened.add(token)
                fitting = [state for state in fitting if state.admits(password) == (status == 200)]
                count(self.figures.checks, "password")
        if not fitting:
            found = State(seen is not None, admitted, frozenset(opened), *(rights or (True, False, False)))
            self.figures.violation(f"{account.email} is: {found}; it should be: {' or '.join(map(str, candidates))}")
            fitting = [dataclasses.replace(found, password=admitted or candidates[-1].password)]
        elif len(candidates) == 2 and candidates[0] != candidates[1]:
            count(self.figures.happened, "happened" if fitting[-1] == candidates[1] else "not happened")
        state = fitting[-1]
        account.states = [dataclasses.replace(state, live=state.live | opened)]
        account.id = seen["id"] if seen else ""
        account.fresh.clear()
        account.is_touched = account.password_is_doubtful = False

    # ---- Altogether ----

    def run(self, kills: int) -> None:
        for _ in range(min(FIRST_STARTS, kills)):
            self.kill_in_a_start()
        self.make_admin()
        self.start()
        _, self.admin = Client(self.port).log_in(ADMIN, ADMIN_PASSWORD)
        self.settle()
        while self.kills < kills:
            self.load()
            if self.kills < kills and self.chance.random() * 100 < STARTS:
                self.kill_in_a_start()
            self.start()
            self.check(is_last=False)
        self.check(is_last=True)
        assert self.child and self.child.stdout
        self.child.send_signal(signal.SIGTERM)
        if self.child.wait(timeout=30) != 0:
            self.figures.violation(f"asked to stop, it ended with {self.child.returncode}")
        self.child.stdout.close()
        self.child = None
        if "panic" in self.log.read_text():
            self.figures.violation(f"it panicked:\n{self.log.read_text()[-2000:]}")

    def report(self, seconds: float) -> None:
        figures, listed = self.figures, lambda counter: ", ".join(f"{what} {number}" for what, number in sorted(counter.items())) or "none"
        acknowledged = collections.Counter({what: number for what, number in figures.acknowledged.items() if what != "looked"})
        print(f"{self.database.name}: {self.kills} kills in {seconds:.0f} s")
        print(f"  acknowledged changes: {acknowledged.total()} ({listed(acknowledged)})")
        print(f"  requests cut off by a kill: {figures.unanswered.total()} ({listed(figures.unanswered)})")
        print(f"  changes of these that can be told: {figures.happened.total()} ({listed(figures.happened)})")
        print(f"  put off with 503: {figures.refused}")
        print(f"  checks: {figures.checks.total()} ({listed(figures.checks)})")
        print(f"  violations: {len(figures.violations)}", flush=True)


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="how often, on both databases together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of what is done and when; by default another each time")
    arguments = parser.parse_args()
    program.require_binary()
    server = os.environ.get("TEST_POSTGRES_URL")
    print(f"seed {arguments.seed}", flush=True)
    chance, violations = random.Random(arguments.seed), 0
    shares = [arguments.kills - arguments.kills // 2, arguments.kills // 2] if server else [arguments.kills]
    for number, share in enumerate(shares):
        with tempfile.TemporaryDirectory(prefix="kill-") as home:
            database = PostgreSQL(server) if number and server else SQLite(pathlib.Path(home))
            half = Half(pathlib.Path(home), database, chance)
            begun = time.monotonic()
            try:
                half.run(share)
            finally:
                if half.child and half.child.poll() is None:
                    half.child.kill()
                    half.child.wait()
                half.report(time.monotonic() - begun)
                database.remove()
            violations += len(half.figures.violations)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
