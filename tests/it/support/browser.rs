use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use mediamanager_auth::app::paths;
use scraper::{ElementRef, Html, Selector};
use tower::ServiceExt;

/// A browser without script: it keeps cookies, follows redirects, and submits the forms of the
/// pages.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
    pub address: SocketAddr,
    origin: String,
    /// The `account` field of forms, and the cookie of the session it was rendered for.
    account_field: Option<(String, String)>,
}

/// The session cookie, and the field of every form that requires a session.
const SESSION: &str = "fastapiusersauth";
const ACCOUNT_FIELD: &str = "account";

/// Whether a form of this path requires a session.
pub fn needs_login(path: &str) -> bool {
    let page = paths::find(path.split('?').next().unwrap());
    page.is_some_and(|page| {
        !matches!(
            page.access,
            paths::Access::Public | paths::Access::SignedOutOnly
        )
    })
}

/// A response.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    /// Path and query after all redirects.
    pub path: String,
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: BTreeMap::new(),
            address: "203.0.113.7:40000".parse().unwrap(),
            origin: "http://localhost:8000".to_owned(),
            account_field: None,
        }
    }

    /// The same browser at another client IP address.
    pub fn at(mut self, address: &str) -> Self {
        self.address = format!("{address}:40000").parse().unwrap();
        self
    }

    /// The same browser, with its cookies, at another instance.
    pub fn on(self, router: Router) -> Self {
        Self { router, ..self }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub fn cookie_names(&self) -> impl Iterator<Item = &str> {
        self.cookies.keys().map(String::as_str)
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let page = self
            .send(self.request(Method::GET, path).body(Body::empty()).unwrap())
            .await;
        self.follow(page).await
    }

    /// Fills in and submits the page's form whose button has this label.
    pub async fn submit(&mut self, page: &Page, button: &str, typed: &[(&str, &str)]) -> Page {
        let answer = self.submit_only(page, button, typed).await;
        self.follow(answer).await
    }

    /// The same, without following a redirect.
    pub async fn submit_only(&mut self, page: &Page, button: &str, typed: &[(&str, &str)]) -> Page {
        let (action, fields) = page.form(button, typed);
        self.post_exactly(
            &action,
            &fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect::<Vec<_>>(),
        )
        .await
    }

    /// Posts a form as a page would, without following a redirect: with the `account` field if
    /// there is a session.
    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let field = self.account_field(path).await;
        let fields: Vec<_> = fields
            .iter()
            .copied()
            .chain(field.as_deref().map(|value| (ACCOUNT_FIELD, value)))
            .collect();
        self.post_exactly(path, &fields).await
    }

    /// The `account` field for this session if the path requires it, from a page that was opened
    /// before or is opened now.
    pub async fn account_field(&mut self, path: &str) -> Option<String> {
        if !needs_login(path) {
            return None;
        }
        for page in ["/account/log-in-again", "/account/password"] {
            let session = self.cookie(SESSION)?;
            if let Some((known, field)) = &self.account_field
                && known == session
            {
                return Some(field.clone());
            }
            self.get(page).await;
        }
        let session = self.cookie(SESSION)?;
        self.account_field
            .as_ref()
            .filter(|(known, _)| known == session)
            .map(|(_, field)| field.clone())
    }

    /// Posts exactly these fields.
    pub async fn post_exactly(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(
            request
                .header("sec-fetch-site", "same-origin")
                .header(header::ORIGIN, &self.origin)
                .body(Body::from(body))
                .unwrap(),
        )
        .await
    }

    /// Sends a script's request with these headers and this body, without following a redirect.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let mut request = self.request(method, path);
        for (name, _) in headers {
            // Replaces the browser's own header: of two, the program would read the first.
            request.headers_mut().unwrap().remove(*name);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// Logs in through the login page.
    pub async fn log_in(&mut self, email: &str, password: &str) -> Page {
        let page = self.get("/login").await;
        self.submit(&page, "Log in", &[("email", email), ("password", password)])
            .await
    }

    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html,*/*;q=0.8")
            .header(header::HOST, "localhost:8000");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request
    }

    /// Sends any request from this browser's address and keeps the cookies of the response.
    pub async fn send(&mut self, mut request: Request<Body>) -> Page {
        request.extensions_mut().insert(ConnectInfo(self.address));
        let path = request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let asked_with = self.cookie(SESSION).map(ToOwned::to_owned);
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let body = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
        let page = Page {
            status: parts.status,
            headers: parts.headers,
            body,
            path,
        };
        if let Some((session, field)) = asked_with.zip(page.field(ACCOUNT_FIELD)) {
            self.account_field = Some((session, field));
        }
        page
    }

    async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..5 {
            let Some(target) = page.location().filter(|_| page.status.is_redirection()) else {
                return page;
            };
            page = self
                .send(
                    self.request(Method::GET, &target)
                        .body(Body::empty())
                        .unwrap(),
                )
                .await;
        }
        panic!("more than five redirects, the last to {}", page.path);
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Page {
    pub fn location(&self) -> Option<String> {
        self.header("location").map(ToOwned::to_owned)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|err| panic!("not JSON ({err}): {}", self.body))
    }

    /// The text of the first matching element, with its whitespace collapsed.
    pub fn text(&self, selector: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        html.select(&Selector::parse(selector).unwrap())
            .next()
            .map(text_of)
    }

    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        html.select(&Selector::parse(selector).unwrap())
            .next()
            .and_then(|element| element.attr(name).map(ToOwned::to_owned))
    }

    /// The value of the first field of this name.
    fn field(&self, name: &str) -> Option<String> {
        if self.body.contains(&format!("name=\"{name}\"")) {
            self.attribute(&format!("input[name={name}]"), "value")
        } else {
            None
        }
    }

    pub fn heading(&self) -> String {
        self.text("h1")
            .unwrap_or_else(|| panic!("no heading: {} {}", self.status, self.body))
    }

    /// The action of the form with this button, and its fields as a browser would send them.
    fn form(&self, button: &str, typed: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let html = Html::parse_document(&self.body);
        let (forms, buttons, inputs) = (
            Selector::parse("form").unwrap(),
            Selector::parse("button[type=submit]").unwrap(),
            Selector::parse("input").unwrap(),
        );
        let form = html.select(&forms).find(|form| {
            form.select(&buttons)
                .any(|element| text_of(element) == button)
        });
        let form =
            form.unwrap_or_else(|| panic!("no form with the button {button:?}: {}", self.body));
        assert_eq!(form.attr("method"), Some("post"));
        let mut fields = Vec::new();
        for input in form.select(&inputs) {
            let name = input.attr("name").expect("an input without a name");
            let value = typed
                .iter()
                .find(|(typed, _)| *typed == name)
                .map_or(input.attr("value").unwrap_or_default(), |(_, value)| value);
            fields.push((name.to_owned(), value.to_owned()));
        }
        for (name, _) in typed {
            assert!(
                fields.iter().any(|(field, _)| field == name),
                "the form has no field {name:?}"
            );
        }
        (form.attr("action").unwrap().to_owned(), fields)
    }
}

fn text_of(element: ElementRef) -> String {
    element
        .text()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
