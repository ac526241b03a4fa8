"""Usage: fill.py DATABASE E-MAIL NUMBER

Puts NUMBER accounts load1@example.org and so on into a SQLite database, all with the password of the account E-MAIL, and one session for
each. Prints some of them, spread over all: [[e-mail, user, session], ...].
"""

import json
import sqlite3
import sys

SHOWN = 1000

database, email, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = sqlite3.connect(database)
db.execute("PRAGMA cache_size = -1000000")
with db:
    db.execute(
        """INSERT INTO user (id, email, hashed_password, is_active, is_superuser, is_verified)
           WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)
           SELECT randomblob(16), 'load' || n || '@example.org', hashed_password, 1, 0, 1 FROM user, counted WHERE email = ?""",
        (number, email),
    )
    db.execute(
        """INSERT INTO auth_user_account (user_id, created_at, email_verified_at)
           SELECT id, unixepoch(), unixepoch() FROM user WHERE email LIKE 'load%'"""
    )
    db.execute(
        """INSERT INTO auth_session (id, user_id, created_at, expires_at, method, client_ip, user_agent)
           SELECT randomblob(16), id, unixepoch(), unixepoch() + 86400, 'password', '192.0.2.1', 'bench' FROM user WHERE email LIKE 'load%'"""
    )
shown = db.execute(
    "SELECT email, hex(user.id), hex(auth_session.id) FROM auth_session JOIN user ON user.id = user_id WHERE auth_session.rowid % max(1, ? / ?) = 0 LIMIT ?",
    (number, SHOWN, SHOWN),
).fetchall()
db.close()
print(json.dumps(shown))
