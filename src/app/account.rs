use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    logout::LogOutForm,
    notice::Notice,
    page_context::{AdminNotices, Timestamp, page_context},
    paths, ui,
};
use crate::domain::AuthError;

pub mod delete;
pub mod email;
pub mod link_identity;
pub mod password;
pub mod reauthenticate;
pub mod verify_email;

/// What belongs to whoever is logged in.
#[derive(Clone)]
pub struct AccountView {
    pub sessions: Vec<SessionRow>,
    pub identities: Vec<IdentityRow>,
    pub has_password: bool,
}

/// A browser in which somebody is logged in.
#[derive(Clone)]
pub struct SessionRow {
    pub id: String,
    /// Browser and system, in words.
    pub browser: String,
    pub since: Timestamp,
    pub client_ip: String,
    /// How the session began, in words.
    pub login_method: String,
    /// The session that asks.
    pub is_current: bool,
}

/// An account at a provider.
#[derive(Clone)]
pub struct IdentityRow {
    pub id: String,
    /// The provider's name, or its address where it is not the configured one.
    pub provider: String,
    pub is_configured: bool,
    /// The address there.
    pub email: Option<String>,
    pub since: Timestamp,
    pub last_login: Timestamp,
}

/// Ends one of the person's own sessions, or all but this one.
#[server(prefix = "", endpoint = "account")]
pub async fn revoke_session(#[server(default)] session: String) -> Result<(), AuthError> {
    use crate::server::{flows::sessions, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    if session == ALL_OTHER_SESSIONS {
        sessions::revoke_own_others(&auth.ctx(&state), current).await?;
    } else {
        let session = session.parse().map_err(|_| AuthError::NotFound)?;
        sessions::revoke_own(&auth.ctx(&state), current, session).await?;
        if session == current.session() {
            server_fn::clear_session_cookie(&state)?;
        }
    }
    server_fn::redirect(&paths::ACCOUNT, Notice::SessionEnded);
    Ok(())
}

const NOTICES: [Notice; 7] = [
    Notice::EmailVerified,
    Notice::EmailChangeSent,
    Notice::EmailChanged,
    Notice::PasswordChanged,
    Notice::SessionEnded,
    Notice::ProviderLinked,
    Notice::ProviderUnlinked,
];

/// In place of a session's id.
const ALL_OTHER_SESSIONS: &str = "others";

/// `/account`: who I am, and where.
#[component]
pub fn AccountPage(
    account: AccountView,
    /// The address is not verified, and can be by mail.
    needs_verification: bool,
) -> impl IntoView {
    let cx = page_context();
    let viewer = cx.viewer.clone();
    let (is_superuser, is_verified) = viewer.as_ref().map_or((false, false), |viewer| {
        (viewer.is_superuser, viewer.is_verified)
    });
    let role = match (is_superuser, is_verified) {
        (true, _) => "Administrator",
        (false, true) => "Member",
        (false, false) => "Waiting for approval",
    };
    let state = ui::FormState::new(cx.field_error());
    view! {
        <ui::Layout title="Your account" has_error=cx.has_error()>
            <h1>"Your account"</h1>
            <ui::FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <dl class="facts">
                <dt>"E-mail"</dt>
                <dd>{viewer.as_ref().map(|viewer| viewer.email.clone())}{needs_verification.then(|| view! { " "<a href=paths::PENDING_APPROVAL.path>"Confirm it"</a> })}</dd>
                <dt>"Role"</dt>
                <dd>{role}</dd>
                <dt>"Logged in since"</dt>
                <dd>{viewer.map(|viewer| view! { <ui::Time at=viewer.logged_in_at/> })}</dd>
            </dl>
            <LogOutForm/>
            <LoginMethods has_password=account.has_password identities=account.identities/>
            <Sessions sessions=account.sessions/>
            {cx.admin.clone().map(|admin| view! { <ConfigurationCard admin/> })}
            <p class="links"><a href=paths::DELETE_ACCOUNT.path>"Delete my account"</a></p>
        </ui::Layout>
    }
    .into_any()
}

#[component]
fn LoginMethods(has_password: bool, identities: Vec<IdentityRow>) -> impl IntoView {
    let cx = page_context();
    let is_connected = identities.iter().any(|identity| identity.is_configured);
    let connect = cx.provider.clone().filter(|_| !is_connected).map(|provider| {
        view! { <li><a href=paths::LINK_IDENTITY.path>{format!("Connect {}", provider.name)}</a></li> }
    });
    let identities: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            view! {
                <li>
                    <strong>{identity.provider.clone()}</strong>
                    {identity.email.map(|email| format!(", {email}"))}
                    ". "
                    <a href=format!("{}?identity={}", paths::UNLINK_IDENTITY.path, identity.id)>{format!("Disconnect {}", identity.provider)}</a>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card">
            <h2>"Login methods"</h2>
            <ul>
                <li><a href=paths::PASSWORD.path>{if has_password { "Change password" } else { "Choose a password" }}</a></li>
                <li><a href=paths::CHANGE_EMAIL.path>"Change e-mail"</a></li>
                {identities}
                {connect}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Sessions(sessions: Vec<SessionRow>) -> impl IntoView {
    let has_others = sessions.len() > 1;
    let lines: Vec<_> = sessions
        .into_iter()
        .map(|session| view! { <SessionItem session/> })
        .collect();
    let end_others = has_others.then(|| {
        view! {
            <ui::PostForm action=RevokeSession::PATH>
                <input type="hidden" name="session" value=ALL_OTHER_SESSIONS/>
                <button type="submit" class="secondary">"End all other sessions"</button>
            </ui::PostForm>
        }
    });
    view! {
        <section class="card">
            <h2>"Where you are logged in"</h2>
            <ul class="lines">{lines}</ul>
            {end_others}
        </section>
    }
    .into_any()
}

#[component]
fn SessionItem(session: SessionRow) -> impl IntoView {
    let action = if session.is_current {
        Either::Left(view! { <span class="badge">"This browser"</span> })
    } else {
        let (id, of_browser) = (
            session.id.clone(),
            format!(" the session of {}", session.browser),
        );
        Either::Right(view! {
            <ui::PostForm action=RevokeSession::PATH>
                <input type="hidden" name="session" value=id/>
                <button type="submit" class="secondary">"End"<span class="visually-hidden">{of_browser}</span></button>
            </ui::PostForm>
        })
    };
    view! {
        <li>
            <SessionDescription session/>
            {action}
        </li>
    }
    .into_any()
}

/// A session in words.
#[component]
pub fn SessionDescription(session: SessionRow) -> impl IntoView {
    view! {
        <div>
            <strong>{session.browser}</strong>
            <p class="hint">{session.login_method}", from "{session.client_ip}", since "<ui::Time at=session.since/></p>
        </div>
    }
}

/// What only an administrator sees: what to mend in the configuration, and what to paste into the
/// provider's.
#[component]
fn ConfigurationCard(admin: AdminNotices) -> impl IntoView {
    let warnings: Vec<_> = admin
        .warnings
        .into_iter()
        .map(|warning| view! { <p class="warning">{warning}</p> })
        .collect();
    let redirect_uri = admin.redirect_uri.map(|uri| {
        view! {
            <h3>"Redirect URI for the provider"</h3>
            <pre class="copy" tabindex="0"><code>{uri}</code></pre>
        }
    });
    (!warnings.is_empty() || redirect_uri.is_some())
        .then(|| {
            view! {
                <section class="card">
                    <h2>"Configuration"</h2>
                    {warnings}
                    {redirect_uri}
                </section>
            }
        })
        .into_any()
}
