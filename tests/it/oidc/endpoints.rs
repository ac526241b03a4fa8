//! Invalid responses of the token and userinfo endpoints: each leads to an error page with its
//! code, and to a log line with the setting to change (SR-060, SR-067, SR-068, SR-083, SR-084).

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use crate::support::{Account, Household, Key, TestProvider, keys, log::Log, provider::MOVED};

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// The error code of a login with the provider's present behaviour, and the log.
async fn told(home: &Household) -> (String, String) {
    let log = Log::begin();
    let page = home.come_back(&ada()).await;
    assert!(
        page.status.as_u16() > 500,
        "SR-084: {} {}",
        page.status,
        page.body
    );
    assert!(
        page.attribute("a.button", "href")
            .unwrap()
            .starts_with("/login/oidc"),
        "a way on"
    );
    let reference = page.text(".reference").unwrap();
    (
        reference
            .rsplit_once('(')
            .unwrap()
            .1
            .trim_end_matches(')')
            .to_owned(),
        log.text(),
    )
}

#[tokio::test]
async fn each_error_of_the_token_endpoint_has_its_own_word_and_fix() {
    let home = Household::new().await;
    let credentials = "the secret was sent with client_secret_basic, discovery offers client_secret_basic, client_secret_post, tls_client_auth";
    for (status, body, code, fix) in [
        (
            400,
            r#"{"error":"invalid_grant"}"#,
            "invalid_grant",
            "register exactly this redirect URI",
        ),
        (
            400,
            r#"{"error":"invalid_scope"}"#,
            "provider_misconfigured",
            "allow the scopes openid, email and profile",
        ),
        (
            400,
            r#"{"error":"unsupported_grant_type"}"#,
            "provider_misconfigured",
            "allow the authorization code flow",
        ),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            "provider_misconfigured",
            "allow PKCE with S256",
        ),
        (
            400,
            r#"{"error":"of_next_year"}"#,
            "provider_misconfigured",
            "look at the provider's own log",
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            "invalid_client",
            credentials,
        ),
        (
            401,
            r#"{"error":"invalid_client"}"#,
            "invalid_client",
            credentials,
        ),
        (
            401,
            r#"{"error":"of_next_year"}"#,
            "invalid_client",
            credentials,
        ),
        (
            401,
            r#"{"message":"Unauthorized"}"#,
            "invalid_client",
            credentials,
        ),
        (401, "Unauthorized", "invalid_client", credentials),
        (401, "", "invalid_client", credentials),
        (
            500,
            r#"{"error":"server_error"}"#,
            "provider_unreachable",
            "look at the provider's own log",
        ),
        (
            503,
            r#"{"error":"temporarily_unavailable"}"#,
            "provider_unreachable",
            "look at the provider's own log",
        ),
        (
            400,
            r#"{"error":"temporarily_unavailable"}"#,
            "provider_unreachable",
            "look at the provider's own log",
        ),
        (
            502,
            r#"{"error":"of_next_year"}"#,
            "provider_unreachable",
            "look at the provider's own log",
        ),
        (
            502,
            "<html>",
            "provider_unreachable",
            "look at the provider's own log",
        ),
        (404, "", "provider_unreachable", "answers with 404"),
        (
            429,
            r#"{"error":"slow_down"}"#,
            "provider_unreachable",
            "limits requests",
        ),
        (429, "<html>", "provider_unreachable", "limits requests"),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            "provider_misconfigured",
            "start again",
        ),
        (
            401,
            r#"{"error":"Unauthorized"}"#,
            "invalid_client",
            "expired or unknown code",
        ),
        (200, "<html>", "invalid_token", "no token"),
        (200, "", "invalid_token", "no token"),
        (
            200,
            r#"{"error":"invalid_grant"}"#,
            "invalid_token",
            "no token",
        ),
    ] {
        let kind = if body.starts_with('<') {
            "text/html"
        } else {
            "application/json"
        };
        home.provider.replace("/token", move || {
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::CONTENT_TYPE, kind)],
                body,
            )
                .into_response()
        });
        let (word, log) = told(&home).await;
        assert_eq!(word, code, "{status} {body}");
        assert!(log.contains(fix), "{status} {body}: {log}");
    }
}

/// One invalid property of an endpoint.
type Wrong = fn(&TestProvider);

#[tokio::test]
async fn an_answer_with_a_token_that_is_not_what_the_protocol_says_is_refused_and_not_asked_for_again()
 {
    let without: fn(&TestProvider, &'static str) = |p, name| {
        p.twist("token", move |answer| {
            drop(answer.as_object_mut().unwrap().remove(name))
        })
    };
    let wrongs: [(&str, Wrong); 10] = [
        ("no access token", |p| {
            p.twist("token", |answer| answer["access_token"] = Value::Null)
        }),
        ("an access token that is no text", |p| {
            p.twist("token", |answer| answer["access_token"] = 7.into())
        }),
        ("a kind of token that is no text", |p| {
            p.twist("token", |answer| answer["token_type"] = 7.into())
        }),
        ("an ID token that is no text", |p| {
            p.twist("token", |answer| {
                answer["id_token"] = json!([answer["id_token"].clone()])
            })
        }),
        ("an access token given twice", |p| {
            p.knobs().spoil_answer =
                Some(|answer| answer.replacen('{', r#"{"access_token":"x","#, 1))
        }),
        ("an ID token given twice", |p| {
            p.knobs().spoil_answer = Some(|answer| answer.replacen('{', r#"{"id_token":"x","#, 1))
        }),
        ("a list", |p| {
            p.knobs().spoil_answer = Some(|answer| format!("[{answer}]"))
        }),
        ("bytes behind the object", |p| {
            p.knobs().spoil_answer = Some(|answer| format!("{answer}x"))
        }),
        ("a second object behind it", |p| {
            p.knobs().spoil_answer = Some(|answer| format!("{answer}{answer}"))
        }),
        ("a member given twice that nobody needs", |p| {
            p.knobs().spoil_answer = Some(|answer| answer.replacen('{', r#"{"expires_in":1,"#, 1))
        }),
    ];
    for (name, wrong) in wrongs {
        let home = Household::new().await;
        wrong(&home.provider);
        assert_eq!(told(&home).await.0, "invalid_token", "{name}");
        assert_eq!(
            home.provider.times("/token"),
            1,
            "{name}: a code is redeemed once, come what may"
        );
    }
    for name in ["access_token", "token_type"] {
        let home = Household::new().await;
        without(&home.provider, name);
        assert_eq!(told(&home).await.0, "invalid_token", "no {name}");
    }
}

#[tokio::test]
async fn a_code_that_could_not_be_redeemed_is_not_tried_again() {
    for status in [
        StatusCode::BAD_REQUEST,
        StatusCode::BAD_GATEWAY,
        StatusCode::TEMPORARY_REDIRECT,
    ] {
        let home = Household::new().await;
        home.provider.replace("/token", move || {
            (status, r#"{"error":"of_next_year"}"#).into_response()
        });
        told(&home).await;
        home.app
            .state
            .providers
            .first()
            .unwrap()
            .refresh_if_stale()
            .await;
        assert_eq!(home.provider.times("/token"), 1, "{status}");
    }
}

#[tokio::test]
async fn no_endpoint_leads_us_elsewhere() {
    for (path, status) in [
        ("/token", StatusCode::FOUND),
        ("/token", StatusCode::SEE_OTHER),
        ("/token", StatusCode::TEMPORARY_REDIRECT),
        ("/token", StatusCode::PERMANENT_REDIRECT),
        ("/userinfo", StatusCode::FOUND),
        ("/userinfo", StatusCode::TEMPORARY_REDIRECT),
        ("/jwks", StatusCode::FOUND),
    ] {
        let home = Household::new().await;
        if path == "/userinfo" {
            home.provider.twist("claims", |claims| {
                drop(claims.as_object_mut().unwrap().remove("email"))
            });
        }
        if path == "/jwks" {
            // The JWKS is requested when a login starts, so it must leave the cache first.
            assert_eq!(home.come_back(&ada()).await.status, StatusCode::SEE_OTHER);
            home.provider
                .twist("header", |header| header["kid"] = "new".into());
            home.provider.twist("jwks", |jwks| {
                *jwks = json!({ "keys": [keys::jwk("rsa", &json!({ "kid": "new" }))] })
            });
        }
        home.provider.knobs().moved = Some((path, status));
        told(&home).await;
        assert_eq!(
            home.provider.times(&format!("{MOVED}{path}")),
            0,
            "{path} {status} was followed"
        );
    }
}

#[tokio::test]
async fn userinfo_that_is_not_what_the_protocol_says_is_refused() {
    let wrongs: [(&str, Wrong); 10] = [
        ("not JSON", |p| {
            p.knobs().spoil_userinfo = Some(|_| "<html>".to_owned())
        }),
        ("a list", |p| {
            p.knobs().spoil_userinfo = Some(|text| format!("[{text}]"))
        }),
        ("its person twice", |p| {
            p.knobs().spoil_userinfo = Some(|text| text.replacen('{', r#"{"sub":"eve","#, 1))
        }),
        ("its address twice", |p| {
            p.knobs().spoil_userinfo =
                Some(|text| text.replacen('{', r#"{"email":"eve@example.org","#, 1))
        }),
        ("a person that is a number", |p| {
            p.twist("userinfo", |claims| claims["sub"] = 1.into())
        }),
        ("signed for another issuer", |p| {
            p.knobs().signs_userinfo = true;
            p.twist("userinfo", |claims| {
                claims["iss"] = "https://evil.example".into()
            });
        }),
        ("signed by nobody", |p| {
            signed_userinfo(p, Key::Nothing, "none")
        }),
        ("signed by nobody in other letters", |p| {
            signed_userinfo(p, Key::Nothing, "None")
        }),
        ("signed with the client secret", |p| {
            signed_userinfo(p, Key::Hs256, "HS256")
        }),
        ("signed with the public key as secret", |p| {
            signed_userinfo(p, Key::Confused, "HS256")
        }),
    ];
    for (name, wrong) in wrongs {
        let home = Household::new().await;
        home.provider.twist("claims", |claims| {
            drop(claims.as_object_mut().unwrap().remove("email"))
        });
        wrong(&home.provider);
        assert_eq!(told(&home).await.0, "invalid_token", "{name}");
        assert_eq!(
            home.app.count("SELECT count(*) FROM \"user\"").await,
            0,
            "{name}"
        );
    }
}

/// A userinfo response as a JWT that is valid except for its signature.
fn signed_userinfo(provider: &TestProvider, key: Key, algorithm: &'static str) {
    let issuer = provider.origin().to_owned();
    provider.replace("/userinfo", move || {
        let claims = json!({ "iss": issuer, "sub": ada().subject, "email": "ada@example.org", "email_verified": true }).to_string();
        let header = json!({ "alg": algorithm, "kid": "rsa" }).to_string();
        ([(header::CONTENT_TYPE, "application/jwt")], keys::sign(&header, claims.as_bytes(), key)).into_response()
    });
}
