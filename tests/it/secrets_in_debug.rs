//! No `Debug` output of an input shows a password or the token of a link: it may end up in a panic,
//! a log line or an error report.

use std::{any::type_name, fmt::Debug};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use mediamanager_auth::{
    app,
    domain::{Email, LinkToken, Password},
    server::{
        flows::{
            account::EmailChange,
            login::PasswordLogin,
            password_reset::PasswordReset,
            setup::FirstAdmin,
            signup,
            users::{Role, UserUpdate, cli::NewCliUser},
        },
        web::api::{
            bodies::{LoginForm, Register, ResetPassword, StrictJson, TokenBody},
            error::ApiError,
            fastapi::JsonObject,
            user_update::{SelfUpdateBody, UserUpdateBody},
        },
    },
};
use serde::de::DeserializeOwned;
use serde_json::json;

const PASSWORD: &str = "hunter2 hunter2";
const TOKEN: &str = "header.payload.signature";

fn hides(input: &impl Debug) {
    let shown = format!("{input:?} {input:#?}");
    assert!(
        shown.contains("***") && !shown.contains("hunter") && !shown.contains("signature"),
        "{shown}"
    );
}

/// The arguments of a server function, as a browser sends them.
fn arguments<T: DeserializeOwned + Debug>() {
    let sent = json!({ "email": "ada@example.org", "password": PASSWORD, "token": TOKEN, "return_to": "/account" });
    let arguments: T =
        serde_json::from_value(sent).unwrap_or_else(|err| panic!("{}: {err}", type_name::<T>()));
    hides(&arguments);
}

fn request(content_type: &str, body: impl Into<Body>) -> Request {
    Request::builder()
        .method("POST")
        .header("content-type", content_type)
        .body(body.into())
        .unwrap()
}

/// A body of the API, as a script sends it.
async fn body<T: TryFrom<JsonObject, Error = ApiError> + Debug>(members: &[&str]) {
    let sent: serde_json::Map<_, _> = [
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("current_password", PASSWORD),
        ("token", TOKEN),
    ]
    .into_iter()
    .filter(|(name, _)| members.contains(name))
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect();
    let StrictJson(body) =
        StrictJson::<T>::from_request(request("application/json", json!(sent).to_string()), &())
            .await
            .unwrap();
    hides(&body);
}

#[test]
fn arguments_of_server_functions() {
    arguments::<app::login::LogIn>();
    arguments::<app::signup::SignUp>();
    arguments::<app::setup::SetUp>();
    arguments::<app::password_reset::ResetPassword>();
    arguments::<app::oidc::ConfirmLink>();
    arguments::<app::account::password::ChangePassword>();
    arguments::<app::account::reauthenticate::Reauthenticate>();
}

#[test]
fn no_server_function_takes_a_secret_as_plain_text() {
    let mut found = Vec::new();
    for (path, text) in crate::tidy::sources("src/app") {
        for secret in ["password: String", "token: String"] {
            found.extend(
                text.lines()
                    .filter(|line| line.contains(&format!("#[server(default)] {secret}")))
                    .map(|line| format!("{path}: {line}")),
            );
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn bodies_of_the_api() {
    body::<Register>(&["email", "password"]).await;
    body::<ResetPassword>(&["token", "password"]).await;
    body::<TokenBody>(&["token"]).await;
    body::<SelfUpdateBody>(&["email", "password", "current_password"]).await;
    body::<UserUpdateBody>(&["email", "password", "current_password"]).await;
    let form = format!(
        "username=ada%40example.org&password={}",
        PASSWORD.replace(' ', "+")
    );
    hides(
        &LoginForm::from_request(request("application/x-www-form-urlencoded", form), &())
            .await
            .unwrap(),
    );
}

#[test]
fn inputs_of_flows() {
    let (email, password, token) = (
        Email::parse("ada@example.org").unwrap(),
        Password::new(PASSWORD.to_owned()),
        LinkToken::new(TOKEN.to_owned()),
    );
    hides(&PasswordLogin {
        email: Some(email.clone()),
        password: password.clone(),
    });
    hides(&signup::SignupRequest {
        email: email.clone(),
        password: password.clone(),
    });
    hides(&FirstAdmin {
        token: token.clone(),
        email: email.clone(),
        password: password.clone(),
    });
    hides(&PasswordReset {
        token: token.clone(),
        shown_email: None,
        password: password.clone(),
    });
    hides(&EmailChange {
        token,
        address: String::new(),
    });
    hides(&NewCliUser {
        email,
        password: password.clone(),
        role: Role::Member,
    });
    hides(&UserUpdate {
        password: Some(password.clone()),
        current_password: Some(password),
        ..UserUpdate::default()
    });
}
