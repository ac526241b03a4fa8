//! Logging in with the provider when everything is as it should be, and how one sets out.

use std::collections::{BTreeMap, HashSet};

use axum::http::{Method, StatusCode};
use url::Url;

use crate::support::{Account, App, Household, Key, app_with_provider, provider::CLIENT_ID};

mod accounts;
mod callback;
mod endpoints;
mod id_tokens;
mod jwks;
mod link_identity;
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

#[tokio::test]
async fn the_request_says_what_the_protocol_asks_for_and_is_new_each_time() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let query = query(&app_with_provider::set_out(&mut browser).await);
        assert_eq!(
            query["redirect_uri"],
            format!("http://localhost:8000{CALLBACK}")
        );
        assert_eq!(query["client_id"], CLIENT_ID);
        assert_eq!(query["scope"], "openid email profile");
        assert_eq!(
            query.keys().map(String::as_str).collect::<Vec<_>>(),
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "redirect_uri",
                "response_type",
                "scope",
                "state"
            ]
        );
        for name in ["state", "nonce", "code_challenge"] {
            assert!(query[name].len() >= 43, "256 bits of {name}");
            assert!(seen.insert(query[name].clone()), "{name} was used before");
        }
    }
}

#[tokio::test]
async fn no_request_header_moves_the_redirect_uri() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let answer = browser.call(Method::GET, "/login/oidc", &evil, "").await;
    assert_eq!(
        query(&answer.location().unwrap())["redirect_uri"],
        format!("http://localhost:8000{CALLBACK}")
    );
}

#[tokio::test]
async fn the_link_always_answers_with_a_redirect() {
    let home = Household::new().await;
    let no_provider = App::new().await;
    for path in [
        "/login/oidc",
        "/login/oidc?",
        "/login/oidc?return_to=//evil.example",
        "/login/oidc?return_to=/a&return_to=/b",
        "/login/oidc?return_to[]=/a",
        "/login/oidc?return_to=%ff",
        "/login/oidc?x[y][z]=1&=&&",
        "/login/oidc?__path=x&__err=y",
    ] {
        for accept in ["text/html", "application/json", "*/*"] {
            let answer = home
                .app
                .browser()
                .call(
                    Method::GET,
                    path,
                    &[("referer", "https://evil.example/")],
                    "",
                )
                .await;
            assert!(
                answer.status.is_redirection(),
                "{path} {accept}: {}",
                answer.status
            );
            let target = answer.location().unwrap();
            assert!(
                target.starts_with(home.provider.origin()) || target == "/login/oidc",
                "{path}: {target}"
            );
            assert!(
                !target.contains("__err") && !target.contains("evil"),
                "{path}: {target}"
            );
        }
        let answer = no_provider.browser().call(Method::GET, path, &[], "").await;
        assert!(answer.status.is_redirection(), "{path} without a provider");
    }
    assert_eq!(
        home.app
            .browser()
            .post_form("/login/oidc", &[])
            .await
            .status,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert!(
        home.app
            .browser()
            .call(Method::HEAD, "/login/oidc", &[], "")
            .await
            .status
            .is_redirection()
    );
}

#[tokio::test]
async fn several_tabs_do_not_disturb_each_other() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let (first, second) = (
        app_with_provider::set_out(&mut browser).await,
        app_with_provider::set_out(&mut browser).await,
    );
    let ada = Account::confirmed("ada@example.org");
    for away in [second, first] {
        let back = home.provider.answer(&away, &ada);
        assert_eq!(
            app_with_provider::call_back(&mut browser, &back)
                .await
                .status,
            StatusCode::SEE_OTHER
        );
    }
}

#[tokio::test]
async fn a_browser_carries_five_attempts_and_drops_the_oldest() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let mut aways = Vec::new();
    for _ in 0..7 {
        aways.push(app_with_provider::set_out(&mut browser).await);
        home.app.pass(1);
    }
    let ada = Account::confirmed("ada@example.org");
    let mut statuses = Vec::new();
    for away in &aways {
        // A copy: a login in between would make the next answer a mere reload.
        let mut tab = browser.clone();
        statuses.push(
            app_with_provider::call_back(&mut tab, &home.provider.answer(away, &ada))
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [400, 400, 303, 303, 303, 303, 303]);
}

#[tokio::test]
async fn the_handshake_cookie_is_sealed_and_for_this_host_only() {
    let home = Household::with("misc.frontend_url = 'https://media.example.org'").await;
    let answer = home
        .app
        .browser()
        .call(Method::GET, "/login/oidc", &[], "")
        .await;
    let cookie = answer.header("set-cookie").unwrap();
    for part in [
        "__Host-oidc-attempt-",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
        "Path=/",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let query = query(&answer.location().unwrap());
    assert!(
        !cookie.contains(&query["state"])
            && !cookie.contains(&query["nonce"])
            && !cookie.contains("Domain")
    );
    assert!(query["redirect_uri"].starts_with("https://media.example.org/"));
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
async fn mediamanagers_own_frontends_set_out_too() {
    let home = Household::new().await;
    for (path, callback) in [
        (
            "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/authorize?scopes=email",
            CALLBACK,
        ),
        (
            "/api/v1/auth/oauth/authorize?scopes=openid&scopes=email&scopes=groups&scopes=a%20b",
            "/api/v1/auth/oauth/callback",
        ),
    ] {
        let mut browser = home.app.browser();
        let answer = browser.call(Method::GET, path, &[], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let away = answer.json()["authorization_url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            query(&away)["redirect_uri"],
            format!("http://localhost:8000{callback}")
        );
        assert_eq!(
            query(&away)["scope"],
            if path.contains("groups") {
                "openid email profile groups"
            } else {
                "openid email profile"
            }
        );
        let back = home
            .provider
            .answer(&away, &Account::confirmed("ada@example.org"));
        let answer = app_with_provider::call_back(&mut browser, &back).await;
        assert_eq!(
            answer.location().as_deref(),
            Some("/account"),
            "{}",
            answer.body
        );
    }
}

#[tokio::test]
async fn the_name_is_compared_to_the_letter_and_hides_nothing() {
    let home = Household::new().await;
    for name in [
        "%C3%BCber%20ID%20100%25",
        "Authentik",
        "login",
        "logout",
        "x",
    ] {
        for action in ["authorize", "callback?code=x&state=y"] {
            let page = home
                .app
                .browser()
                .call(
                    Method::GET,
                    &format!("/api/v1/auth/cookie/{name}/{action}"),
                    &[],
                    "",
                )
                .await;
            assert_eq!(
                (page.status, page.body.as_str()),
                (StatusCode::NOT_FOUND, "Not Found"),
                "{name} {action}"
            );
        }
    }
    let metadata = home.app.browser().get("/api/v1/auth/metadata").await.json();
    assert_eq!(metadata["oauth_name"], "Über ID 100%");
    assert_eq!(metadata["oauth_providers"][0], "Über ID 100%");
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
async fn a_configured_redirect_uri_is_the_only_one_ever_sent() {
    let own = "http://localhost:8000/api/v1/auth/oauth/callback";
    let home = Household::with(&format!("policy.openid_connect.redirect_uri = '{own}'")).await;
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    assert_eq!(query(&away)["redirect_uri"], own);
    let back = home
        .provider
        .answer(&away, &Account::confirmed("ada@example.org"));
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let asked = browser
        .call(
            Method::GET,
            "/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/authorize",
            &[],
            "",
        )
        .await;
    assert_eq!(
        query(asked.json()["authorization_url"].as_str().unwrap())["redirect_uri"],
        own
    );
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
