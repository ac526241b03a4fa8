//! Every kind of change on a full disk, of SQLite and of PostgreSQL: it is refused with a message to
//! try again, works once there is room, and after a kill everything is as it was answered (SR-190,
//! SR-191).

use axum::http::StatusCode;

use crate::{
    process::Home,
    support::{App, Browser, Page, SMTP, TOKEN_SECRET, TestProvider, database::TestDatabase},
};

mod changes;
mod disk;

use changes::{Change, Request};
use disk::{Disk, Server};

const CONFIGURATION: &str =
    "auth.email_password_resets = true\n[policy.throttle]\nenabled = false\n";

/// The program that the changes are sent to, and one without a full disk that prepares and reads.
struct House {
    app: App,
    provider: TestProvider,
    home: Home,
}

impl House {
    async fn new() -> Self {
        let provider = TestProvider::start().await;
        let settings = format!("{CONFIGURATION}{SMTP}{}", provider.settings());
        let app = App::on(TestDatabase::new().await, &settings).await;
        // The mails of the tests are those that `app` sends.
        let home = Home::new(&format!(
            "auth.token_secret = '{TOKEN_SECRET}'\nauth.admin_emails = []\n\
             server.port = 0\nserver.database_url = '{}'\n{}",
            app.database.url,
            settings.replace(
                "smtp_host = '",
                "smtp_port = 1\nuse_tls = false\nsmtp_host = '127.0.0.1' # '"
            )
        ));
        Self {
            app,
            provider,
            home,
        }
    }

    async fn has_happened(&self, change: &Change) -> bool {
        self.app.count(&change.check).await == 1
    }
}

async fn send(change: &mut Change, server: &Server) -> Page {
    let mut browser: Browser = change.browser.clone().on(server.router());
    let page = match &change.request {
        Request::Submit {
            page,
            button,
            typed,
        } => browser.submit_only(page, button, typed).await,
        Request::Get(path) => browser.call(axum::http::Method::GET, path, &[], "").await,
        Request::Api { method, path, body } => {
            let headers = [("content-type", "application/json")];
            browser.call(method.clone(), path, &headers, body).await
        }
    };
    change.browser = browser;
    page
}

#[tokio::test]
async fn every_kind_of_change_on_a_full_disk_is_refused_and_holds_once_it_is_acknowledged() {
    let house = House::new().await;
    let mut refused = changes::all(&house, "full").await;
    let mut acknowledged = changes::all(&house, "room").await;
    for change in refused.iter().chain(&acknowledged) {
        assert!(!house.has_happened(change).await, "{}", change.name);
    }
    let Some(disk) = Disk::new(&house.app).await else {
        eprintln!("skipped: the files of the database server cannot be limited");
        return;
    };
    let server = Server::start(&house.home);

    disk.fill(&server);
    let mut wrong = Vec::new();
    for change in &mut refused {
        let answer = send(change, &server).await;
        let is_refused = answer.status == StatusCode::SERVICE_UNAVAILABLE
            && answer.header("retry-after").is_some()
            && !answer
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|cookie| cookie.as_bytes().starts_with(b"fastapiusersauth=e"));
        if !is_refused || house.has_happened(change).await {
            wrong.push(format!("{}: {}", change.name, answer.status));
        }
    }
    disk.make_room(&server);
    assert!(wrong.is_empty(), "on a full disk: {wrong:?}");

    for change in &mut acknowledged {
        let answer = send(change, &server).await;
        assert!(
            answer.status.is_success() || answer.status.is_redirection(),
            "{} with room again: {} {}",
            change.name,
            answer.status,
            answer.body
        );
    }
    server.kill();
    let server = Server::start(&house.home);
    for change in &acknowledged {
        assert!(
            house.has_happened(change).await,
            "{} was acknowledged",
            change.name
        );
    }
    for change in &refused {
        assert!(
            !house.has_happened(change).await,
            "{} was refused",
            change.name
        );
    }

    // What was refused is not used up: the same form or link works now. An answer of the provider is
    // good for one attempt, whatever its result.
    refused.retain(|change| !matches!(change.request, Request::Get(_)));
    for change in &mut refused {
        let answer = send(change, &server).await;
        assert!(
            answer.status.is_success() || answer.status.is_redirection(),
            "{} once more: {} {}",
            change.name,
            answer.status,
            answer.body
        );
    }
    server.kill();
    for change in &refused {
        assert!(
            house.has_happened(change).await,
            "{} was acknowledged in the end",
            change.name
        );
    }
}
