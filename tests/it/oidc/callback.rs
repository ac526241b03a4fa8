//! What can be wrong with the way back from the provider, seen from the attacker's chair (SR-053 to
//! SR-058).

use axum::http::{Method, StatusCode};

use crate::support::{Account, Browser, Household, Page, app_with_provider};

const COOKIE: &str = "fastapiusersauth";

fn ada() -> Account {
    Account::confirmed("ada@example.org")
}

/// No session, no request for a token, a page with the code of the refusal and a way on.
fn is_refused(home: &Household, page: &Page, status: u16, code: &str) {
    assert_eq!(page.status.as_u16(), status, "{}", page.body);
    let reference = page
        .text(".reference")
        .unwrap_or_else(|| panic!("no page: {}", page.body));
    assert!(
        reference.starts_with("Reference: ") && reference.ends_with(&format!("({code})")),
        "{reference}"
    );
    assert!(
        page.attribute("a.button", "href")
            .unwrap()
            .starts_with("/login/oidc"),
        "a way to try again"
    );
    let cookies: Vec<_> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert!(
        cookies.iter().all(|cookie| !cookie.contains(COOKIE)),
        "{cookies:?}"
    );
    assert_eq!(home.provider.times("/token"), 0, "no code may be redeemed");
}

/// A browser that has set out, and the good answer it would bring back.
async fn under_way(home: &Household) -> (Browser, String) {
    let mut browser = home.app.browser();
    let back = home
        .provider
        .answer(&app_with_provider::set_out(&mut browser).await, &ada());
    (browser, back)
}

fn state_of(back: &str) -> String {
    back.split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

fn without(back: &str, name: &str) -> String {
    let (path, query) = back.split_once('?').unwrap();
    let kept: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with(&format!("{name}=")))
        .collect();
    format!("{path}?{}", kept.join("&"))
}

#[tokio::test]
async fn a_stranger_cannot_log_somebody_in_with_their_own_code() {
    let home = Household::new().await;
    let (_, attackers) = under_way(&home).await;
    // The victim has no attempt at all, and then one of their own.
    let mut victim = home.app.browser();
    is_refused(
        &home,
        &app_with_provider::call_back(&mut victim, &attackers).await,
        400,
        "unknown_state",
    );
    let (mut victim, _) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut victim, &attackers).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_missing_or_changed_state_is_refused() {
    let home = Household::new().await;
    for change in [
        |back: &str| without(back, "state"),
        |back: &str| back.replace("state=", "state=x"),
        |back: &str| format!("{}&state=", without(back, "state")),
    ] {
        let (mut browser, back) = under_way(&home).await;
        is_refused(
            &home,
            &app_with_provider::call_back(&mut browser, &change(&back)).await,
            400,
            "unknown_state",
        );
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let mut thief = browser.clone();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    // The thief has the cookies of before and the address.
    let page = app_with_provider::call_back(&mut thief, &back).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.text(".reference").unwrap().contains("unknown_state"));
    assert_eq!(home.provider.times("/token"), 1);
}

#[tokio::test]
async fn of_twenty_answers_at_once_one_counts() {
    let home = Household::new().await;
    let (browser, back) = under_way(&home).await;
    let all = (0..20).map(|_| {
        let (mut tab, back) = (browser.clone(), back.clone());
        async move { app_with_provider::call_back(&mut tab, &back).await.status }
    });
    let statuses = futures_util::future::join_all(all).await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == StatusCode::SEE_OTHER)
            .count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(home.provider.times("/token"), 1);
}

#[tokio::test]
async fn an_answer_that_took_too_long_is_refused_and_gone() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    home.app.pass(600);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn nobody_fills_the_database_by_coming_back_without_end() {
    let home = Household::new().await;
    for _ in 0..100 {
        let (mut browser, back) = under_way(&home).await;
        app_with_provider::call_back(
            &mut browser,
            &(without(&back, "code") + "&error=access_denied"),
        )
        .await;
    }
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        429,
        "too_many_attempts",
    );
    assert_eq!(
        home.app.count("SELECT count(*) FROM auth_used_token").await,
        100
    );
}

#[tokio::test]
async fn a_refused_answer_uses_the_attempt_up() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let refused = without(&back, "code") + "&error=access_denied";
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &refused).await,
        403,
        "access_denied",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &format!("{back}&code=twice")).await,
        400,
        "malformed_callback",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn a_malformed_answer_uses_the_attempt_up_also_for_who_has_a_copy_of_the_cookie() {
    let home = Household::new().await;
    let (browser, back) = under_way(&home).await;
    let (mut first, mut thief) = (browser.clone(), browser);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut first, &format!("{back}&code=twice")).await,
        400,
        "malformed_callback",
    );
    is_refused(
        &home,
        &app_with_provider::call_back(&mut thief, &back).await,
        400,
        "unknown_state",
    );
}

#[tokio::test]
async fn the_next_try_leads_where_the_first_was_to_lead() {
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let away =
        app_with_provider::set_out_from(&mut browser, "/login?return_to=%2Faccount%3Fx").await;
    let back = home.provider.answer(&away, &ada());
    let page = app_with_provider::call_back(
        &mut browser,
        &(without(&back, "code") + "&error=access_denied&return_to=/evil"),
    )
    .await;
    assert_eq!(
        page.attribute("a.button", "href").as_deref(),
        Some("/login/oidc?return_to=%2Faccount%3Fx")
    );
}

#[tokio::test]
async fn made_up_codes_use_up_the_budget_of_their_network_only() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    for attempt in 0..21 {
        let (mut browser, back) = under_way(&home).await;
        let page =
            app_with_provider::call_back(&mut browser, &(without(&back, "code") + "&code=made-up"))
                .await;
        let code = if attempt < 20 {
            "invalid_grant"
        } else {
            "too_many_attempts"
        };
        assert!(
            page.text(".reference").unwrap().contains(code),
            "{attempt}: {:?}",
            page.text(".reference")
        );
        assert_eq!(page.header("retry-after"), (attempt == 20).then_some("600"));
    }
    assert_eq!(home.provider.times("/token"), 20);
    assert_eq!(
        home.app
            .browser()
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .status,
        StatusCode::TOO_MANY_REQUESTS,
        "one budget"
    );
    assert_eq!(
        home.app
            .browser()
            .at("198.51.100.1")
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn a_provider_in_trouble_uses_up_nobodys_budget() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    for (status, body) in [
        (502, "<html>"),
        (500, r#"{"error":"server_error"}"#),
        (503, r#"{"error":"temporarily_unavailable"}"#),
    ] {
        home.provider.replace("/token", move || {
            axum::response::IntoResponse::into_response((
                StatusCode::from_u16(status).unwrap(),
                body,
            ))
        });
        for _ in 0..25 {
            let (mut browser, back) = under_way(&home).await;
            assert!(
                app_with_provider::call_back(&mut browser, &back)
                    .await
                    .text(".reference")
                    .unwrap()
                    .contains("provider_unreachable"),
                "{status}"
            );
        }
    }
    assert_eq!(
        home.app
            .browser()
            .log_in("eve@example.org", crate::support::PASSWORD)
            .await
            .path,
        "/account"
    );
}

#[tokio::test]
async fn nothing_of_an_attempt_is_logged() {
    let log = crate::support::log::Log::begin();
    let home = Household::new().await;
    let mut browser = home.app.browser();
    let away = app_with_provider::set_out(&mut browser).await;
    let back = home.provider.answer(&away, &ada());
    app_with_provider::call_back(&mut browser, &back).await;
    app_with_provider::call_back(&mut browser, &back).await;
    let (mut other, refused) = under_way(&home).await;
    app_with_provider::call_back(
        &mut other,
        &(without(&refused, "code") + "&code=made-up-code"),
    )
    .await;
    let log = log.text();
    assert!(
        log.contains("logged_in") && log.contains("login_failed"),
        "{log}"
    );
    let url = url::Url::parse(&away).unwrap();
    for (name, secret) in url
        .query_pairs()
        .filter(|(name, _)| ["state", "nonce", "code_challenge"].contains(&name.as_ref()))
    {
        assert!(!log.contains(secret.as_ref()), "{name}: {log}");
    }
    for secret in [
        state_of(&back),
        state_of(&refused),
        back.split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned(),
        "made-up-code".to_owned(),
    ] {
        assert!(!log.contains(&secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_not_found() {
    let home = Household::new().await;
    for action in ["authorize", "callback?code=x&state=y"] {
        let page = home
            .app
            .browser()
            .call(
                Method::GET,
                &format!("/api/v1/auth/cookie/%FF/{action}"),
                &[],
                "",
            )
            .await;
        assert_eq!(
            (page.status, page.body.as_str()),
            (StatusCode::NOT_FOUND, "Not Found")
        );
    }
}

#[tokio::test]
async fn parameters_given_twice_or_contradicting_each_other_are_refused() {
    let home = Household::new().await;
    for extra in [
        "&code=other",
        "&iss=a&iss=b",
        "&error=access_denied",
        "&error=a&error=b",
        "&error_description=a&error_description=b",
    ] {
        let (mut browser, back) = under_way(&home).await;
        is_refused(
            &home,
            &app_with_provider::call_back(&mut browser, &format!("{back}{extra}")).await,
            400,
            "malformed_callback",
        );
    }
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &format!("{back}&state={}", state_of(&back)))
            .await,
        400,
        "malformed_callback",
    );
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &without(&back, "code")).await,
        400,
        "malformed_callback",
    );
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back.replace("code=", "code=%ff")).await,
        400,
        "malformed_callback",
    );
}

#[tokio::test]
async fn what_else_is_in_the_answer_is_not_looked_at() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let forged = format!(
        "{back}&id_token=a.b.c&access_token=x&return_to=//evil.example&next=/evil&session_state=x&session_state=y"
    );
    let answer = app_with_provider::call_back(&mut browser, &forged).await;
    assert_eq!(
        (answer.status, answer.location().as_deref()),
        (StatusCode::SEE_OTHER, Some("/account"))
    );
}

#[tokio::test]
async fn a_link_checker_does_not_use_up_a_login() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    for method in [Method::HEAD, Method::POST, Method::PUT] {
        let answer = browser
            .call(
                method.clone(),
                &back,
                &[("sec-fetch-site", "same-origin")],
                "",
            )
            .await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn reloading_or_going_back_leads_on_and_asks_the_provider_nothing() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    app_with_provider::call_back(&mut browser, &back).await;
    for _ in 0..2 {
        let again = app_with_provider::call_back(&mut browser, &back).await;
        assert_eq!(
            (again.status, again.location().as_deref()),
            (StatusCode::SEE_OTHER, Some("/account"))
        );
    }
    assert_eq!(home.provider.times("/token"), 1);
    // The same while the first request was still under way, so that its cookie is still there.
    let (mut browser, back) = under_way(&home).await;
    let mut second = browser.clone();
    app_with_provider::call_back(&mut browser, &back).await;
    second.set_cookie(COOKIE, browser.cookie(COOKIE).unwrap());
    assert_eq!(
        app_with_provider::call_back(&mut second, &back)
            .await
            .location()
            .as_deref(),
        Some("/account")
    );
}

#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    let home = Household::new().await;
    for issuer in [
        "",
        "https://evil.example",
        &format!("{}/", home.provider.origin()),
        &home.provider.origin().to_uppercase(),
    ] {
        let (mut browser, back) = under_way(&home).await;
        is_refused(
            &home,
            &app_with_provider::call_back(&mut browser, &format!("{back}&iss={issuer}")).await,
            400,
            "issuer_mismatch",
        );
        let (mut browser, back) = under_way(&home).await;
        let declined = format!(
            "{}&error=access_denied&iss={issuer}",
            without(&back, "code")
        );
        is_refused(
            &home,
            &app_with_provider::call_back(&mut browser, &declined).await,
            400,
            "issuer_mismatch",
        );
    }
    let (mut browser, back) = under_way(&home).await;
    let right = format!("{back}&iss={}", home.provider.origin());
    assert_eq!(
        app_with_provider::call_back(&mut browser, &right)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_provider_that_announces_to_name_itself_must_do_it() {
    let home = Household::new().await;
    home.provider.twist("metadata", |metadata| {
        metadata["authorization_response_iss_parameter_supported"] = true.into()
    });
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "issuer_mismatch",
    );
    let (mut browser, back) = under_way(&home).await;
    is_refused(
        &home,
        &app_with_provider::call_back(
            &mut browser,
            &(without(&back, "code") + "&error=access_denied"),
        )
        .await,
        400,
        "issuer_mismatch",
    );
    let (mut browser, back) = under_way(&home).await;
    let right = format!("{back}&iss={}", home.provider.origin());
    assert_eq!(
        app_with_provider::call_back(&mut browser, &right)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn the_providers_words_are_shown_as_text_and_cut_short() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let words = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%0D%0Ainjected+".to_owned() + &"x".repeat(500);
    let path = format!(
        "{}&error=server_error&error_description={words}&error_uri=https%3A%2F%2Fevil.example",
        without(&back, "code")
    );
    let page = app_with_provider::call_back(&mut browser, &path).await;
    is_refused(&home, &page, 400, "provider_error");
    assert!(
        !page.body.contains("<script>alert") && !page.body.contains("evil.example"),
        "{}",
        page.body
    );
    let quoted = page.text("q").unwrap();
    assert!(
        quoted.starts_with("<script>alert(1)</script>") && quoted.chars().count() <= 201,
        "{quoted}"
    );
}

#[tokio::test]
async fn every_error_of_the_protocol_is_a_page_and_never_a_fault_of_ours() {
    let home = Household::new().await;
    for (error, status, code) in [
        ("access_denied", 403, "access_denied"),
        ("login_required", 400, "provider_error"),
        ("interaction_required", 400, "provider_error"),
        ("temporarily_unavailable", 400, "provider_error"),
        ("invalid_scope", 400, "provider_error"),
        ("%00%1b[31m", 400, "provider_error"),
    ] {
        let (mut browser, back) = under_way(&home).await;
        is_refused(
            &home,
            &app_with_provider::call_back(
                &mut browser,
                &format!("{}&error={error}", without(&back, "code")),
            )
            .await,
            status,
            code,
        );
    }
}

#[tokio::test]
async fn an_answer_replaces_the_session_and_links_nothing_to_it() {
    let home = Household::new().await;
    home.app.member("eve@example.org").await;
    let (mut browser, back) = under_way(&home).await;
    browser
        .log_in("eve@example.org", crate::support::PASSWORD)
        .await;
    let eves = browser.cookie(COOKIE).unwrap().to_owned();
    assert_eq!(
        app_with_provider::call_back(&mut browser, &back)
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    assert!(
        browser
            .get("/account")
            .await
            .body
            .contains("ada@example.org"),
        "it is Ada who came back"
    );
    assert_eq!(home.app.count("SELECT count(*) FROM auth_identity i JOIN \"user\" u ON u.id = i.user_id WHERE u.email = 'eve@example.org'").await, 0);
    let mut old = home.app.browser();
    old.set_cookie(COOKIE, &eves);
    assert_eq!(
        old.get("/account").await.path,
        "/login?return_to=%2Faccount",
        "nothing set before a login survives it"
    );
}

#[tokio::test]
async fn a_handshake_of_another_secret_or_purpose_is_worthless() {
    let home = Household::new().await;
    let (mut browser, back) = under_way(&home).await;
    let names: Vec<String> = browser
        .cookie_names()
        .filter(|name| name.starts_with("oidc-attempt-"))
        .map(ToOwned::to_owned)
        .collect();
    let value = browser.cookie(&names[0]).unwrap().to_owned();
    // Under the name of another attempt, damaged, and as what is to be connected.
    let mut other = home.app.browser();
    other.set_cookie("oidc-attempt-0123456789abcdef", &value);
    other.set_cookie("pending-link", &value);
    is_refused(
        &home,
        &app_with_provider::call_back(&mut other, &back).await,
        400,
        "unknown_state",
    );
    assert_eq!(other.get("/login/connect").await.status, StatusCode::GONE);
    browser.set_cookie(&names[0], &value.replace(|c: char| c.is_ascii_digit(), "A"));
    is_refused(
        &home,
        &app_with_provider::call_back(&mut browser, &back).await,
        400,
        "unknown_state",
    );
}
