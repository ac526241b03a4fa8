//! Login with a provider that works, and the start of the login.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use url::Url;

use crate::support::{Account, App, Household, Key, app_with_provider};

mod accounts;
mod authorization_request;
mod callback;
mod compatibility;
mod endpoints;
mod id_tokens;
mod jwks;
mod link_identity;
mod login_attempts;
mod logout;
mod provider;

const CALLBACK: &str = "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/callback";

fn query(url: &str) -> BTreeMap<String, String> {
    Url::parse(url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

#[tokio::test]
async fn the_button_leads_through_the_provider_to_where_somebody_wanted_to_go() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let page = browser.get("/login?return_to=%2Faccount%3Fx%3D1").await;
    assert_eq!(
        page.text("a.button").as_deref(),
        Some("Continue with Über ID 100%")
    );
    let away =
        app_with_provider::set_out_from(&mut browser, "/login?return_to=%2Faccount%3Fx%3D1").await;
    let back = home
        .provider
        .answer(&away, &Account::confirmed("ada@example.org"));
    assert!(back.starts_with(CALLBACK), "{back}");
    let answer = app_with_provider::call_back(&mut browser, &back).await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/account?x=1"))
    );
    let page = browser.get("/account").await;
    assert_eq!(page.path, "/account");
    assert!(
        page.body.contains("ada@example.org") && page.body.contains("Member"),
        "approved, because the provider vouches"
    );
}

// OpenID Foundation, Config RP: rp-discovery-openid-configuration, rp-discovery-jwks_uri-keys
#[tokio::test]
async fn every_key_and_algorithm_that_is_accepted_works() {
    for key in [
        Key::Rs256,
        Key::Rs384,
        Key::Rs512,
        Key::Ps256,
        Key::Ps384,
        Key::Ps512,
        Key::Es256,
        Key::Es384,
        Key::EdDsa,
    ] {
        let home = Household::new().await;
        home.provider.knobs().key = key;
        let page = home
            .log_in(
                &mut home.app.browser(),
                &Account::confirmed("ada@example.org"),
            )
            .await;
        assert_eq!(page.path, "/account", "{key:?}: {}", page.body);
    }
}

// OpenID Foundation, Basic RP: rp-token_endpoint-client_secret_basic
#[tokio::test]
async fn the_secret_is_sent_as_the_provider_wants_it() {
    for (offered, is_basic) in [
        (r#"["client_secret_basic","client_secret_post"]"#, true),
        (r#"["client_secret_post","client_secret_basic"]"#, true),
        (r#"["client_secret_post"]"#, false),
        (r#"["client_secret_post","private_key_jwt"]"#, false),
        ("null", true),
    ] {
        let home = Household::new().await;
        home.provider.twist("metadata", move |metadata| {
            metadata["token_endpoint_auth_methods_supported"] =
                serde_json::from_str(offered).unwrap()
        });
        assert_eq!(
            home.come_back(&Account::confirmed("ada@example.org"))
                .await
                .status,
            StatusCode::SEE_OTHER,
            "{offered}"
        );
        let asked = home.provider.asked();
        let token = asked
            .iter()
            .find(|line| line.starts_with("POST /token"))
            .unwrap();
        assert_eq!(
            token.starts_with("POST /token Basic "),
            is_basic,
            "{offered}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_named_like_a_route_shadows_nothing() {
    let provider = crate::support::TestProvider::start().await;
    for name in ["login", "logout"] {
        let app = App::with(&provider.settings().replace("Über ID 100%", name)).await;
        app.member("ada@example.org").await;
        let answer = app
            .browser()
            .post_form(
                "/api/v1/auth/cookie/login",
                &[
                    ("username", "ada@example.org"),
                    ("password", crate::support::PASSWORD),
                ],
            )
            .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{name}");
        let home = Household {
            app,
            provider: provider.clone(),
        };
        assert_eq!(
            home.come_back(&Account::confirmed("eve@example.org"))
                .await
                .status,
            StatusCode::SEE_OTHER,
            "{name}"
        );
    }
}

#[tokio::test]
async fn without_a_provider_its_routes_do_not_exist() {
    let app = App::new().await;
    for path in [
        "/api/v1/auth/cookie/OpenID/authorize",
        "/api/v1/auth/oauth/authorize",
        "/api/v1/auth/oauth/callback?code=x&state=y",
    ] {
        assert_eq!(
            app.browser().call(Method::GET, path, &[], "").await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(app.browser().get("/login/provider").await.path, "/login");
    assert_eq!(app.browser().get("/login").await.text("a.button"), None);
}
