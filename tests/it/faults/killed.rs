//! A process that is killed right after a response: the response stays true (SR-191, SR-195).

use serde_json::{Value, json};

use super::{ADA, NEW};
use crate::{
    process::{Home, Serving},
    support::{PASSWORD, database::TestDatabase},
};

const BOB: &str = "bob@example.org";
const ANOTHER: &str = "copper lantern meadow 4";

/// Home of a program that is killed and restarted, on either database.
pub async fn home() -> (Home, TestDatabase) {
    let database = TestDatabase::new().await;
    let server = format!(
        "[server]\nport = 0\ndatabase_url = '{}'\n[policy.throttle]\nenabled = false",
        database.url
    );
    (Home::with(&server), database)
}

/// The process between two kills.
struct Survivor {
    home: Home,
    serving: Option<Serving>,
    _database: TestDatabase,
}

impl Survivor {
    async fn new() -> Self {
        let (home, database) = home().await;
        for arguments in [&["--admin", ADA][..], &[BOB]] {
            assert!(home.create_user(arguments, PASSWORD).status.success());
        }
        let serving = Serving::start(&home, "Listening");
        Self {
            home,
            serving: Some(serving),
            _database: database,
        }
    }

    /// Status and body of a response. The process is killed right after it, and restarted after a
    /// change.
    fn call(&mut self, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let headers = format!(
            "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}",
            body.len()
        );
        self.send(method, path, &headers, &body)
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let answer =
            self.serving.as_ref().unwrap().raw(&format!("{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n\r\n{body}"));
        if method != "GET" {
            self.serving.take().unwrap().kill();
            self.serving = Some(Serving::start(&self.home, "Listening"));
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            serde_json::from_str(body).unwrap_or_default(),
        )
    }

    fn log_in(&mut self, email: &str, password: &str) -> Option<String> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("username", email), ("password", password)])
            .finish();
        let headers = format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}",
            form.len()
        );
        let (status, body) = self.send("POST", "/auth/jwt/login", &headers, &form);
        (status == 200).then(|| body["access_token"].as_str().unwrap().to_owned())
    }

    fn status(&mut self, path: &str, token: &str) -> u16 {
        self.call("GET", path, token, &Value::Null).0
    }
}

#[tokio::test]
async fn what_was_answered_holds_although_the_program_is_killed_at_once() {
    let mut program = Survivor::new().await;
    let ada = program.log_in(ADA, PASSWORD).unwrap();
    let (bob, bobs_other) = (
        program.log_in(BOB, PASSWORD).unwrap(),
        program.log_in(BOB, PASSWORD).unwrap(),
    );
    assert_eq!(program.status("/users/me", &ada), 200, "logged in");
    let bobs_id = program.call("GET", "/users/me", &bob, &Value::Null).1["id"]
        .as_str()
        .unwrap()
        .to_owned();

    assert_eq!(
        program
            .call(
                "POST",
                "/auth/register",
                "",
                &json!({ "email": NEW, "password": PASSWORD })
            )
            .0,
        201
    );
    let new = program.log_in(NEW, PASSWORD).expect("registered");
    assert_eq!(
        program
            .call("POST", "/auth/jwt/logout", &new, &Value::Null)
            .0,
        204
    );
    assert_eq!(program.status("/users/me", &new), 401, "logged out");

    assert_eq!(
        program
            .call(
                "PATCH",
                "/users/me",
                &bob,
                &json!({ "password": ANOTHER, "current_password": PASSWORD })
            )
            .0,
        200
    );
    assert_eq!(
        (
            program.status("/users/me", &bob),
            program.status("/users/me", &bobs_other)
        ),
        (200, 401),
        "all other sessions ended"
    );
    assert_eq!(program.log_in(BOB, PASSWORD), None, "the old password");
    assert!(program.log_in(BOB, ANOTHER).is_some(), "the new password");

    for (is_superuser, expected) in [(true, 200), (false, 403)] {
        assert_eq!(
            program
                .call(
                    "PATCH",
                    &format!("/users/{bobs_id}"),
                    &ada,
                    &json!({ "is_superuser": is_superuser })
                )
                .0,
            200
        );
        assert_eq!(
            program.status("/users/all", &bob),
            expected,
            "promoted and demoted"
        );
    }
    assert_eq!(
        program
            .call(
                "PATCH",
                &format!("/users/{bobs_id}"),
                &ada,
                &json!({ "is_active": false })
            )
            .0,
        200
    );
    assert_eq!(
        (
            program.status("/users/me", &bob),
            program.log_in(BOB, ANOTHER)
        ),
        (401, None),
        "disabled"
    );
    assert_eq!(
        program
            .call("DELETE", &format!("/users/{bobs_id}"), &ada, &Value::Null)
            .0,
        204
    );
    assert_eq!(
        program.status(&format!("/users/{bobs_id}"), &ada),
        404,
        "deleted"
    );
}
