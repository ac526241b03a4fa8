//! Endpoints of the provider: metadata, JWKS, authorization, token and userinfo.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mediamanager_auth::server::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CLIENT_ID, CLIENT_SECRET, TestProvider};
use crate::support::keys;

impl TestProvider {
    /// The ID tokens that the token endpoint has issued.
    pub fn issued_id_tokens(&self) -> Vec<String> {
        self.0.issued.lock().unwrap().clone()
    }

    /// The forms that were sent to the token endpoint.
    pub fn token_requests(&self) -> Vec<String> {
        self.0.redeemed.lock().unwrap().clone()
    }
}

pub(super) async fn metadata(State(provider): State<TestProvider>) -> Json<Value> {
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

pub(super) async fn jwks(State(provider): State<TestProvider>) -> Json<Value> {
    let mut jwks = keys::published();
    provider.knobs().apply("jwks", &mut jwks);
    Json(jwks)
}

/// The login page, for the client and redirect URI of the tests' installation.
pub(super) async fn authorize(Query(query): Query<BTreeMap<String, String>>) -> StatusCode {
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

pub(super) async fn token(
    State(provider): State<TestProvider>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form: BTreeMap<String, String> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    provider.0.redeemed.lock().unwrap().push(body);
    let error = |error: &str| {
        (
            StatusCode::BAD_REQUEST,
            Json(
                json!({ "error": error, "error_description": format!("{error} <b>described</b>") }),
            ),
        )
            .into_response()
    };
    let reads_literally = provider.knobs().reads_basic_literally;
    if client(&headers, &form, reads_literally)
        != Some((CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned()))
    {
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
    provider.0.issued.lock().unwrap().push(id_token.clone());
    let mut answer = json!({ "access_token": access_token, "token_type": "bearer", "expires_in": 300, "id_token": id_token, "refresh_token": "never kept" });
    provider.knobs().apply("token", &mut answer);
    let spoil = provider.knobs().spoil_answer;
    json_text(answer.to_string(), spoil)
}

pub(super) async fn userinfo(
    State(provider): State<TestProvider>,
    headers: HeaderMap,
    _: Uri,
) -> Response {
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

/// Id and secret of the client, from the header in the encoding of RFC 6749 §2.3.1, or from the
/// form.
fn client(
    headers: &HeaderMap,
    form: &BTreeMap<String, String>,
    reads_literally: bool,
) -> Option<(String, String)> {
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
        if reads_literally {
            return Some((id.to_owned(), secret.to_owned()));
        }
        return Some((decode(id)?, decode(secret)?));
    }
    Some((
        form.get("client_id")?.clone(),
        form.get("client_secret")?.clone(),
    ))
}
