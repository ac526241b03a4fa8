//! Parameters of the callback: duplicates, `iss`, and error responses of the provider.

use axum::http::{Method, StatusCode};

use super::{is_refused, state_of, under_way, without};
use crate::support::{Household, app_with_provider};

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
