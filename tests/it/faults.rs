//! Faults: a database that is unreachable, slow, locked, read-only or full; an unreachable mail
//! server; clock steps; shutdown and kill. Failed requests are answered within five seconds, no
//! change is applied in part, and everything works again when the fault is over (SR-190 to SR-195).

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::support::{App, Browser, PASSWORD, Page, database::TestDatabase};

mod clients;
mod clock;
mod commit;
mod connection;
mod killed;
mod mail;
mod proxy;
mod stop;
mod writing;

/// SR-190.
const SOON: Duration = Duration::from_secs(5);
/// How long the tests wait for an expected event; only a failure takes that long.
const AT_LAST: Duration = Duration::from_secs(30);
const ADA: &str = "ada@example.org";
const NEW: &str = "new@example.org";
/// Tables and rows that no failed request may have changed.
const ROWS: [&str; 4] = [
    "\"user\"",
    "auth_user_account",
    "auth_session",
    "auth_session WHERE ended_at IS NULL",
];

/// A pending response, and its duration.
type Answer = BoxFuture<'static, (Page, Duration)>;

/// The program with a database that has, or will have, a fault, and a signed-in user.
struct Siege {
    app: App,
    ada: Browser,
    /// A connection to the database that the fault does not affect.
    side_door: DatabaseConnection,
}

impl Siege {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let url = database.url.clone();
        Self::on(database, &url).await
    }

    /// Starts the program with this database URL.
    async fn on(database: TestDatabase, url: &str) -> Self {
        let direct = database.url.clone();
        let app = App::on(database.at(url), "[policy.throttle]\nenabled = false").await;
        let side_door =
            Database::connect(ConnectOptions::new(direct).max_connections(4).to_owned())
                .await
                .unwrap();
        app.member(ADA).await;
        let mut ada = app.browser();
        ada.log_in(ADA, PASSWORD).await;
        assert!(ada.cookie("fastapiusersauth").is_some());
        // Longer than the session cache keeps an entry.
        app.pass(1);
        Self {
            app,
            ada,
            side_door,
        }
    }

    async fn count(&self, of: &str) -> i64 {
        let statement = Statement::from_string(
            self.side_door.get_database_backend(),
            format!("SELECT count(*) FROM {of}"),
        );
        self.side_door
            .query_one_raw(statement)
            .await
            .unwrap()
            .unwrap()
            .try_get_by_index(0)
            .unwrap()
    }

    async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for of in ROWS {
            rows.push(self.count(of).await);
        }
        rows
    }

    fn log_in(&self) -> Answer {
        send(self.app.browser(), |mut browser| {
            async move {
                browser
                    .post_form("/login", &[("email", ADA), ("password", PASSWORD)])
                    .await
            }
            .boxed()
        })
    }

    fn register(&self) -> Answer {
        let new = json!({ "email": NEW, "password": PASSWORD }).to_string();
        let headers = [("content-type", "application/json")];
        send(self.app.browser(), move |mut browser| {
            async move {
                browser
                    .call(Method::POST, "/api/v1/auth/register", &headers, &new)
                    .await
            }
            .boxed()
        })
    }

    fn log_out(&self) -> Answer {
        send(self.ada.clone(), |mut browser| {
            async move { browser.post_form("/logout", &[]).await }.boxed()
        })
    }

    /// Writing requests: the forms of the pages, and the API as MediaManager calls it.
    fn writers(&self) -> Vec<Answer> {
        let form = [("username", ADA), ("password", PASSWORD)];
        let api_log_in = move |mut browser: Browser| {
            async move { browser.post_form("/api/v1/auth/cookie/login", &form).await }.boxed()
        };
        let sign_up = |mut browser: Browser| {
            async move {
                browser
                    .post_form("/login/signup", &[("email", NEW), ("password", PASSWORD)])
                    .await
            }
            .boxed()
        };
        let api_log_out = |mut browser: Browser| {
            async move { browser.post_form("/api/v1/auth/jwt/logout", &[]).await }.boxed()
        };
        let (stranger, ada) = (self.app.browser(), self.ada.clone());
        vec![
            self.log_in(),
            send(stranger.clone(), api_log_in),
            self.register(),
            send(stranger, sign_up),
            self.log_out(),
            send(ada, api_log_out),
        ]
    }

    /// Reading requests: the user's own pages, and the session check of other services.
    fn readers(&self) -> Vec<Answer> {
        ["/api/v1/users/me", "/account"]
            .map(|path| {
                send(self.ada.clone(), move |mut browser| {
                    async move { browser.get(path).await }.boxed()
                })
            })
            .into()
    }

    /// All of these are answered in time with a message to try again, and change no session.
    async fn refuses(&self, requests: Vec<Answer>) {
        for (page, took) in join_all(requests).await {
            assert_eq!(
                (page.status, page.header("set-cookie")),
                (StatusCode::SERVICE_UNAVAILABLE, None),
                "{} after {took:?}: {}",
                page.path,
                page.body
            );
            assert!(
                page.header("retry-after").is_some() && !page.body.is_empty(),
                "{}",
                page.path
            );
            assert!(took < SOON, "{} took {took:?}", page.path);
        }
    }

    /// Responses that need no database do not wait for the database.
    async fn lives(&self) {
        for path in [
            "/login",
            "/livez",
            "/login/signup",
            "/login/forgot-password",
        ] {
            let begun = Instant::now();
            let page = self.app.browser().get(path).await;
            assert!(
                page.status == StatusCode::OK && begun.elapsed() < Duration::from_secs(3),
                "{path}: {} after {:?}",
                page.status,
                begun.elapsed()
            );
        }
    }

    async fn is_ready(&self) -> bool {
        let begun = Instant::now();
        let page = self.app.browser().get("/readyz").await;
        assert!(begun.elapsed() < SOON, "took {:?}", begun.elapsed());
        page.status == StatusCode::OK
    }

    /// The same process recovers without a restart, and Ada is still logged in.
    async fn recovers(&self) {
        eventually(async || self.is_ready().await).await;
        eventually(async || {
            self.app.browser().log_in(ADA, PASSWORD).await.status == StatusCode::OK
        })
        .await;
        let me = async || self.ada.clone().get("/api/v1/users/me").await.status;
        eventually(async || {
            let status = me().await;
            assert!(
                [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&status),
                "{status}"
            );
            status == StatusCode::OK
        })
        .await;
        eventually(async || self.register().await.0.status == StatusCode::CREATED).await;
        eventually(async || self.log_out().await.0.status == StatusCode::SEE_OTHER).await;
        assert_eq!(
            self.ada.clone().get("/api/v1/users/me").await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            (
                self.count("\"user\"").await,
                self.count("auth_user_account").await
            ),
            (2, 2)
        );
    }
}

/// Builds the request, which is sent when the answer is first polled.
fn send(
    browser: Browser,
    request: impl FnOnce(Browser) -> BoxFuture<'static, Page> + Send + 'static,
) -> Answer {
    async move {
        let begun = Instant::now();
        (request(browser).await, begun.elapsed())
    }
    .boxed()
}

/// Polls until the result is true.
async fn eventually(is_so: impl AsyncFn() -> bool) {
    let until = async {
        while !is_so().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(AT_LAST, until)
        .await
        .expect("it never came to that");
}
