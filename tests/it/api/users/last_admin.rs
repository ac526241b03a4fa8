//! The last administrator cannot be removed.

use axum::http::StatusCode;
use serde_json::json;

use super::{delete, household, logged_in, patch, path_of};

#[tokio::test]
async fn the_last_administrator_stays() {
    let (app, mut ada, user, bob) = household("").await;
    let own = path_of(&user);
    for body in [
        json!({ "is_superuser": false }),
        json!({ "is_active": false }),
        json!({ "is_superuser": false, "is_verified": true }),
    ] {
        let page = patch(&mut ada, &own, body.clone()).await;
        assert_eq!(
            (page.status, &page.json()["detail"]),
            (StatusCode::CONFLICT, &json!("LAST_ADMINISTRATOR")),
            "{body}"
        );
    }
    assert_eq!(delete(&mut ada, &own).await.status, StatusCode::CONFLICT);
    patch(
        &mut ada,
        &path_of(&bob),
        json!({ "is_superuser": true, "is_active": false }),
    )
    .await;
    assert_eq!(
        delete(&mut ada, &own).await.status,
        StatusCode::CONFLICT,
        "a disabled one is none"
    );
    patch(&mut ada, &path_of(&bob), json!({ "is_active": true })).await;
    assert_eq!(delete(&mut ada, &own).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_superuser")
            .await,
        1
    );
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    let (app, ada, user, bob) = household("").await;
    for round in 0..4 {
        app.sql("UPDATE \"user\" SET is_superuser = true, is_active = true")
            .await;
        let his = logged_in(&app, "bob@example.org").await;
        let (mut ada, mut his) = (ada.clone(), his);
        let (hers, theirs) = (path_of(&user), path_of(&bob));
        let body = if round % 2 == 0 {
            json!({ "is_superuser": false })
        } else {
            json!({ "is_active": false })
        };
        let (one, other) = futures_util::future::join(
            patch(&mut ada, &theirs, body.clone()),
            patch(&mut his, &hers, body),
        )
        .await;
        let statuses = [one.status, other.status];
        assert!(statuses.contains(&StatusCode::OK), "{statuses:?}");
        assert_eq!(
            app.count("SELECT count(*) FROM \"user\" WHERE is_superuser AND is_active")
                .await,
            1,
            "{statuses:?}"
        );
        app.sql("UPDATE auth_session SET ended_at = NULL").await;
    }
}
