//! From an identity at the provider to an account here (SR-070 to SR-076). Everything in one transaction that runs alone, so
//! that of two first logins at once one makes the account and the other finds it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{fault_of, named};
use crate::{
    domain::{AuthError, Email, Event, Password, User, refusal::Refusal},
    server::{
        AppState,
        db::{
            self, Transaction,
            accounts::Account,
            identities::{Identity, NewIdentity},
        },
        flows::{
            events::{self, Note},
            login,
            mail::{self, Kind},
            sessions::{self, Origin, Started, Way},
            users::{self, Role},
        },
        provider::{Fault, Person},
        random,
    },
};

pub enum Entered {
    LoggedIn(Started),
    /// Somebody has an account with this address, and the provider does not say that it is this person.
    MustConnect(Person, Email),
}

/// An account about to be made.
struct New {
    email: Email,
    hash: String,
    is_trusted: bool,
}

enum Found {
    Identity(Identity),
    MustConnect(Email),
}

/// Logs in whoever the provider says this is.
///
/// # Errors
/// `EmailMissing`, `EmailUnusable`, `AccountRefused`, `NotNow`.
pub async fn enter(state: &AppState, person: Person, origin: Origin) -> Result<Entered, Fault> {
    let known = db::identities::find(&state.db, &person.issuer, &person.subject).await.map_err(fault_of)?;
    // Takes long, so it is done before the transaction, in case an account has to be made.
    let unknown_to_all = if known.is_none() { Some(unknown_to_all(state).await.map_err(fault_of)?) } else { None };
    let transaction = db::begin(&state.db).await.map_err(fault_of)?;
    db::serialize(&transaction).await.map_err(fault_of)?;
    let found = db::identities::find(&transaction, &person.issuer, &person.subject).await.map_err(fault_of)?;
    let identity = match (found, unknown_to_all) {
        (Some(identity), _) => identity,
        (None, Some(hash)) => match adopt(state, &transaction, &person, hash, &origin).await? {
            Found::Identity(identity) => identity,
            Found::MustConnect(email) => {
                db::commit(transaction).await.map_err(fault_of)?;
                return Ok(Entered::MustConnect(person, email));
            }
        },
        // It was taken away in this very moment.
        (None, None) => return Err(fault_of(AuthError::Unavailable)),
    };
    let user = db::users::find(&transaction, identity.user_id).await.map_err(fault_of)?.filter(|user| user.is_active);
    let disabled = || Fault::new(Refusal::AccountRefused, "the account is disabled", "enable it in the list of users").about(identity.user_id);
    let user = user.ok_or_else(disabled)?;
    let user = follow_email(state, &transaction, user, &identity, &person, &origin).await.map_err(fault_of)?;
    let user = login::grant_administration(state, &transaction, user, &origin).await.map_err(fault_of)?;
    let now = state.clock.now();
    // What the account and the provider agree on: an address that one of them has left is not followed later.
    let agreed = address(&person).filter(|email| user.email.eq_ignore_ascii_case(email.as_str()));
    let email = agreed.as_ref().map(Email::as_str).or(identity.email.as_deref());
    db::identities::record_login(&transaction, identity.id, email, now).await.map_err(fault_of)?;
    let way = Way::Provider { identity: identity.id, session: person.session.clone() };
    let started = sessions::start(state, &transaction, user, way, origin).await.map_err(fault_of)?;
    db::commit(transaction).await.map_err(fault_of)?;
    Ok(Entered::LoggedIn(started))
}

/// Whether the provider's address may be believed: it says so itself, or the operator says so for it (SR-073).
fn trusts_email(state: &AppState, person: &Person) -> bool {
    person.email_is_verified || (person.email.is_some() && state.config.auth.openid_connect.as_ref().is_some_and(|provider| provider.trust_email))
}

/// Finds or makes the account of an identity that is new here.
async fn adopt(state: &AppState, transaction: &Transaction, person: &Person, hash: String, origin: &Origin) -> Result<Found, Fault> {
    if let Some(user) = linked_by_mediamanager(state, transaction, person).await? {
        if db::accounts::find(transaction, user).await.map_err(fault_of)?.is_none() {
            // MediaManager gives whoever comes from the provider a password that nobody knows; a login with it says otherwise.
            db::accounts::set_passwordless(transaction, user, state.clock.now()).await.map_err(fault_of)?;
        }
        return identify(state, transaction, user, person, origin).await;
    }
    let missing = || {
        Fault::new(
            Refusal::EmailMissing,
            "the provider gives no e-mail address for this person",
            "allow the scope email for this client, and give the person an address there",
        )
    };
    let email = Email::parse(person.email.as_deref().ok_or_else(missing)?);
    let email = email.map_err(|_| {
        Fault::new(
            Refusal::EmailUnusable,
            "the provider's e-mail address for this person breaks the rule for addresses",
            "give the person an ASCII address there",
        )
    })?;
    let is_trusted = trusts_email(state, person);
    match db::users::find_by_email(transaction, &email).await.map_err(fault_of)? {
        None => create(state, transaction, person, New { email, hash, is_trusted }, origin).await,
        Some(found) if !is_trusted => must_connect(state, transaction, person, email, &found.user, origin).await,
        Some(found) if !found.user.is_active => {
            let reason = "the account with this person's address is disabled";
            Err(Fault::new(Refusal::AccountRefused, reason, "enable it in the list of users").about(found.user.id))
        }
        Some(found) => {
            if !db::accounts::is_email_verified(transaction, found.user.id).await.map_err(fault_of)? {
                make_void(state, transaction, &found.user, hash, origin).await.map_err(fault_of)?;
            }
            identify(state, transaction, found.user.id, person, origin).await
        }
    }
}

/// Asks for the password of the account that has the address. One that nobody ever knew cannot be asked for.
async fn must_connect(state: &AppState, transaction: &Transaction, person: &Person, email: Email, user: &User, origin: &Origin) -> Result<Found, Fault> {
    let fix = "let it confirm addresses, or set policy.openid_connect.trust_email = true if nobody can choose a stranger's address there";
    let account = db::accounts::find(transaction, user.id).await.map_err(fault_of)?;
    if account.is_some_and(|account| account.is_passwordless) {
        let reason =
            format!("the account with the address of {} has no password to prove it with, and the provider does not say email_verified: true", named(person));
        return Err(Fault::new(Refusal::AccountRefused, reason, fix).about(user.id));
    }
    let why = format!("the provider does not say email_verified: true; {fix}");
    events::record(state, transaction, Event::ConnectionAsked, origin, Note::of(user.id).detail(&why)).await.map_err(fault_of)?;
    Ok(Found::MustConnect(email))
}

/// The user whom MediaManager's own login has linked to this person. Its address is not proven by that: MediaManager never read
/// `email_verified`, and the account may still have a password that a stranger chose.
async fn linked_by_mediamanager(state: &AppState, transaction: &Transaction, person: &Person) -> Result<Option<uuid::Uuid>, Fault> {
    let Some(provider) = &state.config.auth.openid_connect else { return Ok(None) };
    let users = db::identities::find_linked_by_mediamanager(transaction, &provider.name, &person.subject).await.map_err(fault_of)?;
    match users[..] {
        [] => Ok(None),
        [user] => Ok(Some(user)),
        _ => Err(Fault::new(
            Refusal::AccountRefused,
            format!("MediaManager has linked {} users to {}", users.len(), named(person)),
            "delete all but one of these rows in oauth_account",
        )),
    }
}

/// An ordinary account, approved because the provider vouches for the person, with a password that nobody knows.
async fn create(state: &AppState, transaction: &Transaction, person: &Person, new: New, origin: &Origin) -> Result<Found, Fault> {
    let New { email, hash, is_trusted } = new;
    let new = users::New { email, hashed_password: hash, role: Role::Member, email_is_proven: is_trusted, is_passwordless: true, by: PROVIDER.to_owned() };
    let user = users::insert(state, transaction, new).await.map_err(fault_of)?;
    let note = Note::of(user.id).method(PROVIDER).detail(Role::Member.name());
    events::record(state, transaction, Event::UserCreated, origin, note).await.map_err(fault_of)?;
    identify(state, transaction, user.id, person, origin).await
}

async fn identify(state: &AppState, transaction: &Transaction, user: uuid::Uuid, person: &Person, origin: &Origin) -> Result<Found, Fault> {
    let email = address(person);
    let new = NewIdentity { user, issuer: &person.issuer, subject: &person.subject, email: email.as_ref().map(Email::as_str) };
    let identity = db::identities::insert(transaction, new, state.clock.now()).await.map_err(fault_of)?;
    events::record(state, transaction, Event::IdentityLinked, origin, Note::of(user).method("oidc")).await.map_err(fault_of)?;
    Ok(Found::Identity(identity))
}

/// Somebody made this account before its address was proven, and it may have been a stranger who waits for the owner. What they
/// set is void: the password, the sessions, the links (SR-037).
async fn make_void(state: &AppState, transaction: &Transaction, user: &User, hash: String, origin: &Origin) -> Result<(), AuthError> {
    let now = state.clock.now();
    db::users::set_hash(transaction, user.id, hash).await?;
    db::sessions::revoke_all(transaction, user.id, now).await?;
    db::identities::delete_for_user(transaction, user.id).await?;
    db::accounts::set_email_verified_without_password(transaction, user.id, now).await?;
    mail::void_links(transaction, user, now).await?;
    events::record(state, transaction, Event::AccountMadeVoid, origin, Note::of(user.id).method("oidc")).await
}

/// The stored address follows the provider's, if that is verified there and free here (SR-071). Not on an account that may still have
/// a stranger's password: the owner of the new address must not find themselves in it.
async fn follow_email(
    state: &AppState,
    transaction: &Transaction,
    user: User,
    identity: &Identity,
    person: &Person,
    origin: &Origin,
) -> Result<User, AuthError> {
    let Some(email) = address(person) else { return Ok(user) };
    let is_the_same = user.email.eq_ignore_ascii_case(email.as_str());
    let was_the_same = identity.email.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(&user.email));
    if !is_the_same && !was_the_same {
        // Somebody has given the account an address of its own, or connected two that never had the same. A line and no row, because it is
        // so at every login.
        let why = "the account's address was another than the provider's before";
        events::log(state, Event::AddressKept, origin, Note::of(user.id).method("oidc").detail(why));
        return Ok(user);
    }
    let account = db::accounts::find(transaction, user.id).await?;
    let is_proven = account.as_ref().is_some_and(|account| account.email_verified_at.is_some());
    let is_its_owners = is_proven || account.is_some_and(|account| was_made_for_them(&account));
    let why_not = if !trusts_email(state, person) {
        Some("the provider does not say email_verified: true for its address")
    } else if !is_its_owners {
        Some("nobody has proven the account's address, so its password may be a stranger's")
    } else if !is_the_same && db::users::is_taken(transaction, &email).await? {
        Some("another account has the provider's address")
    } else {
        None
    };
    if let Some(why_not) = why_not {
        if !is_the_same {
            events::record(state, transaction, Event::AddressKept, origin, Note::of(user.id).method("oidc").detail(why_not)).await?;
        }
        return Ok(user);
    }
    if !is_proven || !is_the_same {
        db::accounts::set_email_verified(transaction, user.id, state.clock.now()).await?;
    }
    if is_the_same {
        return Ok(user);
    }
    db::users::set_email(transaction, user.id, &email).await?;
    mail::void_links(transaction, &user, state.clock.now()).await?;
    mail::notify(state, transaction, Kind::AddressChanged, &user, origin).await?;
    events::record(state, transaction, Event::AddressFollowed, origin, Note::of(user.id).method("oidc")).await?;
    Ok(User { email: email.as_str().to_owned(), ..user })
}

/// Whether an account was made for whoever the provider sends, with a password that nobody has ever known. Not one that MediaManager has
/// linked, although nobody is known to know its password: somebody may have chosen one there (SR-037).
#[must_use]
pub fn was_made_for_them(account: &Account) -> bool {
    account.is_passwordless && account.approved_by.as_deref() == Some(PROVIDER)
}

/// Who made an account that nobody here has made, and who vouches for it.
const PROVIDER: &str = "provider";

/// The provider's address for a person, if it can be one here.
pub(super) fn address(person: &Person) -> Option<Email> {
    Email::parse(person.email.as_deref()?).ok()
}

/// The hash of a password that nobody knows, not even this program a moment later.
///
/// # Errors
/// `Busy`.
pub async fn unknown_to_all(state: &AppState) -> Result<String, AuthError> {
    let password = Password::parse(URL_SAFE_NO_PAD.encode(random::bytes::<32>()))?;
    state.hasher.hash(state.hasher.admit().await?, password).await
}
