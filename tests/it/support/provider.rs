//! An OpenID provider that is correct until a test changes one property. It listens on loopback,
//! checks what a strict provider checks (client, redirect URI, PKCE, single use of a code), and
//! records every request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_server::tls_rustls::RustlsConfig;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::StreamExt;
use mediamanager_auth::server::crypto::random;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;
use url::Url;

use crate::support::keys::{self, Key};

mod endpoints;
mod logout;

pub use logout::LogoutStyle;

use endpoints::{authorize, jwks, metadata, token, userinfo};

pub const CLIENT_ID: &str = "media manager/ä";
pub const CLIENT_SECRET: &str = "p@ss:word +% secret of the client";

/// Path prefix of the correct response while [`Knobs::moved`] is set.
pub const MOVED: &str = "/moved";

type Twist = Box<dyn Fn(&mut Value) + Send>;
type Replacement = Box<dyn Fn() -> Response + Send>;

/// Deviations of the provider from a correct one.
#[derive(Default)]
pub struct Knobs {
    twists: BTreeMap<&'static str, Twist>,
    replacements: BTreeMap<String, Replacement>,
    /// A path that never responds.
    pub hangs: Option<&'static str>,
    /// The key that signs; the others are published beside it.
    pub key: Key,
    /// Writes the header, or the claims, as JSON that no library would write.
    pub header: Option<fn(Value) -> String>,
    pub payload: Option<fn(Value) -> Vec<u8>>,
    /// Changes the finished token, or the text of the token or userinfo response.
    pub spoil: Option<fn(String) -> String>,
    pub spoil_answer: Option<fn(String) -> String>,
    pub spoil_userinfo: Option<fn(String) -> String>,
    /// A path that redirects, with this status, to the correct response.
    pub moved: Option<(&'static str, StatusCode)>,
    /// Whether userinfo responds with `application/jwt`.
    pub signs_userinfo: bool,
    /// How `/logout` behaves.
    pub logout: LogoutStyle,
    /// Reads the credentials of `client_secret_basic` without the encoding of RFC 6749 §2.3.1, as
    /// Authentik and Rauthy do.
    pub reads_basic_literally: bool,
    /// Compresses every response unless the request says `Accept-Encoding: identity`, as some
    /// reverse proxies do.
    pub compresses: bool,
    /// A path whose response arrives one byte at a time, one per second.
    pub drips: Option<&'static str>,
}

/// A user's account at the provider.
#[derive(Clone)]
pub struct Account {
    pub subject: String,
    pub email: Value,
    pub email_verified: Value,
}

struct Grant {
    account: Account,
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct Inner {
    origin: String,
    knobs: Mutex<Knobs>,
    grants: Mutex<BTreeMap<String, Grant>>,
    asked: Mutex<Vec<String>>,
    /// The ID tokens that the token endpoint has issued.
    issued: Mutex<Vec<String>>,
    /// The forms that were sent to the token endpoint.
    redeemed: Mutex<Vec<String>>,
    /// The number of sessions that `/logout` has ended.
    ended: Mutex<usize>,
}

impl Inner {
    fn new(origin: String) -> Self {
        Self {
            origin,
            knobs: Mutex::default(),
            grants: Mutex::default(),
            asked: Mutex::default(),
            issued: Mutex::default(),
            redeemed: Mutex::default(),
            ended: Mutex::default(),
        }
    }
}

#[derive(Clone)]
pub struct TestProvider(Arc<Inner>);

impl TestProvider {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// The same on this address.
    pub async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Inner::new(origin)));
        let router = provider.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// The same over HTTPS with a private certificate authority; returns the authority's PEM as
    /// well.
    pub async fn start_with_https() -> (Self, String) {
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let provider = Self::serve_https(own.pem(), key.serialize_pem()).await;
        (provider, certificate.pem())
    }

    /// The same with a self-signed certificate that is a certificate authority itself, as
    /// `openssl req -x509` makes it; returns its PEM as well.
    pub async fn start_with_self_signed_authority() -> (Self, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&key).unwrap().pem();
        let provider = Self::serve_https(pem.clone(), key.serialize_pem()).await;
        (provider, pem)
    }

    async fn serve_https(certificate: String, key: String) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let origin = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let provider = Self(Arc::new(Inner::new(origin)));
        let tls = RustlsConfig::from_pem(certificate.into_bytes(), key.into_bytes())
            .await
            .unwrap();
        let server = axum_server::from_tcp_rustls(listener, tls)
            .unwrap()
            .serve(provider.router().into_make_service());
        tokio::spawn(server);
        provider
    }

    pub fn router(&self) -> Router {
        self.routes()
            .layer(from_fn_with_state(self.clone(), notice))
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/logout", get(logout::end_session))
            .with_state(self.clone())
    }

    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The `[auth.openid_connect]` section for this provider.
    pub fn settings(&self) -> String {
        format!(
            "[auth.openid_connect]\nenabled = true\nclient_id = '{CLIENT_ID}'\nclient_secret = '{CLIENT_SECRET}'\n\
             configuration_endpoint = '{}/.well-known/openid-configuration'\nname = 'Über ID 100%'\n",
            self.0.origin
        )
    }

    pub fn knobs(&self) -> MutexGuard<'_, Knobs> {
        self.0.knobs.lock().unwrap()
    }

    /// Changes `metadata`, `jwks`, `header`, `claims`, `token` or `userinfo` before it is sent.
    pub fn twist(&self, what: &'static str, twist: impl Fn(&mut Value) + Send + 'static) {
        self.knobs().twists.insert(what, Box::new(twist));
    }

    /// Replaces the response of a path.
    pub fn replace(&self, path: &str, answer: impl Fn() -> Response + Send + 'static) {
        self.knobs()
            .replacements
            .insert(path.to_owned(), Box::new(answer));
    }

    pub fn is_good_again(&self) {
        *self.knobs() = Knobs::default();
    }

    /// The number of requests for a path.
    pub fn times(&self, path: &str) -> usize {
        self.asked()
            .iter()
            .filter(|line| line.split(' ').nth(1) == Some(path))
            .count()
    }

    /// All requests: method, path, and the `Authorization` header.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().unwrap().clone()
    }

    /// Path and query of the callback after the user has logged in at this authorization URL.
    pub fn answer(&self, authorization_url: &str, account: &Account) -> String {
        let url = Url::parse(authorization_url).unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert!(
            authorization_url.starts_with(&format!("{}/authorize?", self.0.origin)),
            "{authorization_url}"
        );
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        let code = URL_SAFE_NO_PAD.encode(random::bytes::<16>());
        let grant = Grant {
            account: account.clone(),
            nonce: query["nonce"].clone(),
            challenge: query["code_challenge"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
        };
        self.0.grants.lock().unwrap().insert(code.clone(), grant);
        let mut back = Url::parse(&query["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &query["state"]);
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// A signed token of this provider with these claims, after the changes of `header` and
    /// `claims`.
    pub fn sign(&self, mut claims: Value, typ: &str) -> String {
        let knobs = self.knobs();
        let mut header =
            json!({ "alg": knobs.key.algorithm(), "kid": knobs.key.name(), "typ": typ });
        knobs.apply("header", &mut header);
        knobs.apply("claims", &mut claims);
        let header = knobs
            .header
            .map_or_else(|| header.to_string(), |write| write(header.clone()));
        let payload = knobs.payload.map_or_else(
            || claims.to_string().into_bytes(),
            |write| write(claims.clone()),
        );
        let token = keys::sign(&header, &payload, knobs.key);
        knobs
            .spoil
            .map_or_else(|| token.clone(), |spoil| spoil(token.clone()))
    }
}

impl Knobs {
    fn apply(&self, what: &str, value: &mut Value) {
        if let Some(twist) = self.twists.get(what) {
            twist(value);
        }
    }
}

/// Records the request and answers it, unless a knob says otherwise.
async fn notice(
    State(provider): State<TestProvider>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("-");
    provider
        .0
        .asked
        .lock()
        .unwrap()
        .push(format!("{} {path} {authorization}", request.method()));
    if provider.knobs().hangs == Some(path.as_str()) {
        std::future::pending::<()>().await;
    }
    if let Some(from) = path.strip_prefix(MOVED) {
        *request.uri_mut() = from.parse().unwrap();
        return provider.routes().oneshot(request).await.unwrap();
    }
    let moved = provider.knobs().moved.filter(|(from, _)| *from == path);
    if let Some((_, status)) = moved {
        return (
            status,
            [(
                header::LOCATION,
                format!("{}{MOVED}{path}", provider.origin()),
            )],
        )
            .into_response();
    }
    let replaced = provider
        .knobs()
        .replacements
        .get(&path)
        .map(|answer| answer());
    let accepts_compression = request
        .headers()
        .get(header::ACCEPT_ENCODING)
        .is_none_or(|accepted| accepted != "identity");
    let mut response = match replaced {
        Some(response) => response,
        None => next.run(request).await,
    };
    let knobs = provider.knobs();
    if knobs.compresses && accepts_compression {
        let gzip = HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    if knobs.drips == Some(path.as_str()) {
        let drops = futures_util::stream::repeat(()).then(|()| async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            Ok::<_, std::io::Error>(" ")
        });
        response = axum::body::Body::from_stream(drops).into_response();
    }
    response
}

impl Account {
    /// An account whose address is verified.
    pub fn confirmed(email: &str) -> Self {
        Self {
            subject: format!("subject-of-{email}"),
            email: email.into(),
            email_verified: true.into(),
        }
    }

    pub fn unconfirmed(email: &str) -> Self {
        Self {
            email_verified: false.into(),
            ..Self::confirmed(email)
        }
    }
}
