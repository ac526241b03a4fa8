//! Imports the users of a MediaManager that uses this program instead of its own authentication,
//! from its database. The import can be repeated: existing users are left unchanged.

use super::{Ctx, Tx, default_password, events::EventDetails};
use crate::{
    domain::{AuditEvent, AuthError, Email},
    server::db::{self, import_source, users::Credentials},
    text::en::error_message,
};

/// The result of an import.
#[derive(Debug, Default)]
pub struct Report {
    pub users: usize,
    pub links: usize,
    /// Users that already existed.
    pub known_users: usize,
    /// Addresses that another user already has.
    pub refused: Vec<String>,
    /// Addresses of administrators that now have MediaManager's default password.
    pub default_passwords: Vec<String>,
}

/// Copies users, password hashes and linked provider accounts in one transaction. Addresses stay
/// unverified, because MediaManager never verified them.
///
/// # Errors
/// A message for the operator.
pub async fn import_mediamanager(cx: &Ctx<'_>, url: &str) -> Result<Report, String> {
    if url == cx.state.config.database_url.expose() {
        return Err("this is the database that the program uses: there is nothing to import, its users are here".to_owned());
    }
    let source = import_source::open(url).await?;
    let describe = |error: AuthError| format!("nothing was imported: {}", error_message(error));
    let mut tx = cx.exclusive().await.map_err(describe)?;
    let (mut report, mut last) = (Report::default(), None);
    loop {
        let batch = import_source::list_users_after(&source, last)
            .await
            .map_err(describe)?;
        let Some(end) = batch.last().map(|found| found.user.id) else {
            break;
        };
        last = Some(end);
        for found in batch {
            copy_user(&mut tx, &source, &found, &mut report)
                .await
                .map_err(describe)?;
        }
    }
    tx.commit().await.map_err(describe)?;
    let administrators = db::users::list_superusers(&cx.state.db)
        .await
        .map_err(describe)?;
    let network = &cx.client.rate_limit_key;
    let found = default_password::find(&cx.state.hasher, network, administrators).await;
    report.default_passwords = found
        .map_err(describe)?
        .into_iter()
        .map(|user| user.email)
        .collect();
    Ok(report)
}

async fn copy_user(
    tx: &mut Tx<'_>,
    source: &db::Database,
    found: &Credentials,
    report: &mut Report,
) -> Result<(), AuthError> {
    let user = &found.user;
    if db::users::find(tx.db(), user.id).await?.is_some() {
        // Skips the provider links too: a link that was removed here must not come back.
        report.known_users += 1;
        return Ok(());
    } else if is_taken(tx, &user.email).await? {
        report.refused.push(user.email.clone());
        return Ok(());
    } else {
        import_source::insert_user(tx.db(), found).await?;
        tx.record(
            AuditEvent::UserCreated,
            EventDetails::for_user(user.id).with_method("import"),
        )
        .await?;
        report.users += 1;
    }
    for link in import_source::list_links(source, user.id).await? {
        import_source::insert_link(tx.db(), &link).await?;
        report.links += 1;
    }
    Ok(())
}

/// An address that [`Email`] rejects is imported anyway and compared exactly.
async fn is_taken(tx: &Tx<'_>, address: &str) -> Result<bool, AuthError> {
    match Email::parse(address) {
        Ok(email) => db::users::is_taken(tx.db(), &email).await,
        Err(_) => db::users::is_taken_exact(tx.db(), address).await,
    }
}
