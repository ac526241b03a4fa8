//! A commit that the database rejects. The transaction did not happen, so neither the log nor the
//! metrics may report it.

use axum::http::StatusCode;
use mediamanager_auth::{
    domain::AuditEvent,
    server::flows::{Ctx, events::EventDetails},
};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::ADA;
use crate::support::{App, PASSWORD, log::Log};

const OTHER_PASSWORD: &str = "copper lantern meadow 4";
type Fields = &'static [(&'static str, &'static str)];
/// Each request, and the event it records.
const REQUESTS: [(&str, Fields, &str); 3] = [
    (
        "/login",
        &[("email", ADA), ("password", PASSWORD)],
        "logged_in",
    ),
    (
        "/account/password",
        &[("password", OTHER_PASSWORD)],
        "password_changed",
    ),
    ("/logout", &[], "logged_out"),
];

/// Makes every transaction that records an event fail at its commit, because a deferred foreign key
/// is checked only there.
async fn let_commits_fail(app: &App) {
    app.sql("CREATE TABLE parent (name TEXT PRIMARY KEY)").await;
    app.sql("CREATE TABLE child (name TEXT REFERENCES parent(name) DEFERRABLE INITIALLY DEFERRED)")
        .await;
    if app.database.is_postgres() {
        app.sql("CREATE FUNCTION orphan() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO child VALUES ('orphan'); RETURN NULL; END $$").await;
        app.sql("CREATE TRIGGER orphan AFTER INSERT ON auth_event FOR EACH ROW EXECUTE FUNCTION orphan()").await;
    } else {
        app.sql("CREATE TRIGGER orphan AFTER INSERT ON auth_event BEGIN INSERT INTO child VALUES ('orphan'); END").await;
    }
}

async fn let_commits_succeed(app: &App) {
    app.sql(if app.database.is_postgres() {
        "DROP TRIGGER orphan ON auth_event"
    } else {
        "DROP TRIGGER orphan"
    })
    .await;
}

#[tokio::test]
async fn what_a_failed_commit_has_undone_is_neither_logged_nor_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let log = Log::begin();
    let app = App::new().await;
    app.member(ADA).await;
    let mut ada = app.browser();
    ada.log_in(ADA, PASSWORD).await;
    let counted = |event: &str, number: u32| {
        recorder.handle().render().contains(&format!(
            "mediamanager_auth_events_total{{event=\"{event}\"}} {number}\n"
        ))
    };
    let logged = |event: &str| {
        log.text()
            .matches(&format!("\"event\":\"{event}\""))
            .count()
    };
    assert!(counted("logged_in", 1) && logged("logged_in") == 1);

    let_commits_fail(&app).await;
    for (path, fields, event) in REQUESTS {
        let number = logged(event);
        let page = ada.clone().post_form(path, fields).await;
        assert_eq!(
            (page.status, page.header("set-cookie")),
            (StatusCode::SERVICE_UNAVAILABLE, None),
            "{path}"
        );
        assert_eq!(logged(event), number, "{path}: the log says {event}");
        assert!(
            !counted(event, u32::try_from(number).unwrap() + 1),
            "{path}: {event} is counted"
        );
    }
    assert_eq!(
        app.count("SELECT count(*) FROM auth_session WHERE ended_at IS NULL")
            .await,
        1
    );

    let_commits_succeed(&app).await;
    for (path, fields, event) in REQUESTS {
        let number = logged(event);
        let page = ada.clone().post_form(path, fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}: {}", page.body);
        assert_eq!(logged(event), number + 1, "{path}");
        assert!(counted(event, u32::try_from(number).unwrap() + 1), "{path}");
        // The login revokes the session whose cookie came with it.
        app.sql("UPDATE auth_session SET ended_at = NULL").await;
    }
}

#[tokio::test]
async fn what_a_dropped_transaction_has_recorded_is_not_logged() {
    let log = Log::begin();
    let app = App::new().await;
    let mut tx = Ctx::cli(&app.state).transaction().await.unwrap();
    tx.record(AuditEvent::UserDeleted, EventDetails::new())
        .await
        .unwrap();
    drop(tx);
    assert_eq!(app.count("SELECT count(*) FROM auth_event").await, 0);
    assert!(!log.text().contains("user_deleted"), "{}", log.text());
}
