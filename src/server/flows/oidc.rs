//! Logging in through the OpenID provider: setting out, coming back, and what the provider says
//! afterwards.

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
    domain::{AuditEvent, AuthError, ReturnTo, oidc_error::OidcError},
    server::{
        AppState,
        crypto::random,
        db,
        oidc::{self, AuthorizationSecrets, ExternalUser, OidcFailure, sanitize},
    },
};

mod account;
mod backchannel;
mod link_identity;
mod login_attempt;
mod pending_link;

pub use account::{created_by_provider, random_password_hash};
pub use backchannel::backchannel_logout;
pub use link_identity::{LinkRequest, link_request, unlink_identity};
pub use login_attempt::{ATTEMPT_LIFETIME_SECONDS, LoginAttempt, fingerprint};
pub use pending_link::{PendingLink, confirm_link};

/// What is always asked for (SR-050).
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// Its documentation knows no `prompt=login`; it can be told to ask at least which account it shall
/// be.
const GOOGLE_ISSUER: &str = "https://accounts.google.com";

/// How many more a frontend may ask for.
const MAX_EXTRA_SCOPES: usize = 8;

/// How somebody sets out.
pub struct AuthorizationRequest {
    pub return_to: Option<ReturnTo>,
    /// Where the provider sends the browser back to, exactly as registered there.
    pub redirect_uri: String,
    /// Asked for beyond what is always asked for.
    pub scopes: Vec<String>,
    /// To connect the account at the provider with that of somebody who is logged in, and for
    /// nothing else.
    pub link: Option<LinkRequest>,
    /// Lets the provider ask the person again, whatever session they have there (OIDC Core
    /// §3.1.2.1): somebody has to show that it is them.
    pub force_login: bool,
}

/// On the way: where to send the browser, and what it has to carry.
pub struct AuthorizationStarted {
    pub url: String,
    pub attempt: LoginAttempt,
}

/// A browser that came back: what it has carried, and the answer that came with it, if that can be
/// read.
pub struct Callback {
    pub attempt: LoginAttempt,
    pub answer: Result<CallbackParams, OidcFailure>,
}

/// What came back with the browser.
#[derive(Default)]
pub struct CallbackParams {
    pub code: Option<String>,
    pub issuer: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// How a trip to the provider ended, if not with a refusal.
pub enum CallbackOutcome {
    LoggedIn {
        login: Login,
        return_to: Option<ReturnTo>,
    },
    /// The address belongs to an account that has to be proven first.
    MustConnect(PendingLink),
    /// Nobody was logged in: the person was, and their account has one way in more.
    Connected,
}

/// Why nobody is logged in: what the page says, and the provider's own words where it answered with
/// an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackError {
    pub error: OidcError,
    pub provider_message: Option<String>,
    /// Where the person wanted to go, for the next try.
    pub return_to: Option<ReturnTo>,
    /// They wanted to connect their account, and not to log in.
    pub is_linking: bool,
}

/// Sets out: everything of the attempt is new and unguessable (SR-051).
///
/// # Errors
/// Why nobody can log in with the provider right now, logged already.
pub async fn start_login(
    state: &AppState,
    start: AuthorizationRequest,
) -> Result<AuthorizationStarted, OidcError> {
    let provider = state
        .provider
        .as_ref()
        .ok_or(OidcError::ProviderMisconfigured)?;
    let metadata = provider.current_metadata().await.map_err(log_and_unwrap)?;
    let secrets = [(); 3].map(|()| URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let attempt = LoginAttempt::new(
        secrets,
        start.redirect_uri,
        start.return_to.as_ref(),
        start.link,
        state.clock.now(),
    );
    let mut scopes = SCOPES.map(ToOwned::to_owned).to_vec();
    scopes.extend(
        start
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
    if start.force_login {
        url.push_str(if metadata.issuer == GOOGLE_ISSUER {
            "&prompt=select_account"
        } else {
            "&prompt=login"
        });
    }
    Ok(AuthorizationStarted { url, attempt })
}

/// Comes back. The handshake is used up first, whatever came with it; then the answer is looked at,
/// then the code is redeemed, then there is a session. An attempt that was begun to connect
/// something does that and nothing else (SR-058).
///
/// # Errors
/// Every way in which there is none, logged already.
pub async fn finish_callback(
    cx: &Ctx<'_>,
    current: Option<&CurrentUser>,
    callback: Callback,
) -> Result<CallbackOutcome, CallbackError> {
    let (return_to, connects) = (
        callback.attempt.return_to(),
        callback.attempt.link.is_some(),
    );
    match run_callback(cx, current, callback).await {
        Ok(outcome) => Ok(outcome),
        Err(failure) => Err(CallbackError {
            return_to,
            is_linking: connects,
            ..record_failure(cx, failure).await
        }),
    }
}

/// Writes a failed login down, for the log and for the administrators' page: the reason, and the
/// setting to change.
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
    // Atomic over all instances: of two answers to one attempt one counts, whatever the browser
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
    let return_to = attempt.return_to();
    let external = exchange_code(cx, &attempt, answer).await;
    if external
        .as_ref()
        .err()
        .is_none_or(|failure| failure.error == OidcError::ProviderUnreachable)
    {
        rate_limits::refund(cx, &taken).await?;
    }
    let external = external?;
    if let Some(connects) = &attempt.link {
        link_identity::link_identity(cx, current, connects, external).await?;
        return Ok(CallbackOutcome::Connected);
    }
    match account::log_in_external_user(cx, external).await? {
        account::LoginResult::LoggedIn(login) => Ok(CallbackOutcome::LoggedIn { login, return_to }),
        account::LoginResult::LinkRequired(external, email) => Ok(CallbackOutcome::MustConnect(
            PendingLink::new(external, &email, return_to.as_ref(), cx.now()),
        )),
    }
}

/// Who the provider says this is, if its answer is one to this attempt.
async fn exchange_code(
    cx: &Ctx<'_>,
    attempt: &LoginAttempt,
    answer: Result<CallbackParams, OidcFailure>,
) -> Result<ExternalUser, OidcFailure> {
    let provider = cx.state.provider.as_ref().ok_or_else(|| {
        OidcFailure::new(
            OidcError::ProviderMisconfigured,
            "auth.openid_connect is not enabled",
            "",
        )
    })?;
    let answer = answer?;
    let deadline = Instant::now() + oidc::REQUEST_TIMEOUT;
    provider.check_issuer(answer.issuer.as_deref()).await?;
    let code = match (answer.code, answer.error) {
        (Some(code), None) => code,
        (_, error) => {
            return Err(provider_error(
                &error.unwrap_or_default(),
                answer.error_description.as_deref(),
            ));
        }
    };
    // Anybody can make up a code. Counted before it is tried, and given back unless it was one
    // (SR-005, SR-022).
    rate_limits::consume_failure(cx).await?;
    let redeemed = oidc::with_deadline(
        deadline,
        provider.redeem(code, authorization_secrets(attempt)),
    )
    .await;
    if !matches!(&redeemed, Err(failure) if failure.error == OidcError::InvalidGrant) {
        rate_limits::refund(cx, &rate_limits::client_key(&cx.client.rate_limit_key)).await?;
    }
    redeemed
}

/// The provider's own error, in its own words for the log and the page (SR-055).
fn provider_error(code: &str, description: Option<&str>) -> OidcFailure {
    let error = if code == "access_denied" {
        OidcError::AccessDenied
    } else {
        OidcError::ProviderError
    };
    let said = sanitize(
        description
            .filter(|text| !text.trim().is_empty())
            .unwrap_or(code),
    );
    let fix = match code {
        "invalid_scope" => {
            "allow the scopes openid, email and profile for this client at the provider"
        }
        "unauthorized_client" | "unsupported_response_type" => {
            "allow the authorization code flow for this client at the provider"
        }
        _ => "",
    };
    OidcFailure {
        provider_message: Some(said.clone()),
        ..OidcFailure::new(
            error,
            format!("the provider answers {:?}: {said:?}", sanitize(code)),
            fix,
        )
    }
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

/// What a failure of ours looks like from the provider's side. The database has logged its own.
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
            error,
            provider_message: None,
            return_to: None,
            is_linking: false,
        }
    }
}

/// What identifies somebody at the provider, for the log: never the address.
fn describe_identity(external: &ExternalUser) -> String {
    format!(
        "{:?} at {:?}",
        sanitize(&external.subject),
        sanitize(&external.issuer)
    )
}
