//! Deleting a user.

use axum::http::StatusCode;

use super::{ME, delete, household, logged_in, path_of};

#[tokio::test]
async fn deleting_takes_sessions_links_and_the_providers_account_with_it() {
    let (app, mut ada, _, bob) = household("").await;
    let mut his = logged_in(&app, "bob@example.org").await;
    let (id, account) = (bob.id, "0b0b0b0b-0000-4000-8000-000000000000");
    let (id, account) = if app.database.is_postgres() {
        (format!("'{id}'"), format!("'{account}'"))
    } else {
        (
            format!("x'{}'", id.simple()),
            format!("x'{}'", account.replace('-', "")),
        )
    };
    app.sql(&format!(
        "INSERT INTO oauth_account (id, user_id, oauth_name, access_token, account_id, account_email) VALUES ({account}, {id}, 'OpenID', 't', 's', 'e')"
    ))
    .await;
    let page = delete(&mut ada, &path_of(&bob)).await;
    assert_eq!(
        (page.status, page.body.as_str()),
        (StatusCode::NO_CONTENT, ""),
        "the original says 409 here"
    );
    assert_eq!(his.get(ME).await.status, StatusCode::UNAUTHORIZED);
    for table in [
        "oauth_account",
        "auth_session WHERE user_id NOT IN (SELECT id FROM \"user\")",
        "auth_user_account WHERE user_id NOT IN (SELECT id FROM \"user\")",
    ] {
        assert_eq!(
            app.count(&format!("SELECT count(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
    app.member("bob@example.org").await;
    assert_eq!(
        his.get(ME).await.status,
        StatusCode::UNAUTHORIZED,
        "a later account with the address inherits nothing"
    );
}
