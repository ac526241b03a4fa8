use axum::http::{Method, StatusCode};

use super::{Account, App, Browser, Page, TestProvider};

/// The program and its provider.
pub struct Household {
    pub app: App,
    pub provider: TestProvider,
}

impl Household {
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// With these lines of configuration beside the provider's.
    pub async fn with(toml: &str) -> Self {
        let provider = TestProvider::start().await;
        let app = App::with(&format!("{toml}\n{}", provider.settings())).await;
        Self { app, provider }
    }

    /// The whole login: from the login page to the provider and back, until the redirects end.
    pub async fn log_in(&self, browser: &mut Browser, account: &Account) -> Page {
        let back = self.provider.answer(&set_out(browser).await, account);
        browser.get(&back).await
    }

    /// Links an identity to the account that is logged in, from its page until the redirects end.
    pub async fn link(&self, browser: &mut Browser, account: &Account) -> Page {
        let page = browser.get("/account/connect").await;
        browser.submit(&page, "Go to Über ID 100%", &[]).await;
        let away = browser
            .call(Method::GET, "/account/connect/start", &[], "")
            .await;
        let back = self.provider.answer(&away.location().unwrap(), account);
        browser.get(&back).await
    }

    /// The same as [`log_in`](Self::log_in) in a new browser; returns the response of the callback itself.
    pub async fn come_back(&self, account: &Account) -> Page {
        let mut browser = self.app.browser();
        let back = self.provider.answer(&set_out(&mut browser).await, account);
        call_back(&mut browser, &back).await
    }
}

/// Presses the provider's button; returns the authorization URL.
pub async fn set_out(browser: &mut Browser) -> String {
    set_out_from(browser, "/login").await
}

pub async fn set_out_from(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(path).await;
    let link = page
        .attribute("a.button", "href")
        .unwrap_or_else(|| panic!("no way to the provider: {}", page.body));
    let answer = browser.call(Method::GET, &link, &[], "").await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
    answer.location().unwrap()
}

/// Requests the callback without following its redirect.
pub async fn call_back(browser: &mut Browser, back: &str) -> Page {
    browser.call(Method::GET, back, &[], "").await
}
