"""Both programs on one database, with the people who were there before this program came."""

import contextlib
import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from psycopg import sql
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from sqlalchemy import URL

import backend
from program import Program

COOKIE = "fastapiusersauth"
LIFETIME = 86400
# Not hexadecimal, not ASCII alone: the key is the text as it is written, in UTF-8.
SECRET = f"ß-{secrets.token_urlsafe(32)}"

# The hashers of MediaManager, in its order.
HASHES = PasswordHash((Argon2Hasher(), BcryptHasher()))


@dataclass
class Person:
    email: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    id: uuid.UUID = field(default_factory=uuid.uuid4)


class Site:
    """One of the two programs. Keeps no cookies: each call says who is asking."""

    def __init__(self, origin: str) -> None:
        self.client = httpx.Client(base_url=f"{origin}/api/v1", timeout=30, trust_env=False)

    def call(self, method: str, path: str, *, token: str | None = None, cookie: str | None = None, **body) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if cookie:
            headers["Cookie"] = f"{COOKIE}={cookie}"
        answer = self.client.request(method, path, headers=headers, **body)
        self.client.cookies.clear()
        return answer

    def me(self, token: str) -> httpx.Response:
        return self.call("GET", "/users/me", token=token)

    def change(self, whom: object, token: str, **members) -> httpx.Response:
        return self.call("PATCH", f"/users/{whom}", token=token, json=members)

    def try_login(self, person: Person, password: str | None = None) -> httpx.Response:
        return self.call("POST", "/auth/jwt/login", data={"username": person.email, "password": password or person.password})

    def log_in(self, person: Person) -> str:
        """A bearer token of the person."""
        answer = expect(self.try_login(person), 200)
        assert answer.json()["token_type"] == "bearer", f"the token type is {answer.json()['token_type']}"
        return answer.json()["access_token"]


@dataclass
class Installation:
    """Both programs on one database, and the people who were there before this program."""

    ours: Site
    mediamanager: Site
    url: URL
    database: psycopg.Connection
    before: dict[str, list[dict]]
    ada: Person
    grace: Person
    linus: Person
    admin: Person

    def row(self, person: Person) -> dict:
        rows = self.database.execute('SELECT * FROM "user" WHERE id = %s', [person.id]).fetchall()
        assert len(rows) == 1, f"{len(rows)} rows instead of one in user for {person.email}"
        return rows[0]

    def somebody(self, **flags: bool) -> Person:
        """A new person, approved unless said otherwise, as MediaManager writes one."""
        return insert(self.database, Person(f"person-{secrets.token_hex(6)}@example.org"), **flags)

    def register(self) -> Person:
        """A new person who makes an account at ours."""
        person = Person(f"person-{secrets.token_hex(6)}@example.org")
        answer = expect(self.ours.call("POST", "/auth/register", json={"email": person.email, "password": person.password}), 201)
        person.id = uuid.UUID(answer.json()["id"])
        return person


def expect(answer: httpx.Response, status: int) -> httpx.Response:
    assert answer.status_code == status, f"{status} was expected: {described(answer)}"
    return answer


def described(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url} answered {answer.status_code} {answer.text[:300]}"


def insert(database: psycopg.Connection, person: Person, hashed: str | None = None, **flags: bool) -> Person:
    flags = {"is_active": True, "is_superuser": False, "is_verified": True} | flags
    values = [person.id, person.email, hashed or HASHES.hash(person.password), *flags.values()]
    database.execute('INSERT INTO "user" (id, email, hashed_password, is_active, is_superuser, is_verified) VALUES (%s, %s, %s, %s, %s, %s)', values)
    return person


def link(database: psycopg.Connection, person: Person) -> None:
    """What MediaManager keeps of a login with a provider."""
    columns = "id, oauth_name, access_token, expires_at, refresh_token, account_id, account_email, user_id"
    values = [uuid.uuid4(), "OpenID", "an access token", int(time.time()) + 300, None, str(uuid.uuid4()), person.email, person.id]
    database.execute(f"INSERT INTO oauth_account ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", values)


def snapshot(database: psycopg.Connection) -> dict[str, list[dict]]:
    """MediaManager's rows and columns, indexes and constraints."""
    tables = "('\"user\"'::regclass, 'oauth_account'::regclass, 'alembic_version'::regclass)"
    queries = {name: f'SELECT * FROM "{name}" ORDER BY 1' for name in ["user", "oauth_account", "alembic_version"]}
    queries["columns"] = (
        "SELECT attrelid::regclass::text AS table, attname, attnum, format_type(atttypid, atttypmod), attnotnull, atthasdef "
        f"FROM pg_attribute WHERE attrelid IN {tables} AND attnum > 0 ORDER BY attrelid, attnum"
    )
    queries["indexes"] = f"SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid IN {tables} ORDER BY 1"
    queries["constraints"] = f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN {tables} ORDER BY 1"
    queries["triggers"] = f"SELECT tgname FROM pg_trigger WHERE tgrelid IN {tables} AND NOT tgisinternal"
    return {name: database.execute(query).fetchall() for name, query in queries.items()}


@contextlib.contextmanager
def own_database(server: URL) -> Iterator[URL]:
    """An empty database inside of the PostgreSQL that is there, for the length of the block."""
    name = f"mediamanager_check_{secrets.token_hex(6)}"

    def administer(statement: str) -> None:
        with psycopg.connect(libpq(server), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    administer("CREATE DATABASE {}")
    try:
        yield server.set(database=name)
    finally:
        administer("DROP DATABASE {} WITH (FORCE)")


def libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def program_on(database: URL, home: Path) -> Program:
    """This program, as an operator runs it on MediaManager's database."""
    parts = {"host": database.host, "port": database.port or 5432, "user": database.username, "password": database.password}
    return Program(
        home,
        {
            "auth": {"token_secret": SECRET, "session_lifetime": LIFETIME, "admin_emails": []},
            "database": parts | {"dbname": database.database},
        },
    )


def populate(database: psycopg.Connection) -> dict[str, Person]:
    """The household before this program came."""
    database.execute(backend.SCHEMA)
    household = {
        "ada": insert(database, Person("ada@example.org")),
        # Capital letters stay as they were typed.
        "grace": Person("Grace.Hopper@example.org"),
        "linus": insert(database, Person("linus@example.org")),
        "admin": insert(database, Person("admin@example.org"), is_superuser=True),
    }
    insert(database, household["grace"], PasswordHash((BcryptHasher(),)).hash(household["grace"].password))
    link(database, household["linus"])
    return household
