//! Logging in with an OpenID provider: the authorization request, the callback, and back-channel
//! logout.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::time::Instant;

use super::{
    Ctx,
    events::{self, EventDetails},
    login::Login,
    rate_limits,
    sessions::CurrentUser,
};
use crate::{
    domain::{AuditEvent, AuthError, ExternalUser, ProviderId, ReturnTo, oidc_error::OidcError},
    server::{
        AppState,
        crypto::random,
        db,
        oidc::{
            self, AuthorizationSecrets, OidcFailure, Provider, Redeemed, RequestFailure, sanitize,
        },
    },
};

mod account;
mod backchannel;
mod failures;
mod link_identity;
mod login_attempt;
mod pending_link;

pub use account::created_by_provider;
pub use backchannel::backchannel_logout;
pub use failures::{malformed_callback, wrong_redirect_uri};
pub use link_identity::{LinkRequest, link_request, unlink_identity};
pub use login_attempt::{ATTEMPT_LIFETIME_SECONDS, LoginAttempt, LoginPurpose, fingerprint};
pub use pending_link::{PendingLink, confirm_link};

/// The scopes of every authorization request (SR-050).
const SCOPES: [&str; 3] = ["openid", "email", "profile"];
/// The most scopes that a frontend may add.
const MAX_EXTRA_SCOPES: usize = 8;

/// Google's documentation knows no `prompt=login`. Its `select_account` at least makes the person
/// choose an account.
const GOOGLE_ISSUER: &str = "https://accounts.google.com";

/// What the provider is asked for.
pub struct AuthorizationRequest {
    pub provider: ProviderId,
    pub purpose: LoginPurpose,
    /// Where the provider sends the browser back to, exactly as registered there.
    pub redirect_uri: String,
    /// Scopes beyond [`SCOPES`].
    pub scopes: Vec<String>,
}

impl AuthorizationRequest {
    /// A request with the provider's own redirect URI and no further scopes.
    pub fn new(provider: &Provider, purpose: LoginPurpose) -> Self {
        Self {
            provider: provider.config().id.clone(),
            purpose,
            redirect_uri: provider.config().redirect_uri.clone(),
            scopes: Vec::new(),
        }
    }
}

/// Where to send the browser, and the record of the attempt that its cookie holds.
pub struct AuthorizationStarted {
    pub url: String,
    pub attempt: LoginAttempt,
}

/// A browser that came back: the record from its cookie, and the provider's answer, if that can be
/// read.
pub struct Callback {
    pub attempt: LoginAttempt,
    pub answer: Result<CallbackParams, OidcFailure>,
}

/// The authorization response (RFC 6749 §4.1.2; RFC 9207 for `iss`).
#[derive(Default)]
pub struct CallbackParams {
    pub code: Option<String>,
    pub issuer: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// The result of an authorization response without an error.
pub enum CallbackOutcome {
    LoggedIn {
        login: Login,
        return_to: Option<ReturnTo>,
        id_token: String,
    },
    /// The address belongs to an account whose password has to be given first.
    LinkRequired(PendingLink),
    /// The identity was linked to the account of the person who is logged in.
    Linked,
}

/// Why nobody is logged in: the error that the page explains, and the provider's own words where it
/// answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackError {
    /// The provider of the attempt, where there is one.
    pub provider: Option<ProviderId>,
    pub error: OidcError,
    pub provider_message: Option<String>,
    /// Where the next try leads.
    pub return_to: Option<ReturnTo>,
    /// The attempt was to link an identity, not to log in.
    pub is_linking: bool,
    /// The log has the reason under the request id.
    pub is_logged: bool,
}

/// Starts an attempt: its state, nonce and code verifier are new and unguessable (SR-051).
///
/// # Errors
/// Why nobody can log in with the provider right now. The failure is logged already.
pub async fn start_login(
    state: &AppState,
    request: AuthorizationRequest,
) -> Result<AuthorizationStarted, OidcError> {
    let provider = state
        .providers
        .get(&request.provider)
        .ok_or(OidcError::ProviderMisconfigured)?;
    let metadata = provider.current_metadata().await.map_err(log_and_unwrap)?;
    let mut secrets = [(); 3].map(|()| URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let attempt = LoginAttempt {
        state: std::mem::take(&mut secrets[0]),
        nonce: std::mem::take(&mut secrets[1]),
        verifier: std::mem::take(&mut secrets[2]),
        provider: request.provider,
        purpose: request.purpose,
        redirect_uri: request.redirect_uri,
        started_at: state.clock.now(),
    };
    let mut scopes = SCOPES.map(ToOwned::to_owned).to_vec();
    scopes.extend(
        request
            .scopes
            .into_iter()
            .filter(|scope| is_scope(scope) && !SCOPES.contains(&scope.as_str()))
            .take(MAX_EXTRA_SCOPES),
    );
    let mut url = provider
        .authorization_url(
            &metadata,
            &authorization_secrets(&attempt),
            &attempt.state,
            &scopes,
        )
        .map_err(log_and_unwrap)?;
    // The provider must ask the person again, whatever session they have there (OIDC Core
    // §3.1.2.1).
    if matches!(attempt.purpose, LoginPurpose::Reauthenticate { .. }) {
        url.push_str(if metadata.issuer == GOOGLE_ISSUER {
            "&prompt=select_account"
        } else {
            "&prompt=login"
        });
    }
    Ok(AuthorizationStarted { url, attempt })
}

/// Handles the authorization response. The attempt is used up first, whatever came with it; then the
/// response is checked, then the code is redeemed, then there is a session. An attempt to link an
/// identity does that and nothing else (SR-058).
///
/// # Errors
/// Every reason for which nobody is logged in, logged already.
pub async fn finish_callback(
    cx: &Ctx<'_>,
    current: Option<&CurrentUser>,
    callback: Callback,
) -> Result<CallbackOutcome, CallbackError> {
    let (provider, purpose) = (
        callback.attempt.provider.clone(),
        callback.attempt.purpose.clone(),
    );
    match run_callback(cx, current, callback).await {
        Ok(outcome) => Ok(outcome),
        Err(failure) => Err(CallbackError {
            provider: Some(provider),
            is_linking: purpose.is_linking(),
            return_to: purpose.into_return_to(),
            ..record_failure(cx, failure).await
        }),
    }
}

/// Records a failed login in the log and the audit log: the reason, and the setting to change.
pub async fn record_failure(cx: &Ctx<'_>, failure: OidcFailure) -> CallbackError {
    failure.log();
    let detail = [failure.error.code(), &failure.reason, &failure.hint]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    events::record_rate_limited(
        cx,
        AuditEvent::LoginFailed,
        EventDetails::for_user_if_known(failure.user)
            .with_method("oidc")
            .with_detail(&detail),
    )
    .await;
    CallbackError {
        provider_message: failure.provider_message,
        ..failure.error.into()
    }
}

async fn run_callback(
    cx: &Ctx<'_>,
    current: Option<&CurrentUser>,
    callback: Callback,
) -> Result<CallbackOutcome, OidcFailure> {
    let Callback { attempt, answer } = callback;
    let taken = rate_limits::consume_callback(cx).await?;
    let expires_at = attempt.started_at + i64::from(ATTEMPT_LIFETIME_SECONDS);
    // Atomic over all instances: of two responses to one attempt one counts, whatever the browser
    // does with its cookies (SR-053).
    let is_first = db::used_tokens::mark_used(
        &cx.state.db,
        fingerprint("handshake", &attempt.state),
        expires_at,
    )
    .await?;
    if !is_first || !attempt.is_current(cx.now()) {
        return Err(OidcFailure::new(
            OidcError::UnknownState,
            "the attempt was used already or took longer than ten minutes",
            "",
        ));
    }
    let provider = cx
        .state
        .providers
        .get(&attempt.provider)
        .ok_or_else(not_configured)?;
    let external = exchange_code(cx, provider, &attempt, answer).await;
    if external
        .as_ref()
        .err()
        .is_none_or(OidcFailure::has_no_response)
    {
        rate_limits::refund(cx, &taken).await?;
    }
    let Redeemed { user, id_token } = external?;
    let external = user;
    if let LoginPurpose::Link(request) = &attempt.purpose {
        link_identity::link_identity(cx, current, request, external).await?;
        return Ok(CallbackOutcome::Linked);
    }
    let return_to = attempt.purpose.into_return_to();
    let logout = backchannel::LogoutMarks::of(&external);
    match account::log_in_external_user(cx, provider, external).await? {
        account::LoginResult::LoggedIn(login) => {
            logout.refuse_ended(cx, &login, attempt.started_at).await?;
            Ok(CallbackOutcome::LoggedIn {
                login,
                return_to,
                id_token,
            })
        }
        account::LoginResult::LinkRequired(external, email) => Ok(CallbackOutcome::LinkRequired(
            PendingLink::new(external, &email, return_to, cx.now()),
        )),
    }
}

fn not_configured() -> OidcFailure {
    OidcFailure::new(
        OidcError::ProviderMisconfigured,
        "auth.openid_connect is not enabled",
        "",
    )
}

/// The person who logged in at the provider, if its response belongs to this attempt.
async fn exchange_code(
    cx: &Ctx<'_>,
    provider: &Provider,
    attempt: &LoginAttempt,
    answer: Result<CallbackParams, OidcFailure>,
) -> Result<Redeemed, OidcFailure> {
    let answer = answer?;
    let deadline = Instant::now() + oidc::REQUEST_TIMEOUT;
    provider.check_issuer(answer.issuer.as_deref()).await?;
    let code = match (answer.code, answer.error) {
        (Some(code), None) => code,
        (_, error) => {
            return Err(failures::provider_error(
                &error.unwrap_or_default(),
                answer.error_description.as_deref(),
            ));
        }
    };
    // Anybody can make up a code, so the attempt is counted before the code is redeemed, and
    // refunded unless the provider rejects it, in whatever words (SR-005, SR-022).
    rate_limits::consume_failure(cx).await?;
    let redeemed = provider
        .redeem(code, authorization_secrets(attempt), deadline)
        .await;
    let is_rejected = |failure: &OidcFailure| failure.request == RequestFailure::CodeRejected;
    if !redeemed.as_ref().is_err_and(is_rejected) {
        rate_limits::refund(cx, &rate_limits::client_key(&cx.client.rate_limit_key)).await?;
    }
    redeemed
}

/// A scope-token of RFC 6749 §3.3, of a sensible length.
fn is_scope(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

fn authorization_secrets(attempt: &LoginAttempt) -> AuthorizationSecrets {
    AuthorizationSecrets {
        nonce: attempt.nonce.clone(),
        verifier: attempt.verifier.clone(),
        redirect_uri: attempt.redirect_uri.clone(),
    }
}

fn log_and_unwrap(failure: OidcFailure) -> OidcError {
    failure.log();
    failure.error
}

/// The error of a login with the provider that stands for an error of our own. A failing database
/// has been logged already.
fn oidc_error_of(error: AuthError) -> OidcError {
    match error {
        AuthError::Unavailable | AuthError::Overloaded | AuthError::Internal => {
            OidcError::TemporarilyUnavailable
        }
        AuthError::TooManyAttempts { .. } => OidcError::TooManyAttempts,
        _ => OidcError::LoginNotAllowed,
    }
}

impl From<AuthError> for OidcFailure {
    fn from(error: AuthError) -> Self {
        Self::new(
            oidc_error_of(error),
            format!("the account could not be used: {}", error.code()),
            "",
        )
    }
}

impl From<OidcError> for CallbackError {
    fn from(error: OidcError) -> Self {
        Self {
            provider: None,
            error,
            provider_message: None,
            return_to: None,
            is_linking: false,
            is_logged: true,
        }
    }
}

/// Names an identity in the log: never by its address.
fn describe_identity(external: &ExternalUser) -> String {
    format!(
        "{:?} at {:?}",
        sanitize(&external.subject),
        sanitize(&external.issuer)
    )
}
