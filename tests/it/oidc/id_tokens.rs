//! Invalid ID tokens, each with exactly one error (SR-060 to SR-068). Comments name the
//! corresponding test of the OpenID Foundation's plans for relying parties (Basic RP, Config RP).

use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use mediamanager_auth::server::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Account, Household, Key, Page, TestProvider, keys, log::Log};

mod accepted;
mod log_hints;
mod userinfo;

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

fn now() -> i64 {
    Clock::System.now()
}

/// Asserts that this one change of the provider makes every login fail with the code, and that
/// logins work without the change.
async fn refuses(code: &str, wrong: impl FnOnce(&TestProvider)) -> String {
    let log = Log::begin();
    let home = Household::new().await;
    wrong(&home.provider);
    let page = home.come_back(&ada()).await;
    is_refused(&page, code);
    assert_eq!(
        home.app.count("SELECT count(*) FROM \"user\"").await,
        0,
        "no half-made account"
    );
    home.provider.is_good_again();
    // Metadata and keys are requested again after a minute.
    home.app.pass(61);
    home.provider.twist("claims", |claims| shift(claims, 61));
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "and nothing else was wrong"
    );
    let log = log.text();
    for secret in ["access token of", "never kept", "p@ss:word", "eyJ"] {
        assert!(!log.contains(secret), "{secret} in the log: {log}");
    }
    log
}

fn is_refused(page: &Page, code: &str) {
    assert!(
        page.status.is_client_error() || page.status.as_u16() > 500,
        "{} {}",
        page.status,
        page.body
    );
    assert!(
        page.text(".reference")
            .unwrap_or_default()
            .ends_with(&format!("({code})")),
        "{code}: {:?}",
        page.text(".reference")
    );
    assert!(
        !page
            .headers
            .get_all("set-cookie")
            .iter()
            .any(|cookie| cookie.to_str().unwrap().contains("fastapiusersauth"))
    );
}

/// Sets the audience to our client id and these, with or without our client id as `azp`.
fn also_for(claims: &mut Value, others: &[&str], is_for_us: bool) {
    let us = claims["aud"].clone();
    if is_for_us {
        claims["azp"] = us.clone();
    }
    claims["aud"] = std::iter::once(us)
        .chain(others.iter().map(|other| json!(other)))
        .collect();
}

#[tokio::test]
async fn an_audience_beside_us_that_the_operator_trusts_is_accepted_where_the_token_was_made_for_us()
 {
    type Wrong = (&'static str, fn(&mut Value));
    let home =
        Household::with("policy.openid_connect.trusted_audiences = ['project', 'television']")
            .await;
    let wrongs: [Wrong; 5] = [
        ("it does not say for whom it was made (azp)", |claims| {
            also_for(claims, &["project", "television"], false)
        }),
        ("client_id alone, but also", |claims| {
            also_for(claims, &["project", "stranger"], true)
        }),
        ("its authorized party (azp) is another client", |claims| {
            also_for(claims, &["project"], true);
            claims["azp"] = "project".into();
        }),
        ("is not auth.openid_connect.client_id", |claims| {
            claims["aud"] = json!(["project", "television"])
        }),
        ("is not auth.openid_connect.client_id", |claims| {
            claims["aud"] = "project".into()
        }),
    ];
    for (why, wrong) in wrongs {
        let log = Log::begin();
        home.provider.twist("claims", wrong);
        is_refused(&home.come_back(&ada()).await, "invalid_token");
        assert!(log.text().contains(why), "{why}: {}", log.text());
    }
    let good: [&[&str]; 3] = [&[], &["project"], &["project", "television"]];
    for others in good {
        home.provider
            .twist("claims", move |claims| also_for(claims, others, true));
        assert_eq!(
            home.come_back(&ada()).await.status,
            StatusCode::SEE_OTHER,
            "{others:?}"
        );
    }
}

#[tokio::test]
async fn an_audience_beside_us_is_refused_unless_it_is_trusted_also_where_the_token_was_made_for_us()
 {
    let log = refuses("invalid_token", |p| {
        p.twist("claims", |claims| also_for(claims, &["project"], true))
    })
    .await;
    assert!(
        log.contains("policy.openid_connect.trusted_audiences"),
        "{log}"
    );
}

/// The claims with one more member at the end, whose JSON may be one that no library writes.
fn with_more(claims: &Value, member: &[u8]) -> Vec<u8> {
    let text = claims.to_string();
    [
        text.strip_suffix('}').unwrap().as_bytes(),
        b",",
        member,
        b"}",
    ]
    .concat()
}

/// A member that nests objects this deep.
fn nested(levels: usize) -> String {
    format!(
        "\"deep\":{}{}",
        "{\"a\":".repeat(levels - 2) + "{",
        "}".repeat(levels - 1)
    )
}

fn shift(claims: &mut Value, seconds: i64) {
    for name in ["iat", "exp"] {
        claims[name] = (claims[name].as_i64().unwrap() + seconds).into();
    }
}

macro_rules! each_refused {
    ($($name:ident: $code:literal, |$provider:ident| $wrong:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            refuses($code, |$provider| $wrong).await;
        })*
    };
}

each_refused! {
    // Basic RP: rp-id_token-sig-none
    an_unsigned_token: "invalid_token", |p| p.knobs().key = Key::Nothing;
    an_unsigned_token_in_capitals: "invalid_token", |p| {
        p.knobs().key = Key::Nothing;
        p.twist("header", |header| header["alg"] = "None".into());
    };
    an_unsigned_token_in_mixed_letters: "invalid_token", |p| {
        p.knobs().key = Key::Nothing;
        p.twist("header", |header| header["alg"] = "nOnE".into());
    };
    a_token_signed_with_the_client_secret: "invalid_token", |p| p.knobs().key = Key::Hs256;
    a_token_signed_with_the_client_secret_and_sha384: "invalid_token", |p| p.knobs().key = Key::Hs384;
    a_token_signed_with_the_client_secret_and_sha512: "invalid_token", |p| p.knobs().key = Key::Hs512;
    a_token_signed_with_the_public_key_as_secret: "invalid_token", |p| p.knobs().key = Key::Confused;
    // Basic RP: rp-id_token-bad-sig-rs256
    a_token_signed_by_a_stranger: "invalid_token", |p| p.knobs().key = Key::Stranger;
    a_token_signed_with_a_short_key: "invalid_token", |p| p.knobs().key = Key::ShortRsa;
    a_token_of_which_a_byte_was_changed: "invalid_token", |p| p.knobs().spoil = Some(|token| {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = signed.split_once('.').unwrap();
        format!("{header}.{}A{}.{signature}", &payload[..20], &payload[21..])
    });
    a_token_without_a_signature: "invalid_token", |p| p.knobs().spoil = Some(|token| format!("{}.", token.rsplit_once('.').unwrap().0));
    a_token_with_something_behind_it: "invalid_token", |p| p.knobs().spoil = Some(|token| format!("{token}.x"));
    an_encrypted_token: "invalid_token", |p| p.knobs().spoil = Some(|token| format!("{token}.x.y"));
    a_token_that_is_none: "invalid_token", |p| p.knobs().spoil = Some(|_| "not a token".to_owned());
    an_empty_token: "invalid_token", |p| p.knobs().spoil = Some(|_| String::new());
    a_token_with_an_algorithm_that_was_not_announced: "invalid_token", |p| {
        p.twist("metadata", |m| m["id_token_signing_alg_values_supported"] = json!(["ES256"]));
    };
    a_token_with_an_algorithm_its_key_is_not_for: "invalid_token", |p| {
        p.twist("jwks", |keys| keys["keys"][0]["alg"] = "PS256".into());
    };
    a_token_with_a_key_of_its_own: "invalid_token", |p| {
        p.knobs().key = Key::Stranger;
        p.twist("header", |header| header["jwk"] = keys::jwk("stranger", &json!({ "kid": "rsa" })));
    };
    a_token_with_an_encryption_key: "invalid_token", |p| {
        p.knobs().key = Key::Stranger;
        p.twist("header", |header| header["kid"] = "for encryption".into());
    };
    a_token_with_an_unknown_critical_header: "invalid_token", |p| p.twist("header", |header| header["crit"] = json!(["exp"]));
    a_token_for_another_purpose: "invalid_token", |p| p.twist("header", |header| header["typ"] = "at+jwt".into());
    a_logout_token_in_place_of_an_id_token: "invalid_token", |p| p.twist("header", |header| header["typ"] = "logout+jwt".into());
    a_token_with_another_token_inside: "invalid_token", |p| p.twist("header", |header| header["cty"] = "JWT".into());
    a_key_id_that_is_no_text: "invalid_token", |p| p.twist("header", |header| header["kid"] = json!(["rsa"]));
    a_key_that_is_not_published: "invalid_token", |p| p.twist("header", |header| header["kid"] = "unknown".into());
    // Basic RP: rp-id_token-kid-absent-multiple-jwks
    no_key_id_where_two_keys_fit: "invalid_token", |p| {
        p.twist("header", |header| drop(header.as_object_mut().unwrap().remove("kid")));
        p.twist("jwks", |keys| keys["keys"].as_array_mut().unwrap().push(keys::jwk("stranger", &json!({}))));
    };

    // Basic RP: rp-id_token-issuer-mismatch
    another_issuer: "invalid_token", |p| p.twist("claims", |claims| claims["iss"] = "https://evil.example".into());
    an_issuer_with_a_slash_too_many: "invalid_token", |p| p.twist("claims", |claims| claims["iss"] = format!("{}/", claims["iss"].as_str().unwrap()).into());
    no_issuer: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("iss")));
    an_issuer_that_is_no_text: "invalid_token", |p| p.twist("claims", |claims| claims["iss"] = json!([claims["iss"].clone()]));
    // Basic RP: rp-id_token-aud
    another_audience: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = "somebody else".into());
    an_audience_beside_us: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = json!([claims["aud"].clone(), "somebody else"]));
    us_twice_as_audience: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = json!([claims["aud"].clone(), claims["aud"].clone()]));
    an_audience_that_is_no_text: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = 7.into());
    a_list_of_audiences_that_are_no_text: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = json!([[claims["aud"].clone()]]));
    no_audience_at_all: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("aud")));
    no_audience: "invalid_token", |p| p.twist("claims", |claims| claims["aud"] = json!([]));
    another_authorized_party: "invalid_token", |p| p.twist("claims", |claims| claims["azp"] = "somebody else".into());
    an_authorized_party_that_is_no_text: "invalid_token", |p| p.twist("claims", |claims| claims["azp"] = json!([claims["aud"].clone()]));

    an_expired_token: "invalid_token", |p| p.twist("claims", |claims| claims["exp"] = (now() - 61).into());
    an_expiry_that_is_text: "invalid_token", |p| p.twist("claims", |claims| claims["exp"] = (now() + 300).to_string().into());
    an_expiry_beyond_all_time: "invalid_token", |p| p.twist("claims", |claims| claims["exp"] = json!(1e300));
    no_expiry: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("exp")));
    // Basic RP: rp-id_token-iat
    no_time_of_issue: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("iat")));
    a_time_of_issue_that_is_text: "invalid_token", |p| p.twist("claims", |claims| claims["iat"] = now().to_string().into());
    a_time_of_issue_before_all_time: "invalid_token", |p| p.twist("claims", |claims| claims["iat"] = (-now()).into());
    a_beginning_that_is_text: "invalid_token", |p| p.twist("claims", |claims| claims["nbf"] = now().to_string().into());
    a_token_from_the_future: "invalid_token", |p| p.twist("claims", |claims| claims["iat"] = (now() + 70).into());
    a_token_kept_for_later: "invalid_token", |p| p.twist("claims", |claims| claims["iat"] = (now() - 670).into());
    a_token_not_valid_yet: "invalid_token", |p| p.twist("claims", |claims| claims["nbf"] = (now() + 70).into());

    // Basic RP: rp-nonce-invalid
    the_nonce_of_another_attempt: "invalid_token", |p| p.twist("claims", |claims| claims["nonce"] = "of another attempt".into());
    no_nonce: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("nonce")));
    a_nonce_that_is_no_text: "invalid_token", |p| p.twist("claims", |claims| claims["nonce"] = json!([claims["nonce"].clone()]));
    // Basic RP: rp-id_token-bad-at_hash
    the_hash_of_another_access_token: "invalid_token", |p| p.twist("claims", |claims| claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA".into());

    // Basic RP: rp-id_token-sub
    no_subject: "invalid_token", |p| p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("sub")));
    an_empty_subject: "invalid_token", |p| p.twist("claims", |claims| claims["sub"] = "".into());
    a_subject_too_long: "invalid_token", |p| p.twist("claims", |claims| claims["sub"] = "x".repeat(256).into());
    a_subject_beyond_ascii: "invalid_token", |p| p.twist("claims", |claims| claims["sub"] = "a\u{308}".into());
    a_subject_with_control_characters: "invalid_token", |p| p.twist("claims", |claims| claims["sub"] = "a\u{0}b".into());
    a_subject_that_is_a_number: "invalid_token", |p| p.twist("claims", |claims| claims["sub"] = 1.into());
    // Each of these is valid except for the property in its name.
    a_member_given_twice: "invalid_token", |p| p.knobs().payload = Some(|claims| with_more(&claims, br#""sub":"eve""#));
    a_header_member_given_twice: "invalid_token", |p| p.knobs().header = Some(|header| header.to_string().replacen('{', r#"{"typ":"JWT","#, 1));
    claims_that_are_not_utf8: "invalid_token", |p| p.knobs().payload = Some(|claims| with_more(&claims, b"\"name\":\"\xff\""));
    claims_that_are_no_object: "invalid_token", |p| p.knobs().payload = Some(|claims| format!("[{claims}]").into_bytes());
    claims_nested_too_deeply: "invalid_token", |p| p.knobs().payload = Some(|claims| with_more(&claims, nested(33).as_bytes()));
    claims_nested_without_end: "invalid_token", |p| p.knobs().payload = Some(|claims| with_more(&claims, nested(5000).as_bytes()));

    no_id_token: "invalid_token", |p| p.twist("token", |answer| drop(answer.as_object_mut().unwrap().remove("id_token")));
    another_kind_of_access_token: "invalid_token", |p| p.twist("token", |answer| answer["token_type"] = "mac".into());
    // Basic RP: rp-userinfo-bad-sub-claim
    userinfo_of_somebody_else: "invalid_token", |p| {
        p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("email")));
        p.twist("userinfo", |claims| claims["sub"] = "somebody else".into());
    };
    userinfo_of_nobody: "invalid_token", |p| {
        p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("email")));
        p.twist("userinfo", |claims| drop(claims.as_object_mut().unwrap().remove("sub")));
    };
    userinfo_signed_by_a_stranger: "invalid_token", |p| {
        p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("email")));
        p.replace("/userinfo", || {
            let claims = json!({ "sub": ada().subject, "email": "ada@example.org", "email_verified": true }).to_string();
            let token = keys::sign(r#"{"alg":"RS256","kid":"rsa"}"#, claims.as_bytes(), Key::Stranger);
            ([(header::CONTENT_TYPE, "application/jwt")], token).into_response()
        });
    };
    signed_userinfo_for_another_client: "invalid_token", |p| {
        p.knobs().signs_userinfo = true;
        p.twist("claims", |claims| drop(claims.as_object_mut().unwrap().remove("email")));
        p.twist("userinfo", |claims| claims["aud"] = "somebody else".into());
    };
}

#[tokio::test]
async fn nothing_of_the_tokens_is_kept() {
    let log = Log::begin();
    let home = Household::new().await;
    let page = home.log_in(&mut home.app.browser(), &ada()).await;
    for text in [page.body, log.text()] {
        assert!(
            !text.contains("access token of")
                && !text.contains("never kept")
                && !text.contains("p@ss:word"),
            "{text}"
        );
    }
    assert_eq!(
        home.app.count("SELECT count(*) FROM oauth_account").await,
        0
    );
    let issued = home.provider.issued_id_tokens();
    let secrets = ["access token of", "never kept", "eyJ"];
    let dump = home.app.database.dump().await;
    assert!(
        dump.iter()
            .any(|(table, rows)| table == "auth_identity" && rows.contains(&ada().subject))
    );
    for (table, rows) in dump {
        for secret in secrets.into_iter().chain(issued.iter().map(String::as_str)) {
            assert!(!rows.contains(secret), "{secret} in {table}: {rows}");
        }
    }
}
