//! From an identity at the provider to an account here (SR-070 to SR-076). Everything in one
//! transaction that runs alone, so that of two first logins at once one makes the account and the
//! other finds it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::describe_identity;
use crate::{
    domain::{AuditEvent, AuthError, Email, Password, User, oidc_error::OidcError},
    server::{
        AppState,
        crypto::random,
        db::{
            self,
            accounts::Account,
            identities::{Identity, NewIdentity},
        },
        flows::{
            Ctx, Tx,
            events::EventDetails,
            login::{self, FirstFactor, IdentityRef, Login, LoginMethod},
            mail::{self, MailKind},
            users::{self, Role},
        },
        oidc::{ExternalUser, OidcFailure},
    },
};

pub enum LoginResult {
    LoggedIn(Login),
    /// Somebody has an account with this address, and the provider does not say that it is this
    /// person.
    LinkRequired(ExternalUser, Email),
}

/// An account about to be made.
struct NewExternalAccount {
    email: Email,
    hash: String,
    is_trusted: bool,
}

enum AccountMatch {
    Identity(Identity),
    LinkRequired(Email),
}

/// Logs in whoever the provider says this is.
///
/// # Errors
/// `EmailMissing`, `EmailUnusable`, `AccountRefused`, `NotNow`.
pub async fn log_in_external_user(
    cx: &Ctx<'_>,
    external: ExternalUser,
) -> Result<LoginResult, OidcFailure> {
    let known = db::identities::find(&cx.state.db, &external.issuer, &external.subject).await?;
    // Takes long, so it is done before the transaction, in case an account has to be made.
    let unknown_to_all = if known.is_none() {
        Some(random_password_hash(cx.state).await?)
    } else {
        None
    };
    let mut tx = cx.exclusive().await?;
    let found = db::identities::find(tx.db(), &external.issuer, &external.subject).await?;
    let identity = match (found, unknown_to_all) {
        (Some(identity), _) => identity,
        (None, Some(hash)) => match find_or_create_account(&mut tx, &external, hash).await? {
            AccountMatch::Identity(identity) => identity,
            AccountMatch::LinkRequired(email) => {
                tx.commit().await?;
                return Ok(LoginResult::LinkRequired(external, email));
            }
        },
        // It was taken away in this very moment.
        (None, None) => return Err(AuthError::Unavailable.into()),
    };
    let user = db::users::find(tx.db(), identity.user_id)
        .await?
        .filter(|user| user.is_active);
    let disabled = || {
        OidcFailure::new(
            OidcError::LoginNotAllowed,
            "the account is disabled",
            "enable it in the list of users",
        )
        .about(identity.user_id)
    };
    let user = user.ok_or_else(disabled)?;
    let user = sync_email(&mut tx, user, &identity, &external).await?;
    // What the account and the provider agree on: an address that one of them has left is not
    // followed later.
    let agreed =
        email_of(&external).filter(|email| user.email.eq_ignore_ascii_case(email.as_str()));
    let email = agreed
        .as_ref()
        .map(Email::as_str)
        .or(identity.email.as_deref());
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

/// Whether the provider's address may be believed: it says so itself, or the operator says so for
/// it (SR-073).
fn is_email_trusted(state: &AppState, external: &ExternalUser) -> bool {
    external.is_email_verified
        || (external.email.is_some()
            && state
                .config
                .auth
                .openid_connect
                .as_ref()
                .is_some_and(|provider| provider.trust_unverified_email))
}

/// Finds or makes the account of an identity that is new here.
async fn find_or_create_account(
    tx: &mut Tx<'_>,
    external: &ExternalUser,
    hash: String,
) -> Result<AccountMatch, OidcFailure> {
    if let Some(user) = find_linked_by_mediamanager(tx, external).await? {
        if db::accounts::find(tx.db(), user).await?.is_none() {
            // MediaManager gives whoever comes from the provider a password that nobody knows; a
            // login with it says otherwise.
            db::accounts::set_passwordless(tx.db(), user, tx.now()).await?;
        }
        return insert_identity(tx, user, external).await;
    }
    let missing = || {
        OidcFailure::new(
            OidcError::EmailMissing,
            "the provider gives no e-mail address for this person",
            "allow the scope email for this client, and give the person an address there",
        )
    };
    let email = Email::parse(external.email.as_deref().ok_or_else(missing)?);
    let email = email.map_err(|_| {
        OidcFailure::new(
            OidcError::InvalidEmail,
            "the provider's e-mail address for this person breaks the rule for addresses",
            "give the person an ASCII address there",
        )
    })?;
    let is_trusted = is_email_trusted(tx.cx().state, external);
    match db::users::find_by_email(tx.db(), &email).await? {
        None => {
            create(
                tx,
                external,
                NewExternalAccount {
                    email,
                    hash,
                    is_trusted,
                },
            )
            .await
        }
        Some(found) if !is_trusted => require_link(tx, external, email, &found.user).await,
        Some(found) if !found.user.is_active => {
            let reason = "the account with this person's address is disabled";
            Err(OidcFailure::new(
                OidcError::LoginNotAllowed,
                reason,
                "enable it in the list of users",
            )
            .about(found.user.id))
        }
        Some(found) => {
            if !db::accounts::is_email_verified(tx.db(), found.user.id).await? {
                revoke_unverified_credentials(tx, &found.user, hash).await?;
            }
            insert_identity(tx, found.user.id, external).await
        }
    }
}

/// Asks for the password of the account that has the address. One that nobody ever knew cannot be
/// asked for.
async fn require_link(
    tx: &mut Tx<'_>,
    external: &ExternalUser,
    email: Email,
    user: &User,
) -> Result<AccountMatch, OidcFailure> {
    let fix = "let it confirm addresses, or set policy.openid_connect.trust_unverified_email = true if nobody can choose a stranger's address there";
    let account = db::accounts::find(tx.db(), user.id).await?;
    if account.is_some_and(|account| account.is_passwordless) {
        let reason = format!(
            "the account with the address of {} has no password to prove it with, and the provider does not say email_verified: true",
            describe_identity(external)
        );
        return Err(OidcFailure::new(OidcError::LoginNotAllowed, reason, fix).about(user.id));
    }
    let why = format!("the provider does not say email_verified: true; {fix}");
    tx.record(
        AuditEvent::LinkConfirmationRequired,
        EventDetails::for_user(user.id).with_detail(&why),
    )
    .await?;
    Ok(AccountMatch::LinkRequired(email))
}

/// The user whom MediaManager's own login has linked to this person. Its address is not proven by
/// that: MediaManager never read `email_verified`, and the account may still have a password that a
/// stranger chose.
async fn find_linked_by_mediamanager(
    tx: &Tx<'_>,
    external: &ExternalUser,
) -> Result<Option<uuid::Uuid>, OidcFailure> {
    let Some(provider) = &tx.cx().state.config.auth.openid_connect else {
        return Ok(None);
    };
    let users =
        db::identities::find_linked_by_mediamanager(tx.db(), &provider.name, &external.subject)
            .await?;
    match users[..] {
        [] => Ok(None),
        [user] => Ok(Some(user)),
        _ => Err(OidcFailure::new(
            OidcError::LoginNotAllowed,
            format!(
                "MediaManager has linked {} users to {}",
                users.len(),
                describe_identity(external)
            ),
            "delete all but one of these rows in oauth_account",
        )),
    }
}

/// An ordinary account, approved because the provider vouches for the person, with a password that
/// nobody knows.
async fn create(
    tx: &mut Tx<'_>,
    external: &ExternalUser,
    new: NewExternalAccount,
) -> Result<AccountMatch, OidcFailure> {
    let NewExternalAccount {
        email,
        hash,
        is_trusted,
    } = new;
    let new = users::NewUserAccount {
        email,
        hashed_password: hash,
        role: Role::Member,
        is_email_verified: is_trusted,
        is_passwordless: true,
        created_by: GRANTED_BY_PROVIDER.to_owned(),
    };
    let user = users::insert_user(tx, new).await?;
    let note = EventDetails::for_user(user.id)
        .with_method(GRANTED_BY_PROVIDER)
        .with_detail(Role::Member.name());
    tx.record(AuditEvent::UserCreated, note).await?;
    insert_identity(tx, user.id, external).await
}

async fn insert_identity(
    tx: &mut Tx<'_>,
    user: uuid::Uuid,
    external: &ExternalUser,
) -> Result<AccountMatch, OidcFailure> {
    let email = email_of(external);
    let new = NewIdentity {
        user,
        issuer: &external.issuer,
        subject: &external.subject,
        email: email.as_ref().map(Email::as_str),
    };
    let identity = db::identities::insert(tx.db(), new, tx.now()).await?;
    tx.record(
        AuditEvent::IdentityLinked,
        EventDetails::for_user(user).with_method("oidc"),
    )
    .await?;
    Ok(AccountMatch::Identity(identity))
}

/// Somebody made this account before its address was proven, and it may have been a stranger who
/// waits for the owner. What they set is void: the password, the sessions, the links (SR-037).
async fn revoke_unverified_credentials(
    tx: &mut Tx<'_>,
    user: &User,
    hash: String,
) -> Result<(), AuthError> {
    let now = tx.now();
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

/// The stored address follows the provider's, if that is verified there and free here (SR-071). Not
/// on an account that may still have a stranger's password: the owner of the new address must not
/// find themselves in it.
async fn sync_email(
    tx: &mut Tx<'_>,
    user: User,
    identity: &Identity,
    external: &ExternalUser,
) -> Result<User, AuthError> {
    let Some(email) = email_of(external) else {
        return Ok(user);
    };
    let is_the_same = user.email.eq_ignore_ascii_case(email.as_str());
    let was_the_same = identity
        .email
        .as_ref()
        .is_some_and(|known| known.eq_ignore_ascii_case(&user.email));
    if !is_the_same && !was_the_same {
        // Somebody has given the account an address of its own, or connected two that never had the
        // same. A line and no row, because it is so at every login.
        let why = "the account's address was another than the provider's before";
        tx.log(
            AuditEvent::EmailSyncSkipped,
            EventDetails::for_user(user.id)
                .with_method("oidc")
                .with_detail(why),
        );
        return Ok(user);
    }
    let account = db::accounts::find(tx.db(), user.id).await?;
    let is_proven = account
        .as_ref()
        .is_some_and(|account| account.email_verified_at.is_some());
    let is_its_owners = is_proven || account.is_some_and(|account| created_by_provider(&account));
    let why_not = if !is_email_trusted(tx.cx().state, external) {
        Some("the provider does not say email_verified: true for its address")
    } else if !is_its_owners {
        Some("nobody has proven the account's address, so its password may be a stranger's")
    } else if !is_the_same && db::users::is_taken(tx.db(), &email).await? {
        Some("another account has the provider's address")
    } else {
        None
    };
    if let Some(why_not) = why_not {
        if !is_the_same {
            tx.record(
                AuditEvent::EmailSyncSkipped,
                EventDetails::for_user(user.id)
                    .with_method("oidc")
                    .with_detail(why_not),
            )
            .await?;
        }
        return Ok(user);
    }
    if !is_proven || !is_the_same {
        db::accounts::set_email_verified(tx.db(), user.id, tx.now()).await?;
    }
    if is_the_same {
        return Ok(user);
    }
    db::users::set_email(tx.db(), user.id, &email).await?;
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

/// Whether an account was made for whoever the provider sends, with a password that nobody has ever
/// known. Not one that MediaManager has linked, although nobody is known to know its password:
/// somebody may have chosen one there (SR-037).
pub fn created_by_provider(account: &Account) -> bool {
    account.is_passwordless && account.approved_by.as_deref() == Some(GRANTED_BY_PROVIDER)
}

/// Who made an account that nobody here has made, and who vouches for it.
const GRANTED_BY_PROVIDER: &str = "provider";

/// The provider's address for a person, if it can be one here.
pub(super) fn email_of(external: &ExternalUser) -> Option<Email> {
    Email::parse(external.email.as_deref()?).ok()
}

/// The hash of a password that nobody knows, not even this program a moment later.
///
/// # Errors
/// `Busy`.
pub async fn random_password_hash(state: &AppState) -> Result<String, AuthError> {
    let password = Password::parse(URL_SAFE_NO_PAD.encode(random::bytes::<32>()))?;
    state
        .hasher
        .hash(state.hasher.acquire_slot().await?, password)
        .await
}
