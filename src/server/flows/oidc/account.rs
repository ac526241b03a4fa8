//! From an identity at the provider to an account here (SR-070 to SR-076). The decisions are pure
//! functions in `domain::external_user`; here the facts are looked up and the decisions carried out,
//! in one exclusive transaction, so that of two first logins at once one creates the account and the
//! other finds it.

use uuid::Uuid;

use super::describe_identity;
use crate::{
    domain::{
        AuditEvent, AuthError, Email, ExternalUser, GrantSource, LoginMethod, User,
        external_user::{
            AccountDecision, AccountFacts, EmailSync, Grant, UnusableEmail, decide, match_account,
            sync_email,
        },
        oidc_error::OidcError,
    },
    server::{
        db::{
            self,
            accounts::Account,
            identities::{Identity, NewIdentity},
        },
        flows::{
            Ctx, Tx,
            events::EventDetails,
            login::{self, FirstFactor, IdentityRef, Login},
            mail::{self, MailKind},
            users::{self, Role},
        },
        oidc::{OidcFailure, Provider},
    },
};

const HINT_ENABLE: &str = "enable it in the list of users";

pub enum LoginResult {
    LoggedIn(Login),
    /// An account has this address, and the provider does not say that it is this person's.
    LinkRequired(ExternalUser, Email),
}

enum AccountMatch {
    Identity(Identity),
    LinkRequired(Email),
}

/// An external user at their provider, with what the provider's claims grant them.
struct ExternalLogin<'a> {
    provider: &'a Provider,
    user: &'a ExternalUser,
    grant: Grant,
}

/// Logs in the person who has proven to the provider to be this user.
///
/// # Errors
/// `EmailMissing`, `InvalidEmail`, `LoginNotAllowed`, `TemporarilyUnavailable`.
pub async fn log_in_external_user(
    cx: &Ctx<'_>,
    provider: &Provider,
    external: ExternalUser,
) -> Result<LoginResult, OidcFailure> {
    let external_login = ExternalLogin {
        provider,
        user: &external,
        grant: decide(provider.config().rules, &external),
    };
    let mut tx = cx.exclusive().await?;
    let found = db::identities::find(tx.db(), &external.issuer, &external.subject).await?;
    let identity = match found {
        Some(identity) => identity,
        None => match find_or_create_account(&mut tx, &external_login).await? {
            AccountMatch::Identity(identity) => identity,
            AccountMatch::LinkRequired(email) => {
                tx.commit().await?;
                return Ok(LoginResult::LinkRequired(external, email));
            }
        },
    };
    let user = db::users::find(tx.db(), identity.user_id)
        .await?
        .filter(|user| user.is_active);
    let disabled = || {
        OidcFailure::new(
            OidcError::LoginNotAllowed,
            "the account is disabled",
            HINT_ENABLE,
        )
        .for_user(identity.user_id)
    };
    let user = user.ok_or_else(disabled)?;
    let user = apply_email_sync(&mut tx, user, &identity, &external_login.grant).await?;
    // Stored only while account and provider agree: once they diverge, later changes at the
    // provider are ignored.
    let email = external_login.grant.email.as_ref().ok();
    let agreed = email.filter(|email| user.email.eq_ignore_ascii_case(email.as_str()));
    let email = agreed.map(Email::as_str).or(identity.email.as_deref());
    db::identities::record_login(tx.db(), identity.id, email, tx.now()).await?;
    let identity = Some(IdentityRef {
        id: identity.id,
        provider_session: external.session.clone(),
    });
    let login = login::complete(
        &mut tx,
        FirstFactor {
            user,
            method: LoginMethod::Oidc,
            identity,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(LoginResult::LoggedIn(login))
}

/// Finds or creates the account of an identity that is new here.
async fn find_or_create_account(
    tx: &mut Tx<'_>,
    external: &ExternalLogin<'_>,
) -> Result<AccountMatch, OidcFailure> {
    if let Some(user) = find_linked_by_mediamanager(tx, external).await? {
        if db::accounts::find(tx.db(), user).await?.is_none() {
            // MediaManager gives accounts from the provider a random password. A login with the
            // password would show that somebody knows it.
            db::accounts::set_passwordless(tx.db(), user, tx.now()).await?;
        }
        return insert_identity(tx, user, external).await;
    }
    let email = external.grant.email.clone().map_err(unusable_email)?;
    let found = db::users::find_by_email(tx.db(), &email).await?;
    let (user, facts) = match found {
        Some(found) => {
            let account = db::accounts::find(tx.db(), found.user.id).await?;
            let facts = account_facts(&found.user, account.as_ref());
            (Some(found.user), Some(facts))
        }
        None => (None, None),
    };
    match (match_account(external.grant.is_email_trusted, facts), user) {
        (AccountDecision::Link, Some(user)) => insert_identity(tx, user.id, external).await,
        (AccountDecision::LinkAndRevokeCredentials, Some(user)) => {
            revoke_unverified_credentials(tx, &user).await?;
            insert_identity(tx, user.id, external).await
        }
        (AccountDecision::ConfirmWithPassword, Some(user)) => {
            let reason =
                format!("the provider does not say email_verified: true; {HINT_VERIFY_EMAIL}");
            tx.record(
                AuditEvent::LinkConfirmationRequired,
                EventDetails::for_user(user.id).with_detail(&reason),
            )
            .await?;
            Ok(AccountMatch::LinkRequired(email))
        }
        (AccountDecision::RefuseDisabled, Some(user)) => Err(OidcFailure::new(
            OidcError::LoginNotAllowed,
            "the account with this person's address is disabled",
            HINT_ENABLE,
        )
        .for_user(user.id)),
        (AccountDecision::RefuseUnprovable, Some(user)) => {
            let reason = format!(
                "the account with the address of {} has no password to prove it with, and the provider does not say email_verified: true",
                describe_identity(external.user)
            );
            let failure = OidcFailure::new(OidcError::LoginNotAllowed, reason, HINT_VERIFY_EMAIL);
            Err(failure.for_user(user.id))
        }
        (AccountDecision::Create, _) | (_, None) => create(tx, external, email).await,
    }
}

const HINT_VERIFY_EMAIL: &str = "let it confirm addresses, or set policy.openid_connect.trust_unverified_email = true if nobody can choose a stranger's address there";

fn unusable_email(reason: UnusableEmail) -> OidcFailure {
    match reason {
        UnusableEmail::Missing => OidcFailure::new(
            OidcError::EmailMissing,
            "the provider gives no e-mail address for this person",
            "allow the scope email for this client, and give the person an address there",
        ),
        UnusableEmail::Malformed => OidcFailure::new(
            OidcError::InvalidEmail,
            "the provider's e-mail address for this person breaks the rule for addresses",
            "give the person an ASCII address there",
        ),
    }
}

fn account_facts(user: &User, account: Option<&Account>) -> AccountFacts {
    AccountFacts {
        is_active: user.is_active,
        is_email_verified: account.is_some_and(|account| account.email_verified_at.is_some()),
        is_passwordless: account.is_some_and(|account| account.is_passwordless),
        is_created_by_provider: account.is_some_and(created_by_provider),
    }
}

/// The user whom MediaManager's own login has linked to this person. That does not verify the
/// address: MediaManager never read `email_verified`, and the account may still have a password that
/// a stranger chose.
async fn find_linked_by_mediamanager(
    tx: &Tx<'_>,
    external: &ExternalLogin<'_>,
) -> Result<Option<Uuid>, OidcFailure> {
    let name = &external.provider.config().name;
    let subject = &external.user.subject;
    let users = db::identities::find_linked_by_mediamanager(tx.db(), name, subject).await?;
    match users[..] {
        [] => Ok(None),
        [user] => Ok(Some(user)),
        _ => Err(OidcFailure::new(
            OidcError::LoginNotAllowed,
            format!(
                "MediaManager has linked {} users to {}",
                users.len(),
                describe_identity(external.user)
            ),
            "delete all but one of these rows in oauth_account",
        )),
    }
}

/// Creates an ordinary account, approved because the provider vouches for the person, with a
/// password that nobody knows.
async fn create(
    tx: &mut Tx<'_>,
    external: &ExternalLogin<'_>,
    email: Email,
) -> Result<AccountMatch, OidcFailure> {
    let new = users::NewUserAccount {
        email,
        hashed_password: tx.cx().state.hasher.unmatchable_hash()?,
        role: Role::Member,
        is_email_verified: external.grant.is_email_trusted,
        is_passwordless: true,
        created_by: GrantSource::Provider.name().to_owned(),
    };
    let user = users::insert_user(tx, new).await?;
    let details = EventDetails::for_user(user.id)
        .with_method(GrantSource::Provider.name())
        .with_detail(Role::Member.name());
    tx.record(AuditEvent::UserCreated, details).await?;
    insert_identity(tx, user.id, external).await
}

async fn insert_identity(
    tx: &mut Tx<'_>,
    user: Uuid,
    external: &ExternalLogin<'_>,
) -> Result<AccountMatch, OidcFailure> {
    let new = NewIdentity {
        user,
        issuer: &external.user.issuer,
        subject: &external.user.subject,
        email: external.grant.email.as_ref().ok().map(Email::as_str),
    };
    let identity = db::identities::insert(tx.db(), new, tx.now()).await?;
    tx.record(
        AuditEvent::IdentityLinked,
        EventDetails::for_user(user).with_method("oidc"),
    )
    .await?;
    Ok(AccountMatch::Identity(identity))
}

/// Revokes the password, the sessions, the identities and the links of an account that was created
/// before its address was verified, perhaps by a stranger who waits for the owner (SR-037).
async fn revoke_unverified_credentials(tx: &mut Tx<'_>, user: &User) -> Result<(), AuthError> {
    let now = tx.now();
    let hash = tx.cx().state.hasher.unmatchable_hash()?;
    db::users::set_hash(tx.db(), user.id, hash).await?;
    db::sessions::revoke_all(tx.db(), user.id, now).await?;
    db::identities::delete_for_user(tx.db(), user.id).await?;
    db::accounts::set_email_verified_without_password(tx.db(), user.id, now).await?;
    mail::revoke_links(tx, user).await?;
    tx.record(
        AuditEvent::UnverifiedCredentialsRevoked,
        EventDetails::for_user(user.id).with_method("oidc"),
    )
    .await
}

/// Follows the provider's address, if the decision allows it and no other account has it (SR-071).
async fn apply_email_sync(
    tx: &mut Tx<'_>,
    user: User,
    identity: &Identity,
    grant: &Grant,
) -> Result<User, AuthError> {
    let Ok(email) = &grant.email else {
        return Ok(user);
    };
    let account = db::accounts::find(tx.db(), user.id).await?;
    let facts = account_facts(&user, account.as_ref());
    let skipped = match sync_email(grant, identity.email.as_deref(), &user.email, facts) {
        EmailSync::Keep => return Ok(user),
        EmailSync::SetVerified => {
            db::accounts::set_email_verified(tx.db(), user.id, tx.now()).await?;
            return Ok(user);
        }
        EmailSync::Diverged => {
            // A line in the log and no row, because it is so at every login.
            let reason = "the account's address was another than the provider's before";
            tx.log(AuditEvent::EmailSyncSkipped, sync_details(&user, reason));
            return Ok(user);
        }
        EmailSync::Untrusted => "the provider does not say email_verified: true for its address",
        EmailSync::Unverified => {
            "nobody has proven the account's address, so its password may be a stranger's"
        }
        EmailSync::Change if db::users::is_taken(tx.db(), email).await? => {
            "another account has the provider's address"
        }
        EmailSync::Change => return change_email(tx, user, email).await,
    };
    tx.record(AuditEvent::EmailSyncSkipped, sync_details(&user, skipped))
        .await?;
    Ok(user)
}

fn sync_details<'a>(user: &User, reason: &'a str) -> EventDetails<'a> {
    EventDetails::for_user(user.id)
        .with_method("oidc")
        .with_detail(reason)
}

async fn change_email(tx: &mut Tx<'_>, user: User, email: &Email) -> Result<User, AuthError> {
    db::accounts::set_email_verified(tx.db(), user.id, tx.now()).await?;
    db::users::set_email(tx.db(), user.id, email).await?;
    mail::revoke_links(tx, &user).await?;
    mail::notify(tx, MailKind::EmailChanged, &user).await?;
    tx.record(
        AuditEvent::EmailSynced,
        EventDetails::for_user(user.id).with_method("oidc"),
    )
    .await?;
    Ok(User {
        email: email.as_str().to_owned(),
        ..user
    })
}

/// Whether an account was created for an external user, with a password that nobody has ever known.
/// An account that MediaManager has linked is not one, although nobody is known to know its
/// password: somebody may have chosen one there (SR-037).
pub fn created_by_provider(account: &Account) -> bool {
    account.is_passwordless && account.approved_by.as_deref() == Some(GrantSource::Provider.name())
}
