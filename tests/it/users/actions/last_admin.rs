//! The last administrator cannot be removed.

use axum::http::StatusCode;

use crate::users::post;
use crate::{
    support::App,
    users::{act, household, is_in, logged_in},
};

async fn administrators(app: &App) -> i64 {
    app.count("SELECT count(*) FROM \"user\" WHERE is_superuser AND is_active")
        .await
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (app, mut ada, user, bob) = household("").await;
    act(&mut ada, &bob, "Make administrator").await;
    act(&mut ada, &bob, "Disable").await;
    let events = app.count("SELECT count(*) FROM auth_event").await;
    for verb in ["Make member", "Disable", "Delete"] {
        let page = act(&mut ada, &user, verb).await;
        assert_eq!(
            (page.status, page.heading()),
            (StatusCode::CONFLICT, format!("{verb}?")),
            "a disabled one is none"
        );
        assert!(
            page.text("[role=alert]")
                .unwrap()
                .starts_with("This is the last active administrator."),
            "{verb}"
        );
    }
    assert_eq!((administrators(&app).await, is_in(&ada).await), (1, true));
    assert_eq!(
        app.count("SELECT count(*) FROM auth_event").await,
        events,
        "what did not happen is not written down"
    );
    act(&mut ada, &bob, "Enable").await;
    let page = act(&mut ada, &user, "Make member").await;
    assert_eq!(
        (page.status, administrators(&app).await),
        (StatusCode::FORBIDDEN, 1),
        "she may not see the page any more"
    );
}

#[tokio::test]
async fn two_administrators_who_turn_on_each_other_at_once_leave_one() {
    let (app, mut ada, user, bob) = household("").await;
    act(&mut ada, &bob, "Make administrator").await;
    for action in ["make-member", "disable", "delete"] {
        let his = logged_in(&app, "bob@example.org").await;
        let hers = logged_in(&app, "ada@example.org").await;
        let (mut ada, mut his) = (hers, his);
        let (one, other) =
            futures_util::future::join(post(&mut ada, &bob, action), post(&mut his, &user, action))
                .await;
        let statuses = [one.status, other.status];
        assert!(
            statuses.contains(&StatusCode::SEE_OTHER)
                && statuses.iter().all(|status| status.as_u16() < 500),
            "{action}: {statuses:?}"
        );
        assert_eq!(administrators(&app).await, 1, "{action}: {statuses:?}");
        app.sql("UPDATE \"user\" SET is_superuser = true, is_active = true")
            .await;
    }
}
