//! Rate limits: the settings in `[policy.throttle]`, applied to the counters in the database
//! (SR-022, SR-023, SR-047).

use uuid::Uuid;

use super::{Ctx, Tx};
use crate::{
    domain::AuthError,
    server::db::{
        self,
        rate_limits::{BackoffLimit, RateLimit},
    },
};

/// Time window for a client's failed logins.
const FAILURE_WINDOW_SECONDS: i64 = 10 * 60;
/// Successful logins of one account from one client. Each leaves a session and an event, and the
/// password of an account costs a hash every time (SR-173).
const LOGIN_LIMIT: RateLimit = RateLimit {
    max: 60,
    window: 10 * 60,
};
/// Link tokens that one client may try. Tokens are too long to be guessed, and checking one is
/// cheap.
const TOKEN_LIMIT: RateLimit = RateLimit {
    max: 20,
    window: 10 * 60,
};
/// OpenID Connect callbacks of one client that do not end in a login. Each leaves a row for a day
/// (SR-173).
const CALLBACK_LIMIT: RateLimit = RateLimit {
    max: 100,
    window: 10 * 60,
};
/// New passwords of one client that are too weak. Each costs as much as a hash (SR-172).
const WEAK_PASSWORD_LIMIT: RateLimit = RateLimit {
    max: 20,
    window: 10 * 60,
};
const SECONDS_PER_HOUR: i64 = 60 * 60;

/// Consumes one failed login of the client's limit; [`refund`] returns it if the login succeeds.
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_failure(cx: &Ctx<'_>) -> Result<(), AuthError> {
    consume_failure_of(cx, &client_key(&cx.client.rate_limit_key)).await
}

/// Consumes one failed login of the limit with this key of [`client_key`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_failure_of(cx: &Ctx<'_>, client: &str) -> Result<(), AuthError> {
    consume(cx, client, failure_limit(cx)).await
}

/// Ensures, without writing, that neither the client nor the account has to wait, and that the user
/// has not logged in too often from here. The keys are those of [`client_key`] and [`account_key`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn ensure_login_allowed(
    cx: &Ctx<'_>,
    (client, account): (&str, &str),
    user: Uuid,
) -> Result<(), AuthError> {
    let throttle = &cx.state.config.policy.throttle;
    if !throttle.enabled {
        return Ok(());
    }
    // An account is blocked exactly while its delay lasts, however many failures there were.
    let delay = RateLimit {
        max: 0,
        window: i64::from(throttle.max_delay),
    };
    let limits = [
        (client.to_owned(), failure_limit(cx)),
        (account.to_owned(), delay),
        (login_key(cx, user), LOGIN_LIMIT),
    ];
    db::rate_limits::ensure_not_blocked(&cx.state.db, &limits, cx.now()).await
}

/// Consumes one of the user's logins from this client, in the transaction of the login.
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_login(tx: &Tx<'_>, user: Uuid) -> Result<(), AuthError> {
    let cx = tx.cx();
    if !cx.state.config.policy.throttle.enabled {
        return Ok(());
    }
    db::rate_limits::consume(tx.db(), &login_key(&cx, user), LOGIN_LIMIT, cx.now()).await
}

fn failure_limit(cx: &Ctx<'_>) -> RateLimit {
    RateLimit {
        max: cx.state.config.policy.throttle.login_failures_per_ip,
        window: FAILURE_WINDOW_SECONDS,
    }
}

fn login_key(cx: &Ctx<'_>, user: Uuid) -> String {
    format!("login:{user}@{}", cx.client.rate_limit_key)
}

/// Consumes one failed login of the account's limit. The key is the address, whether or not it has
/// an account.
///
/// # Errors
/// `TooManyAttempts` during the account's delay.
pub async fn reserve_account(cx: &Ctx<'_>, key: &str) -> Result<(), AuthError> {
    let throttle = &cx.state.config.policy.throttle;
    if !throttle.enabled {
        return Ok(());
    }
    let limit = BackoffLimit {
        failures: throttle.login_failures_per_account,
        max_delay: throttle.max_delay,
    };
    db::rate_limits::reserve_account(&cx.state.db, key, limit, cx.now()).await
}

/// Consumes one of the requests per hour that a client may make for new accounts and mailed links.
/// Returns the key for [`refund`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_request(cx: &Ctx<'_>, action: &str) -> Result<String, AuthError> {
    let (key, max) = (
        format!("{action}:{}", cx.client.rate_limit_key),
        cx.state.config.policy.throttle.requests_per_ip,
    );
    consume(
        cx,
        &key,
        RateLimit {
            max,
            window: SECONDS_PER_HOUR,
        },
    )
    .await
    .map(|()| key)
}

/// Consumes one of the link tokens that a client may try. Returns the key for [`refund`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_token(cx: &Ctx<'_>, action: &str) -> Result<String, AuthError> {
    let key = format!("{action}:{}", cx.client.rate_limit_key);
    consume(cx, &key, TOKEN_LIMIT).await.map(|()| key)
}

/// Consumes one of the client's OpenID Connect callbacks. Returns the key for [`refund`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_callback(cx: &Ctx<'_>) -> Result<String, AuthError> {
    let key = format!("oidc-callback:{}", cx.client.rate_limit_key);
    consume(cx, &key, CALLBACK_LIMIT).await.map(|()| key)
}

/// Consumes one of the weak passwords that a client may try. Returns the key for [`refund`].
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume_weak_password(cx: &Ctx<'_>) -> Result<String, AuthError> {
    let key = format!("weak-password:{}", cx.client.rate_limit_key);
    consume(cx, &key, WEAK_PASSWORD_LIMIT).await.map(|()| key)
}

/// Limit of mails of one kind to one account per hour.
pub fn mail_limit(cx: &Ctx<'_>) -> RateLimit {
    RateLimit {
        max: cx.state.config.policy.throttle.mails_per_account,
        window: SECONDS_PER_HOUR,
    }
}

/// Consumes one unit of a limit.
///
/// # Errors
/// `TooManyAttempts`.
pub async fn consume(cx: &Ctx<'_>, key: &str, limit: RateLimit) -> Result<(), AuthError> {
    if cx.state.config.policy.throttle.enabled {
        db::rate_limits::consume(&cx.state.db, key, limit, cx.now()).await
    } else {
        Ok(())
    }
}

/// Refunds a unit if the action it was consumed for failed, and returns the action's result.
///
/// # Errors
/// Those of the action.
pub async fn refund_on_error<T>(
    cx: &Ctx<'_>,
    key: &str,
    outcome: Result<T, AuthError>,
) -> Result<T, AuthError> {
    if outcome.is_err() {
        refund(cx, key).await?;
    }
    outcome
}

/// Refunds a unit.
pub async fn refund(cx: &Ctx<'_>, key: &str) -> Result<(), AuthError> {
    db::rate_limits::refund(&cx.state.db, key).await
}

/// Clears the failed logins of an account, including those counted for familiar clients
/// and devices (SR-024).
/// The account has a new password, and guesses at the old one must not delay its owner.
pub async fn clear_account_failures(
    db: &impl db::Connection,
    address: &str,
) -> Result<(), AuthError> {
    db::rate_limits::clear_everywhere(db, &account_key(&address.to_ascii_lowercase(), None)).await
}

/// The key of an account's failed logins. A familiar client or device has a separate key.
pub fn account_key(address: &str, familiar: Option<&str>) -> String {
    familiar.map_or_else(
        || format!("account:{address}"),
        |familiar| format!("account:{address}@{familiar}"),
    )
}

/// The key of the failed logins of a client: a network, or a known device.
pub fn client_key(client: &str) -> String {
    format!("network:{client}")
}
