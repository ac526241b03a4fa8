//! MediaManager's default administrator. MediaManager creates an administrator with a published
//! password whenever its table of users is empty, and a shared or imported database may have it
//! (SR-262).

use std::time::Duration;

use tokio::time::timeout;

use super::{ClientInfo, Ctx};
use crate::{
    domain::{AuthError, Password, User},
    server::{
        AppState,
        config::Config,
        crypto::password_hasher::{Argon2Params, Hasher, Verification},
        db::{self, import_source, users::Credentials},
        diagnostics::CheckResult,
    },
};

/// The password that MediaManager gives to its default administrator.
const DEFAULT_PASSWORD: &str = "admin";
/// What an operator can do about it.
pub const HINT: &str =
    "set another password with the link of `mediamanager-auth user reset-link ADDRESS`";
const CHECK_NAME: &str = "default password";
/// The time limit of [`check_database`].
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// Whether this is the password of MediaManager's default administrator.
pub fn is_default(password: &Password) -> bool {
    password.expose() == DEFAULT_PASSWORD
}

/// Logs a warning for every administrator with the default password.
pub async fn warn_at_start(state: &AppState) {
    let cx = Ctx::cli(state);
    let Ok(administrators) = db::users::list_superusers(&state.db).await else {
        // The database error was logged.
        return;
    };
    // A start during a flood of logins is the only reason for an error here, and the login is
    // refused in any case.
    let found = find(&state.hasher, &cx.client.rate_limit_key, administrators).await;
    for user in found.unwrap_or_default() {
        tracing::warn!(
            event = "default_password_found",
            user = %user.id,
            "INSECURE: MediaManager's default password opens this administrator's account there; it is refused here; {HINT}"
        );
    }
}

/// The administrators among these whose password is the default one.
///
/// # Errors
/// `Overloaded`.
pub async fn find(
    hasher: &Hasher,
    network: &str,
    administrators: Vec<Credentials>,
) -> Result<Vec<User>, AuthError> {
    let mut found = Vec::new();
    for Credentials {
        user,
        hashed_password,
    } in administrators
    {
        let slot = hasher.acquire_slot(network).await?;
        let password = Password::new(DEFAULT_PASSWORD.to_owned());
        let verification = hasher.verify(slot, password, Some(hashed_password)).await?;
        if matches!(verification, Verification::Valid { .. }) {
            found.push(user);
        }
    }
    Ok(found)
}

/// Says which addresses have the default password.
pub fn describe<'a>(addresses: impl IntoIterator<Item = &'a str>) -> String {
    let addresses: Vec<_> = addresses
        .into_iter()
        .map(|address| address.escape_debug().to_string())
        .collect();
    format!(
        "MediaManager's default password opens an administrator's account there: {}; it is refused here",
        addresses.join(", ")
    )
}

/// Checks on the command line whether an administrator has the default password. The database is
/// only read; `None` if it has no users yet or cannot be read, which the check of the database
/// reports.
pub async fn check_database(config: &Config) -> Option<CheckResult> {
    let hasher = Hasher::new(Argon2Params::STANDARD, 1).ok()?;
    let check_users = async {
        let db = import_source::open(config.database_url.expose())
            .await
            .ok()?;
        let result = check(&db, &hasher, &ClientInfo::cli().rate_limit_key).await;
        // A failure to close is irrelevant: the connection ends with the program.
        let _ = db.close().await;
        result
    };
    timeout(CHECK_TIMEOUT, check_users).await.ok()?
}

/// Checks for an operator whether an administrator has the default password; `None` if the database
/// or the queue of passwords does not answer.
pub async fn check(db: &db::Database, hasher: &Hasher, network: &str) -> Option<CheckResult> {
    let administrators = db::users::list_superusers(db).await.ok()?;
    let found = find(hasher, network, administrators).await.ok()?;
    Some(if found.is_empty() {
        CheckResult::ok(
            CHECK_NAME,
            "no administrator has the password that MediaManager sets",
        )
    } else {
        let addresses = found.iter().map(|user| user.email.as_str());
        CheckResult::error(CHECK_NAME, describe(addresses), HINT)
    })
}
