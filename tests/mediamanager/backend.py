"""MediaManager's side: fastapi-users with the options, the tables and the gates that MediaManager gives it, and nothing else of it."""

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Iterator

import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, CookieTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseOAuthAccountTableUUID, SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy import URL, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

STARTED_WITHIN_SECONDS = 10

# As the alembic scripts leave the two tables.
SCHEMA = """
CREATE TABLE "user" (
    id uuid NOT NULL,
    email varchar(320) NOT NULL,
    hashed_password varchar(1024) NOT NULL,
    is_active boolean NOT NULL,
    is_superuser boolean NOT NULL,
    is_verified boolean NOT NULL,
    CONSTRAINT user_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_user_email ON "user" (email);
CREATE TABLE oauth_account (
    id uuid NOT NULL,
    oauth_name varchar(100) NOT NULL,
    access_token varchar(4096) NOT NULL,
    expires_at integer,
    refresh_token varchar(4096),
    account_id varchar(320) NOT NULL,
    account_email varchar(320) NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT oauth_account_pkey PRIMARY KEY (id),
    CONSTRAINT oauth_account_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE INDEX ix_oauth_account_account_id ON oauth_account (account_id);
CREATE INDEX ix_oauth_account_oauth_name ON oauth_account (oauth_name);
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO alembic_version VALUES ('e60ae827ed98');
"""


class Base(DeclarativeBase):
    pass


class OAuthAccount(SQLAlchemyBaseOAuthAccountTableUUID, Base):
    access_token: Mapped[str] = mapped_column(String(4096))
    refresh_token: Mapped[str | None] = mapped_column(String(4096))


class User(SQLAlchemyBaseUserTableUUID, Base):
    oauth_accounts: Mapped[list[OAuthAccount]] = relationship(lazy="joined")


class UserRead(schemas.BaseUser[uuid.UUID]):
    pass


class UserUpdate(schemas.BaseUserUpdate):
    pass


def application(database: URL, secret: str, lifetime: int) -> FastAPI:
    """The routes below /api/v1, with one route behind each of the two gates that stand before all media routes."""
    sessions = async_sessionmaker(create_async_engine(database), expire_on_commit=False)

    class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
        reset_password_token_secret = secret
        verification_token_secret = secret

    async def session() -> AsyncGenerator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    async def manager(opened: AsyncSession = Depends(session)) -> AsyncGenerator[Manager]:
        yield Manager(SQLAlchemyUserDatabase(opened, User, OAuthAccount))

    def strategy() -> JWTStrategy:
        return JWTStrategy(secret=secret, lifetime_seconds=lifetime)

    bearer = AuthenticationBackend("jwt", BearerTransport(tokenUrl="auth/jwt/login"), strategy)
    cookie_transport = CookieTransport(cookie_max_age=lifetime, cookie_samesite="lax", cookie_secure=False)
    cookie = AuthenticationBackend("cookie", cookie_transport, strategy)
    users = FastAPIUsers[User, uuid.UUID](manager, [bearer, cookie])
    current_active_user = users.current_user(active=True, verified=True)
    current_superuser = users.current_user(active=True, verified=True, superuser=True)

    api = APIRouter(prefix="/api/v1")
    api.include_router(users.get_auth_router(bearer), prefix="/auth/jwt")
    api.include_router(users.get_auth_router(cookie), prefix="/auth/cookie")

    @api.get("/users/all", dependencies=[Depends(current_superuser)])
    async def everybody(opened: AsyncSession = Depends(session)) -> list[UserRead]:
        return [UserRead.model_validate(user) for user in (await opened.scalars(select(User))).unique()]

    api.include_router(users.get_users_router(UserRead, UserUpdate), prefix="/users")

    @api.get("/media", dependencies=[Depends(current_active_user)])
    async def media() -> str:
        return "for everybody who is approved"

    @api.get("/media/settings", dependencies=[Depends(current_superuser)])
    async def settings() -> str:
        return "for administrators"

    app = FastAPI()
    app.include_router(api)
    return app


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serves until the block is left; gives the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        until = time.monotonic() + STARTED_WITHIN_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise RuntimeError("the fastapi-users application did not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STARTED_WITHIN_SECONDS)
        listener.close()
