//! Events of logins with the OpenID provider.

use axum::http::Method;
use mediamanager_auth::{
    domain::AuditEvent,
    server::db::{self, events::AuditFilter},
};

use super::{id_of, is_written};
use crate::{
    events::{find, logged_in},
    support::{Account, Household, PASSWORD},
};

#[tokio::test]
async fn everything_that_happens_with_the_provider_leaves_one_row() {
    let home = Household::new().await;
    let app = &home.app;
    let ada = Account::confirmed("ada@example.org");
    let page = home.come_back(&ada).await;
    let id = Some(id_of(app, "ada@example.org").await);
    let first = [
        ("user_created", id, None, "provider", "member"),
        ("identity_linked", id, None, "oidc", ""),
        ("logged_in", id, None, "oidc", ""),
    ];
    is_written(app, &page, &first).await;
    let page = home
        .come_back(&Account {
            email: "ada@new.example".into(),
            ..ada.clone()
        })
        .await;
    is_written(
        app,
        &page,
        &[
            ("email_synced", id, None, "oidc", ""),
            ("logged_in", id, None, "oidc", ""),
        ],
    )
    .await;

    app.member("eve@example.org").await;
    let eve_id = id_of(app, "eve@example.org").await;
    let eves = Some(eve_id);
    let mut eve = logged_in(app, "eve@example.org").await;
    eve.post_form("/account/connect", &[]).await;
    let away = eve
        .call(Method::GET, "/account/connect/start", &[], "")
        .await
        .location()
        .unwrap();
    let there = Account::confirmed("eve@elsewhere.example");
    let page = eve
        .call(Method::GET, &home.provider.answer(&away, &there), &[], "")
        .await;
    is_written(app, &page, &[("identity_linked", eves, None, "", "")]).await;
    let identity = db::identities::list_for_user(&app.state.db, eve_id)
        .await
        .unwrap()[0]
        .id
        .to_string();
    let page = eve
        .post_form(
            &format!("/account/disconnect?identity={identity}"),
            &[("identity", &identity)],
        )
        .await;
    is_written(app, &page, &[("identity_unlinked", eves, None, "", "")]).await;
    let mut browser = app.browser();
    let page = home
        .log_in(
            &mut browser,
            &Account {
                subject: "x".into(),
                ..Account::unconfirmed("eve@example.org")
            },
        )
        .await;
    let asked = find(
        app,
        AuditFilter {
            kind: Some(AuditEvent::LinkConfirmationRequired),
            user: eves,
            ..AuditFilter::default()
        },
    )
    .await;
    assert_eq!(asked.len(), 1);
    let page = browser
        .submit_only(&page, "Connect and log in", &[("password", PASSWORD)])
        .await;
    is_written(
        app,
        &page,
        &[
            ("identity_linked", eves, None, "password", ""),
            ("logged_in", eves, None, "oidc", ""),
        ],
    )
    .await;
}
