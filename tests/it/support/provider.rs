//! An OpenID provider that does everything right, until a test makes it do one thing wrong. It
//! listens on loopback, checks what a strict provider checks (client, redirect URI, PKCE, one use
//! of a code), and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use super::keys::{self, Key};
use axum::{
    Form, Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use axum_server::tls_rustls::RustlsConfig;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mediamanager_auth::server::{clock::Clock, crypto::random};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tower::ServiceExt;
use url::Url;

pub const CLIENT_ID: &str = "media manager/ä";
pub const CLIENT_SECRET: &str = "p@ss:word +% secret of the client";

/// Before the path where the good answer of [`Knobs::moved`] is.
pub const MOVED: &str = "/moved";

type Twist = Box<dyn Fn(&mut Value) + Send>;
type Replacement = Box<dyn Fn() -> Response + Send>;

/// What the provider does differently from a good one.
#[derive(Default)]
pub struct Knobs {
    twists: BTreeMap<&'static str, Twist>,
    replacements: BTreeMap<String, Replacement>,
    /// A path that never answers.
    pub hangs: Option<&'static str>,
    /// What signs; the others are published beside it.
    pub key: Key,
    /// Writes the header, or the claims, as JSON that no library would write.
    pub header: Option<fn(Value) -> String>,
    pub payload: Option<fn(Value) -> Vec<u8>>,
    /// Changes the finished token, or the text of the token endpoint's or userinfo's answer.
    pub spoil: Option<fn(String) -> String>,
    pub spoil_answer: Option<fn(String) -> String>,
    pub spoil_userinfo: Option<fn(String) -> String>,
    /// A path that sends whoever asks it, with this status, to where the good answer is.
    pub moved: Option<(&'static str, StatusCode)>,
    /// Userinfo as `application/jwt`.
    pub signs_userinfo: bool,
}

/// Who has an account at the provider.
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
}

#[derive(Clone)]
pub struct TestProvider(Arc<Inner>);

impl TestProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            origin,
            knobs: Mutex::default(),
            grants: Mutex::default(),
            asked: Mutex::default(),
        };
        let provider = Self(Arc::new(inner));
        let router = provider.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// The same over https, with a certificate authority of its own; the PEM of that.
    pub async fn start_with_https() -> (Self, String) {
        // Another test may have been first.
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
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let origin = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let provider = Self(Arc::new(Inner {
            origin,
            knobs: Mutex::default(),
            grants: Mutex::default(),
            asked: Mutex::default(),
        }));
        let tls = RustlsConfig::from_pem(own.pem().into_bytes(), key.serialize_pem().into_bytes())
            .await
            .unwrap();
        let server = axum_server::from_tcp_rustls(listener, tls)
            .unwrap()
            .serve(provider.router().into_make_service());
        tokio::spawn(server);
        (provider, certificate.pem())
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
            .with_state(self.clone())
    }

    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The `[auth.openid_connect]` that an operator would write for it.
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

    /// Changes `metadata`, `jwks`, `header`, `claims`, `token` or `userinfo` before it goes out.
    pub fn twist(&self, what: &'static str, twist: impl Fn(&mut Value) + Send + 'static) {
        self.knobs().twists.insert(what, Box::new(twist));
    }

    /// Answers a path with something else altogether.
    pub fn replace(&self, path: &str, answer: impl Fn() -> Response + Send + 'static) {
        self.knobs()
            .replacements
            .insert(path.to_owned(), Box::new(answer));
    }

    pub fn is_good_again(&self) {
        *self.knobs() = Knobs::default();
    }

    /// How often a path was asked for.
    pub fn times(&self, path: &str) -> usize {
        self.asked()
            .iter()
            .filter(|line| line.split(' ').nth(1) == Some(path))
            .count()
    }

    /// Every request: method, path, and the authorization header.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().unwrap().clone()
    }

    /// What a browser brings back after the person has logged in at this authorization URL: path
    /// and query of the callback.
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

    /// A signed token of this provider with these claims, the twists of `header` and `claims`
    /// included.
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

/// Remembers the request, then answers it, unless a knob says otherwise.
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
    match replaced {
        Some(response) => response,
        None => next.run(request).await,
    }
}

async fn metadata(State(provider): State<TestProvider>) -> Json<Value> {
    let origin = provider.origin();
    let mut metadata = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "userinfo_endpoint": format!("{origin}/userinfo"),
        "jwks_uri": format!("{origin}/jwks"),
        "end_session_endpoint": format!("{origin}/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "HS384", "HS512", "none", "None", "nOnE", "X512"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "tls_client_auth"],
        "something_of_next_year": { "nested": [1, 2, 3] },
    });
    provider.knobs().apply("metadata", &mut metadata);
    Json(metadata)
}

async fn jwks(State(provider): State<TestProvider>) -> Json<Value> {
    let mut jwks = keys::published();
    provider.knobs().apply("jwks", &mut jwks);
    Json(jwks)
}

/// The login page: for a client and a redirect URI that it knows, which are those of the tests'
/// installation.
async fn authorize(Query(query): Query<BTreeMap<String, String>>) -> StatusCode {
    let is_known = query.get("client_id").is_some_and(|id| id == CLIENT_ID)
        && query.get("redirect_uri").is_some_and(|uri| {
            uri == "http://localhost:8000/api/v1/auth/cookie/%C3%9Cber%20ID%20100%25/callback"
        });
    if is_known {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    }
}

async fn token(
    State(provider): State<TestProvider>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let error = |error: &str| {
        (
            StatusCode::BAD_REQUEST,
            Json(
                json!({ "error": error, "error_description": format!("{error} <b>described</b>") }),
            ),
        )
            .into_response()
    };
    if client(&headers, &form) != Some((CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned())) {
        return error("invalid_client");
    }
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let Some(grant) = provider.0.grants.lock().unwrap().remove(&field("code")) else {
        return error("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    if field("grant_type") != "authorization_code"
        || grant.redirect_uri != field("redirect_uri")
        || grant.challenge != challenge
    {
        return error("invalid_grant");
    }
    let now = Clock::System.now();
    let access_token = format!("access token of {}", grant.account.subject);
    let claims = json!({
        "iss": provider.origin(), "sub": grant.account.subject, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant.nonce,
        "email": grant.account.email, "email_verified": grant.account.email_verified, "sid": format!("session of {}", grant.account.subject),
        "updated_at": "2026-11-24T00:00:00Z", "picture": "not an address", "role": "admin", "groups": ["admin"], "is_superuser": true,
    });
    let id_token = provider.sign(claims, "JWT");
    let mut answer = json!({ "access_token": access_token, "token_type": "bearer", "expires_in": 300, "id_token": id_token, "refresh_token": "never kept" });
    provider.knobs().apply("token", &mut answer);
    let spoil = provider.knobs().spoil_answer;
    json_text(answer.to_string(), spoil)
}

async fn userinfo(State(provider): State<TestProvider>, headers: HeaderMap, _: Uri) -> Response {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(subject) = bearer.strip_prefix("Bearer access token of ") else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let mut claims = json!({ "sub": subject, "email": format!("{subject}@userinfo.example"), "email_verified": true });
    let is_signed = provider.knobs().signs_userinfo;
    provider.knobs().apply("userinfo", &mut claims);
    if !is_signed {
        let spoil = provider.knobs().spoil_userinfo;
        return json_text(claims.to_string(), spoil);
    }
    let key = provider.knobs().key;
    let header = json!({ "alg": key.algorithm(), "kid": key.name() }).to_string();
    (
        [(header::CONTENT_TYPE, "application/jwt")],
        keys::sign(&header, claims.to_string().as_bytes(), key),
    )
        .into_response()
}

fn json_text(text: String, spoil: Option<fn(String) -> String>) -> Response {
    let text = spoil.map_or_else(|| text.clone(), |spoil| spoil(text.clone()));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Name and secret of the client, from the header as RFC 6749 §2.3.1 encodes them, or from the
/// form.
fn client(headers: &HeaderMap, form: &BTreeMap<String, String>) -> Option<(String, String)> {
    if let Some(basic) = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
    {
        let pair = String::from_utf8(
            base64::engine::general_purpose::STANDARD
                .decode(basic)
                .ok()?,
        )
        .ok()?;
        let decode = |text: &str| {
            form_urlencoded::parse(format!("x={text}").as_bytes())
                .next()
                .map(|(_, value)| value.into_owned())
        };
        let (id, secret) = pair.split_once(':')?;
        return Some((decode(id)?, decode(secret)?));
    }
    Some((
        form.get("client_id")?.clone(),
        form.get("client_secret")?.clone(),
    ))
}

impl Account {
    /// Somebody whose address the provider has confirmed.
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
