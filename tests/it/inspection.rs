//! The live look at everything that the program depends on.

use axum::http::StatusCode;
use mediamanager_auth::server::{
    finding::{Finding, Standing},
    flows::{inspection, users::Role},
};
use serde_json::json;

use crate::support::{App, Household, PASSWORD};

async fn look(app: &App) -> Vec<Finding> {
    inspection::look(&app.state.config, app.state.provider.as_ref(), &app.state.mailer).await
}

fn find<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.what == what).unwrap_or_else(|| panic!("nothing about {what}: {findings:?}"))
}

#[tokio::test]
async fn a_household_where_all_is_well_is_told_so() {
    let home = Household::new().await;
    let findings = look(&home.app).await;
    for what in ["database", "mail", "provider", "algorithms", "keys", "clock", "client", "redirect URI"] {
        assert_eq!(find(&findings, what).standing, Standing::Fine, "{}", find(&findings, what));
    }
    // Nobody listens at localhost:8000 in the tests, or somebody else does.
    assert_eq!(find(&findings, "frontend_url").standing, Standing::Doubtful);
    assert_eq!(home.app.count("SELECT count(*) FROM spent").await, 0, "looking changes nothing");
}

#[tokio::test]
async fn what_is_wrong_at_the_provider_is_told_with_the_setting_to_change() {
    for (knob, change, what, says, fix) in [
        ("metadata", json!({ "issuer": "https://other.example" }), "provider", "https://other.example", "configuration_endpoint ="),
        ("metadata", json!({ "id_token_signing_alg_values_supported": ["HS256"] }), "provider", "HS256", "asymmetric signing key"),
        ("metadata", json!({ "jwks_uri": "http://127.0.0.1:1/jwks" }), "keys", "cannot be read", ""),
        ("jwks", json!({ "keys": [] }), "keys", "no key", "asymmetric signing key"),
        ("metadata", json!({ "token_endpoint": "http://127.0.0.1:1/token" }), "client", "gives no answer", ""),
    ] {
        let home = Household::new().await;
        home.provider.twist(knob, move |value| value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
        let findings = look(&home.app).await;
        let finding = find(&findings, what);
        assert!(finding.standing == Standing::Wrong && finding.says.contains(says) && finding.fix.contains(fix), "{finding}");
    }
}

#[tokio::test]
async fn a_wrong_secret_or_redirect_uri_is_found_before_anybody_logs_in() {
    let home = Household::new().await;
    let settings = home.provider.settings();
    let wrong = App::with(&settings.replace("secret of the client", "another secret")).await;
    let findings = look(&wrong).await;
    let client = find(&findings, "client");
    assert!(client.standing == Standing::Wrong && client.fix.contains("client_secret_basic"), "{client}");
    assert!(!client.to_string().contains("another secret"), "no secret in what is said");
    let wrong = App::with(&settings.replace("name = 'Über ID 100%'", "name = 'Another'")).await;
    let findings = look(&wrong).await;
    let uri = find(&findings, "redirect URI");
    assert!(uri.standing == Standing::Wrong && uri.fix.ends_with("/api/v1/auth/cookie/Another/callback"), "{uri}");
    let away = App::with(&settings.replace(home.provider.origin(), "http://127.0.0.1:1")).await;
    let findings = look(&away).await;
    assert!(find(&findings, "provider").says.contains("cannot be read") && findings.iter().all(|finding| finding.what != "keys"));
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_in_seconds() {
    let home = Household::new().await;
    for (seconds, standing) in [(-30, Standing::Doubtful), (-100, Standing::Wrong)] {
        home.app.pass(seconds);
        let findings = look(&home.app).await;
        let clock = find(&findings, "clock");
        assert!(clock.standing == standing && clock.says.contains("seconds apart"), "{clock}");
        home.app.pass(-seconds);
    }
}

#[tokio::test]
async fn administrators_look_in_the_browser() {
    let home = Household::new().await;
    home.app.user("ada@example.org", Role::Administrator).await;
    home.app.member("bob@example.org").await;
    let mut ada = home.app.browser();
    ada.log_in("ada@example.org", PASSWORD).await;
    let page = ada.get("/users/check").await;
    assert_eq!((page.status, page.heading().as_str()), (StatusCode::OK, "How everything stands"));
    assert!(page.body.contains("the provider knows") && page.body.contains("redirect URI"), "{}", page.body);
    let mut bob = home.app.browser();
    bob.log_in("bob@example.org", PASSWORD).await;
    assert_eq!(bob.get("/users/check").await.status, StatusCode::FORBIDDEN);
}
