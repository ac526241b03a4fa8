"""Do this program and MediaManager's own libraries get along on one PostgreSQL database?

Usage: .ci/with-postgres .ci/with-python tests/mediamanager/requirements.txt python tests/mediamanager/check.py

Makes MediaManager's tables with people in them, starts this program on them, and beside it fastapi-users as MediaManager sets it up
(backend.py). Then it says of each fact whether it holds, and ends with 1 if one does not. PROGRAM names another binary than the release.
"""

import contextlib
import os
import secrets
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path

import jwt
import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import create_engine, make_url
from sqlalchemy.orm import Session

import backend
import installation
import program
from installation import COOKIE, HASHES, LIFETIME, SECRET, Installation, Person, Site, described, expect

# ---- The facts --------------------------------------------------------------------------------------------------------------------------


def people_log_in_with_the_argon2_password_they_had(both: Installation) -> None:
    form = {"username": both.ada.email, "password": both.ada.password}
    answer = expect(both.ours.call("POST", "/auth/cookie/login", data=form), 204)
    assert COOKIE in answer.cookies, f"no cookie {COOKIE} in {answer.headers.get_list('set-cookie')}"
    both.ours.log_in(both.ada)
    stored = both.row(both.ada)["hashed_password"]
    assert stored == row_before(both, both.ada)["hashed_password"], f"a hash with MediaManager's own parameters was replaced by {stored}"


def people_log_in_with_the_bcrypt_password_they_had_and_get_an_argon2_hash(both: Installation) -> None:
    form = {"username": both.grace.email, "password": both.grace.password}
    expect(both.ours.call("POST", "/auth/cookie/login", data=form), 204)
    is_pwdlibs_own(both.row(both.grace)["hashed_password"], both.grace.password)
    both.ours.log_in(both.grace)


def a_wrong_password_gets_the_answer_of_fastapi_users(both: Installation) -> None:
    ours, theirs = both.ours.try_login(both.ada, "not the password"), both.mediamanager.try_login(both.ada, "not the password")
    expect(ours, theirs.status_code)
    assert ours.json() == theirs.json() == {"detail": "LOGIN_BAD_CREDENTIALS"}, f"{ours.text} is not {theirs.text}"


def the_session_token_decodes_by_mediamanagers_rules(both: Installation) -> None:
    form = {"username": both.ada.email, "password": both.ada.password}
    for token in [both.ours.log_in(both.ada), both.ours.call("POST", "/auth/cookie/login", data=form).cookies[COOKIE]]:
        claims = jwt.decode(token, SECRET.encode(), algorithms=["HS256"], audience=["fastapi-users:auth"])
        assert claims["sub"] == str(both.ada.id), f"sub is {claims['sub']}"
        assert claims["aud"] == ["fastapi-users:auth"], f"aud is {claims['aud']}"
        assert 0 <= LIFETIME - (claims["exp"] - time.time()) < 60, f"exp is {claims['exp']}"


def mediamanager_accepts_our_session_as_bearer_and_as_cookie(both: Installation) -> None:
    token = both.ours.log_in(both.ada)
    for carrier in [{"token": token}, {"cookie": token}]:
        theirs, ours = both.mediamanager.call("GET", "/users/me", **carrier), both.ours.call("GET", "/users/me", **carrier)
        expect(theirs, 200)
        expect(ours, 200)
        assert ours.content == theirs.content, f"{ours.text} is not {theirs.text}"
        expect(both.mediamanager.call("GET", "/media", **carrier), 200)
        expect(both.mediamanager.call("GET", "/media/settings", **carrier), 403)


def mediamanager_lets_our_administrator_into_its_settings(both: Installation) -> None:
    token = both.ours.log_in(both.admin)
    expect(both.mediamanager.call("GET", "/media/settings", token=token), 200)
    expect(both.mediamanager.call("GET", "/media/settings", cookie=token), 200)


def somebody_whom_mediamanager_disables_is_out_of_both(both: Installation) -> None:
    person = both.somebody()
    token = both.ours.log_in(person)
    expect(both.ours.me(token), 200)
    expect(both.mediamanager.change(person.id, both.ours.log_in(both.admin), is_active=False), 200)
    expect(both.mediamanager.me(token), 401)
    expect(both.ours.me(token), 401)
    assert expect(both.ours.try_login(person), 400).json() == {"detail": "LOGIN_BAD_CREDENTIALS"}, "a disabled account is told apart"


def a_password_set_in_mediamanager_counts_here_at_once(both: Installation) -> None:
    person = both.somebody()
    token, old = both.ours.log_in(person), person.password
    person.password = secrets.token_urlsafe(18)
    expect(both.mediamanager.change("me", token, password=person.password), 200)
    expect(both.ours.try_login(person, old), 400)
    both.ours.log_in(person)


def mediamanager_can_delete_somebody_who_has_logged_in_here(both: Installation) -> None:
    person = both.somebody()
    token = both.ours.log_in(person)
    expect(both.mediamanager.call("DELETE", f"/users/{person.id}", token=both.ours.log_in(both.admin)), 204)
    expect(both.ours.me(token), 401)


def a_hash_that_ours_writes_is_one_that_mediamanager_writes(both: Installation) -> None:
    person = both.register()
    is_pwdlibs_own(both.row(person)["hashed_password"], person.password)


def fastapi_users_reads_somebody_who_registered_here(both: Installation) -> None:
    person = both.register()
    with Session(create_engine(both.url)) as session:
        user = session.get(backend.User, person.id)
        assert user is not None, "the model does not find the row"
        missing = [column.key for column in backend.User.__table__.columns if getattr(user, column.key) is None]
        assert not missing, f"null: {missing}"
        assert (user.email, user.is_active, user.is_superuser, user.is_verified) == (person.email, True, False, False), vars(user)
        assert user.oauth_accounts == [], "it has provider accounts"


def somebody_who_registered_here_waits_until_approved(both: Installation) -> None:
    person = both.register()
    token = both.ours.log_in(person)
    expect(both.mediamanager.me(token), 200)
    expect(both.mediamanager.call("GET", "/media", token=token), 403)
    expect(both.mediamanager.change(person.id, both.ours.log_in(both.admin), is_verified=True), 200)
    expect(both.mediamanager.call("GET", "/media", token=token), 200)
    assert expect(both.ours.me(token), 200).json()["is_verified"] is True, "ours does not see the approval"


def everybody_can_go_back_to_mediamanagers_own_login(both: Installation) -> None:
    for person in [both.ada, both.grace, both.linus, both.admin, both.register()]:
        both.ours.log_in(person)
        token = both.mediamanager.log_in(person)
        expect(both.mediamanager.me(token), 200)


def a_session_that_mediamanager_made_is_not_accepted_here(both: Installation) -> None:
    token = both.mediamanager.log_in(both.ada)
    assert "jti" not in jwt.decode(token, options={"verify_signature": False}), "fastapi-users writes jti now"
    expect(both.mediamanager.me(token), 200)
    for answer in [both.ours.me(token), both.ours.call("GET", "/users/me", cookie=token)]:
        assert expect(answer, 401).json() == {"detail": "Unauthorized"}, answer.text


# ---- The facts about managing users --------------------------------------------------------------------------------------------------------


def an_administrator_lists_everybody(both: Installation) -> None:
    token = both.ours.log_in(both.admin)
    expect(both.ours.call("GET", "/users/all"), 401)
    expect(both.ours.call("GET", "/users/all", token=both.ours.log_in(both.ada)), 403)
    ours, theirs = both.ours.call("GET", "/users/all", token=token), both.mediamanager.call("GET", "/users/all", token=token)
    listed, expected = (sorted(expect(answer, 200).json(), key=lambda user: user["id"]) for answer in [ours, theirs])
    assert listed == expected, f"{len(listed)} users are not MediaManager's {len(expected)}: {listed}"


def an_administrator_reads_one_person(both: Installation) -> None:
    token = both.ours.log_in(both.admin)
    ours, theirs = (site.call("GET", f"/users/{both.ada.id}", token=token) for site in [both.ours, both.mediamanager])
    assert expect(ours, 200).content == theirs.content, f"{ours.text} is not {theirs.text}"
    expect(both.ours.call("GET", f"/users/{both.ada.id}", token=both.ours.log_in(both.ada)), 403)
    nobody = expect(both.ours.call("GET", f"/users/{uuid.uuid4()}", token=token), 404)
    assert nobody.content == b"Not Found", f"MediaManager says Not Found in nine bytes, not {nobody.text}"


def mediamanager_sees_an_approval_by_ours_at_once(both: Installation) -> None:
    person = both.somebody(is_verified=False)
    token = both.ours.log_in(person)
    expect(both.mediamanager.call("GET", "/media", token=token), 403)
    answer = expect(both.ours.change(person.id, both.ours.log_in(both.admin), is_verified=True), 200)
    assert answer.json()["is_verified"] is True, answer.text
    expect(both.mediamanager.call("GET", "/media", token=token), 200)


def mediamanager_sees_a_change_of_rights_by_ours_at_once(both: Installation) -> None:
    person, admin = both.somebody(), both.ours.log_in(both.admin)
    token = both.ours.log_in(person)
    expect(both.ours.change(person.id, admin, is_superuser=True), 200)
    expect(both.mediamanager.call("GET", "/media/settings", token=token), 200)
    expect(both.ours.change(person.id, admin, is_superuser=False), 200)
    expect(both.mediamanager.call("GET", "/media/settings", token=token), 403)


def somebody_whom_ours_disables_is_out_of_both(both: Installation) -> None:
    person = both.somebody()
    token = both.ours.log_in(person)
    expect(both.ours.change(person.id, both.ours.log_in(both.admin), is_active=False), 200)
    expect(both.mediamanager.me(token), 401)
    expect(both.ours.me(token), 401)


def a_password_that_an_administrator_sets_counts_in_both(both: Installation) -> None:
    person = both.somebody()
    token = both.ours.log_in(person)
    person.password = secrets.token_urlsafe(18)
    expect(both.ours.change(person.id, both.ours.log_in(both.admin), password=person.password), 200)
    expect(both.ours.me(token), 401)
    is_pwdlibs_own(both.row(person)["hashed_password"], person.password)
    both.ours.log_in(person)
    both.mediamanager.log_in(person)


def an_address_that_an_administrator_sets_counts_in_both_and_approves_nobody(both: Installation) -> None:
    person = both.somebody(is_verified=False)
    person.email = f"moved-{person.email}"
    expect(both.ours.change(person.id, both.ours.log_in(both.admin), email=person.email), 200)
    user = expect(both.mediamanager.me(both.mediamanager.log_in(person)), 200).json()
    assert (user["email"], user["is_verified"]) == (person.email, False), user
    both.ours.log_in(person)


def a_password_that_people_change_here_counts_in_mediamanager(both: Installation) -> None:
    person, new = both.somebody(), secrets.token_urlsafe(18)
    token = both.ours.log_in(person)
    expect(both.ours.change("me", token, password=new, current_password=person.password), 200)
    person.password = new
    both.mediamanager.log_in(person)
    unchanged = both.row(person)
    expect(both.ours.change("me", both.ours.log_in(person)), 200)
    assert both.row(person) == unchanged, "an empty change changed something"


def nobody_approves_or_promotes_themselves(both: Installation) -> None:
    person = both.somebody(is_verified=False)
    token, unchanged = both.ours.log_in(person), both.row(person)
    for members in [{"is_verified": True}, {"is_superuser": True}, {"email": person.email}]:
        answer = both.ours.change("me", token, **members)
        assert answer.status_code != 404, described(answer)
        expect(both.ours.change(person.id, token, **members), 403)
        assert both.row(person) == unchanged, f"{members} made {both.row(person)} of {unchanged}"
    expect(both.mediamanager.call("GET", "/media", token=token), 403)


def somebody_with_a_provider_account_can_be_deleted(both: Installation) -> None:
    person = both.somebody()
    installation.link(both.database, person)
    token = both.ours.log_in(person)
    answer = expect(both.ours.call("DELETE", f"/users/{person.id}", token=both.ours.log_in(both.admin)), 204)
    assert answer.content == b"", f"a body: {answer.text}"
    for table, column in [("user", "id"), ("oauth_account", "user_id")]:
        left = sql.SQL("SELECT * FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
        assert not both.database.execute(left, [person.id]).fetchall(), f"rows are left in {table}"
    expect(both.mediamanager.me(token), 401)
    expect(both.ours.me(token), 401)


def the_last_administrator_stays(both: Installation) -> None:
    others = 'SELECT email FROM "user" WHERE is_superuser AND is_active AND id <> %s'
    assert not both.database.execute(others, [both.admin.id]).fetchall(), "an earlier fact has left another administrator"
    token, unchanged = both.ours.log_in(both.admin), both.row(both.admin)
    path = f"/users/{both.admin.id}"
    attempts = [both.ours.change(both.admin.id, token, is_superuser=False), both.ours.change(both.admin.id, token, is_active=False)]
    attempts.append(both.ours.call("DELETE", path, token=token))
    for answer in attempts:
        assert expect(answer, 409).json() == {"detail": "LAST_ADMINISTRATOR"}, answer.text
    assert both.row(both.admin) == unchanged, f"{both.row(both.admin)} was {unchanged}"


def what_was_there_before_is_untouched(both: Installation) -> None:
    """Runs last. All of it but the one bcrypt hash, which is weaker than what MediaManager writes today."""
    after = installation.snapshot(both.database)
    hashed = both.row(both.grace)["hashed_password"]
    is_pwdlibs_own(hashed, both.grace.password)
    row_before(both, both.grace)["hashed_password"] = hashed
    for name, rows in both.before.items():
        for row in rows:
            assert row in after[name], f"in {name} this is gone or changed: {row}"
        if name not in ("user", "oauth_account"):
            assert len(rows) == len(after[name]), f"{name} has more than before: {after[name]}"


def is_pwdlibs_own(stored: str, password: str) -> None:
    """Whether pwdlib accepts a hash and would not write another one in its place."""
    is_right, replacement = HASHES.verify_and_update(password, stored)
    assert is_right, f"pwdlib does not accept the hash {stored}"
    assert replacement is None, f"pwdlib would replace the hash {stored}"


def row_before(both: Installation, person: Person) -> dict:
    return next(row for row in both.before["user"] if row["id"] == person.id)


FACTS: list[Callable[[Installation], None]] = [
    people_log_in_with_the_argon2_password_they_had,
    people_log_in_with_the_bcrypt_password_they_had_and_get_an_argon2_hash,
    a_wrong_password_gets_the_answer_of_fastapi_users,
    the_session_token_decodes_by_mediamanagers_rules,
    mediamanager_accepts_our_session_as_bearer_and_as_cookie,
    mediamanager_lets_our_administrator_into_its_settings,
    somebody_whom_mediamanager_disables_is_out_of_both,
    a_password_set_in_mediamanager_counts_here_at_once,
    mediamanager_can_delete_somebody_who_has_logged_in_here,
    a_hash_that_ours_writes_is_one_that_mediamanager_writes,
    fastapi_users_reads_somebody_who_registered_here,
    somebody_who_registered_here_waits_until_approved,
    everybody_can_go_back_to_mediamanagers_own_login,
    a_session_that_mediamanager_made_is_not_accepted_here,
    an_administrator_lists_everybody,
    an_administrator_reads_one_person,
    mediamanager_sees_an_approval_by_ours_at_once,
    mediamanager_sees_a_change_of_rights_by_ours_at_once,
    somebody_whom_ours_disables_is_out_of_both,
    a_password_that_an_administrator_sets_counts_in_both,
    an_address_that_an_administrator_sets_counts_in_both_and_approves_nobody,
    a_password_that_people_change_here_counts_in_mediamanager,
    nobody_approves_or_promotes_themselves,
    somebody_with_a_provider_account_can_be_deleted,
    the_last_administrator_stays,
    what_was_there_before_is_untouched,
]


def holds(fact: Callable[[Installation], None], both: Installation) -> bool:
    name = fact.__name__.replace("_", " ")
    try:
        fact(both)
    except Exception as error:
        print(f"FAILED {name}: {error if isinstance(error, AssertionError) else traceback.format_exc()}", flush=True)
        return False
    print(f"ok {name}", flush=True)
    return True


def main() -> int:
    if "TEST_POSTGRES_URL" not in os.environ:
        sys.exit("TEST_POSTGRES_URL is not set: run this with .ci/with-postgres")
    program.require_binary()
    server = make_url(os.environ["TEST_POSTGRES_URL"]).set(drivername="postgresql+psycopg")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(installation.own_database(server))
        database = stack.enter_context(psycopg.connect(installation.libpq(url), autocommit=True, row_factory=dict_row))
        household = installation.populate(database)
        before = installation.snapshot(database)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mediamanager-check-")))
        ours = installation.program_on(url, home)
        stack.enter_context(ours.running())
        mediamanager = stack.enter_context(backend.serving(backend.application(url, SECRET, LIFETIME)))
        both = Installation(Site(ours.origin), Site(mediamanager), url, database, before, **household)
        held = [holds(fact, both) for fact in FACTS]
        if not all(held):
            print(f"\nThe program's log:\n{ours.log}", file=sys.stderr)
    print(f"{held.count(True)} passed, {held.count(False)} failed")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
