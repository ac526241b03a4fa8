//! Logging in through the OpenID provider: setting out, coming back, and what the provider says afterwards.

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
        oidc::{self, Attempt, ExternalUser, Fault, quote},
    },
};

mod account;
mod backchannel;
mod link_identity;
mod login_attempt;
mod pending_link;

pub use account::{created_by_provider, unknown_to_all};
pub use backchannel::backchannel_logout;
pub use link_identity::{LinkRequest, link_request, unlink};
pub use login_attempt::{ATTEMPT_LIFETIME_SECONDS, LoginAttempt, fingerprint};
pub use pending_link::{PendingLink, connect};

/// What is always asked for (SR-050).
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// Its documentation knows no `prompt=login`; it can be told to ask at least which account it shall be.
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
    /// To connect the account at the provider with that of somebody who is logged in, and for nothing else.
    pub connects: Option<LinkRequest>,
    /// Lets the provider ask the person again, whatever session they have there (OIDC Core §3.1.2.1): somebody has to show that it is them.
    pub force_login: bool,
}

/// On the way: where to send the browser, and what it has to carry.
pub struct AuthorizationStarted {
    pub url: String,
    pub handshake: LoginAttempt,
}

/// A browser that came back: what it has carried, and the answer that came with it, if that can be read.
pub struct Callback {
    pub handshake: LoginAttempt,
    pub answer: Result<Answer, Fault>,
}

/// What came back with the browser.
#[derive(Default)]
pub struct Answer {
    pub code: Option<String>,
    pub issuer: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// How a trip to the provider ended, if not with a refusal.
pub enum Outcome {
    LoggedIn {
        login: Login,
        return_to: Option<ReturnTo>,
    },
    /// The address belongs to an account that has to be proven first.
    MustConnect(PendingLink),
    /// Nobody was logged in: the person was, and their account has one way in more.
    Connected,
}

/// Why nobody is logged in: what the page says, and the provider's own words where it answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub refusal: OidcError,
    pub said: Option<String>,
    /// Where the person wanted to go, for the next try.
    pub return_to: Option<ReturnTo>,
    /// They wanted to connect their account, and not to log in.
    pub connects: bool,
}

/// Sets out: everything of the attempt is new and unguessable (SR-051).
///
/// # Errors
/// Why nobody can log in with the provider right now, logged already.
pub async fn begin(state: &AppState, start: AuthorizationRequest) -> Result<AuthorizationStarted, OidcError> {
    let provider = state.provider.as_ref().ok_or(OidcError::ProviderMisconfigured)?;
    let metadata = provider.fresh().await.map_err(logged)?;
    let secrets = [(); 3].map(|()| URL_SAFE_NO_PAD.encode(random::bytes::<32>()));
    let handshake = LoginAttempt::new(secrets, start.redirect_uri, start.return_to.as_ref(), start.connects, state.clock.now());
    let mut scopes = SCOPES.map(ToOwned::to_owned).to_vec();
    scopes.extend(start.scopes.into_iter().filter(|scope| is_scope(scope) && !SCOPES.contains(&scope.as_str())).take(MAX_EXTRA_SCOPES));
    let mut url = provider.authorization_url(&metadata, &attempt(&handshake), &handshake.state, &scopes).map_err(logged)?;
    if start.force_login {
        url.push_str(if metadata.issuer == GOOGLE_ISSUER { "&prompt=select_account" } else { "&prompt=login" });
    }
    Ok(AuthorizationStarted { url, handshake })
}

/// Comes back. The handshake is used up first, whatever came with it; then the answer is looked at, then the code is redeemed, then
/// there is a session. An attempt that was begun to connect something does that and nothing else (SR-058).
///
/// # Errors
/// Every way in which there is none, logged already.
pub async fn finish(cx: &Ctx<'_>, current: Option<&CurrentUser>, callback: Callback) -> Result<Outcome, Refused> {
    let (return_to, connects) = (callback.handshake.return_to(), callback.handshake.connects.is_some());
    match finish_unlogged(cx, current, callback).await {
        Ok(outcome) => Ok(outcome),
        Err(fault) => Err(Refused { return_to, connects, ..refuse(cx, fault).await }),
    }
}

/// Writes a failed login down, for the log and for the administrators' page: the reason, and the setting to change.
pub async fn refuse(cx: &Ctx<'_>, fault: Fault) -> Refused {
    fault.log();
    let detail = [fault.refusal.code(), &fault.reason, &fault.fix].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
    events::record_rate_limited(cx, AuditEvent::LoginFailed, EventDetails::for_user_if_known(fault.about).method("oidc").detail(&detail)).await;
    Refused { said: fault.said, ..fault.refusal.into() }
}

async fn finish_unlogged(cx: &Ctx<'_>, current: Option<&CurrentUser>, callback: Callback) -> Result<Outcome, Fault> {
    let Callback { handshake, answer } = callback;
    let taken = rate_limits::consume_callback(cx).await?;
    let expires_at = handshake.started_at + i64::from(ATTEMPT_LIFETIME_SECONDS);
    // Atomic over all instances: of two answers to one attempt one counts, whatever the browser does with its cookies (SR-053).
    let is_first = db::used_tokens::mark_used(&cx.state.db, fingerprint("handshake", &handshake.state), expires_at).await?;
    if !is_first || !handshake.is_current(cx.now()) {
        return Err(Fault::new(OidcError::UnknownState, "the attempt was used already or took longer than ten minutes", ""));
    }
    let return_to = handshake.return_to();
    let person = who(cx, &handshake, answer).await;
    if person.as_ref().err().is_none_or(|fault| fault.refusal == OidcError::ProviderUnreachable) {
        rate_limits::give_back(cx, &taken).await?;
    }
    let person = person?;
    if let Some(connects) = &handshake.connects {
        link_identity::link(cx, current, connects, person).await?;
        return Ok(Outcome::Connected);
    }
    match account::enter(cx, person).await? {
        account::LoginResult::LoggedIn(login) => Ok(Outcome::LoggedIn { login, return_to }),
        account::LoginResult::LinkRequired(person, email) => Ok(Outcome::MustConnect(PendingLink::new(person, &email, return_to.as_ref(), cx.now()))),
    }
}

/// Who the provider says this is, if its answer is one to this attempt.
async fn who(cx: &Ctx<'_>, handshake: &LoginAttempt, answer: Result<Answer, Fault>) -> Result<ExternalUser, Fault> {
    let provider = cx.state.provider.as_ref().ok_or_else(|| Fault::new(OidcError::ProviderMisconfigured, "auth.openid_connect is not enabled", ""))?;
    let answer = answer?;
    let deadline = Instant::now() + oidc::REQUEST_TIMEOUT;
    provider.check_issuer(answer.issuer.as_deref()).await?;
    let code = match (answer.code, answer.error) {
        (Some(code), None) => code,
        (_, error) => return Err(provider_error(&error.unwrap_or_default(), answer.error_description.as_deref())),
    };
    // Anybody can make up a code. Counted before it is tried, and given back unless it was one (SR-005, SR-022).
    rate_limits::consume_failure(cx).await?;
    let redeemed = oidc::until(deadline, provider.redeem(code, attempt(handshake))).await;
    if !matches!(&redeemed, Err(fault) if fault.refusal == OidcError::InvalidGrant) {
        rate_limits::give_back(cx, &rate_limits::client_key(&cx.client.rate_limit_key)).await?;
    }
    redeemed
}

/// The provider's own error, in its own words for the log and the page (SR-055).
fn provider_error(error: &str, description: Option<&str>) -> Fault {
    let refusal = if error == "access_denied" { OidcError::AccessDenied } else { OidcError::ProviderError };
    let said = quote(description.filter(|text| !text.trim().is_empty()).unwrap_or(error));
    let fix = match error {
        "invalid_scope" => "allow the scopes openid, email and profile for this client at the provider",
        "unauthorized_client" | "unsupported_response_type" => "allow the authorization code flow for this client at the provider",
        _ => "",
    };
    Fault { said: Some(said.clone()), ..Fault::new(refusal, format!("the provider answers {:?}: {said:?}", quote(error)), fix) }
}

/// A scope-token of RFC 6749 §3.3, of a sensible length.
fn is_scope(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}

fn attempt(handshake: &LoginAttempt) -> Attempt {
    Attempt { nonce: handshake.nonce.clone(), verifier: handshake.verifier.clone(), redirect_uri: handshake.redirect_uri.clone() }
}

fn logged(fault: Fault) -> OidcError {
    fault.log();
    fault.refusal
}

/// What a failure of ours looks like from the provider's side. The database has logged its own.
fn oidc_error_of(error: AuthError) -> OidcError {
    match error {
        AuthError::Unavailable | AuthError::Overloaded | AuthError::Internal => OidcError::TemporarilyUnavailable,
        AuthError::TooManyAttempts { .. } => OidcError::TooManyAttempts,
        _ => OidcError::LoginNotAllowed,
    }
}

impl From<AuthError> for Fault {
    fn from(error: AuthError) -> Self {
        Self::new(oidc_error_of(error), format!("the account could not be used: {}", error.code()), "")
    }
}

impl From<OidcError> for Refused {
    fn from(refusal: OidcError) -> Self {
        Self { refusal, said: None, return_to: None, connects: false }
    }
}

/// What identifies somebody at the provider, for the log: never the address.
fn named(person: &ExternalUser) -> String {
    format!("{:?} at {:?}", quote(&person.subject), quote(&person.issuer))
}
