use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    logout::LogOutForm,
    page_context::{AdminNotices, Timestamp, page_context},
    paths, ui,
};
use crate::{
    domain::{AuthError, Notice},
    islands::{FormError, FormState},
    text::en::pages::account::{
        self as text, link_identity as link_text, password as password_text,
    },
};

pub mod delete;
pub mod email;
pub mod link_identity;
pub mod password;
pub mod reauthenticate;
pub mod verify_email;

/// The account of the current user.
#[derive(Clone)]
pub struct AccountView {
    pub sessions: Vec<SessionRow>,
    pub identities: Vec<IdentityRow>,
    pub has_password: bool,
}

/// One session of a user.
#[derive(Clone)]
pub struct SessionRow {
    pub id: String,
    /// Browser and system, in words.
    pub browser: String,
    pub since: Timestamp,
    pub client_ip: String,
    /// How the session began, in words.
    pub login_method: String,
    /// The session of this request.
    pub is_current: bool,
}

/// An account at an OpenID provider.
#[derive(Clone)]
pub struct IdentityRow {
    pub id: String,
    /// The name of the configured provider; the issuer of any other.
    pub provider: String,
    pub is_configured: bool,
    /// The e-mail address at the provider.
    pub email: Option<String>,
    pub since: Timestamp,
    pub last_login: Timestamp,
}

/// Revokes one of the user's own sessions, or all but the current one.
#[server(prefix = "", endpoint = "account")]
pub async fn revoke_session(#[server(default)] session: String) -> Result<(), AuthError> {
    use crate::server::{flows::sessions, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let current = auth.current_user()?;
    let notice = if session == ALL_OTHER_SESSIONS {
        sessions::revoke_own_others(&auth.ctx(&state), current).await?;
        Notice::OtherSessionsEnded
    } else {
        let session = session.parse().map_err(|_| AuthError::NotFound)?;
        sessions::revoke_own(&auth.ctx(&state), current, session).await?;
        if session == current.session() {
            server_fn::clear_session_cookie(&state)?;
        }
        Notice::SessionEnded
    };
    server_fn::redirect(&paths::ACCOUNT, notice);
    Ok(())
}

const NOTICES: [Notice; 8] = [
    Notice::EmailVerified,
    Notice::EmailChangeSent,
    Notice::EmailChanged,
    Notice::PasswordChanged,
    Notice::SessionEnded,
    Notice::OtherSessionsEnded,
    Notice::ProviderLinked,
    Notice::ProviderUnlinked,
];

/// Takes the place of a session's id.
const ALL_OTHER_SESSIONS: &str = "others";

/// `/account`
#[component]
pub fn AccountPage(
    account: AccountView,
    /// The address is not verified, and mail is configured.
    needs_verification: bool,
) -> impl IntoView {
    let cx = page_context();
    let viewer = cx.viewer.clone();
    let (is_superuser, is_verified) = viewer.as_ref().map_or((false, false), |viewer| {
        (viewer.is_superuser, viewer.is_verified)
    });
    let role = text::role(is_superuser, is_verified);
    let state = FormState::new(cx.field_error());
    view! {
        <ui::Layout title=text::TITLE has_error=cx.has_error()>
            <h1>{text::TITLE}</h1>
            <FormError state/>
            <ui::NoticeMessage shown=&NOTICES/>
            <dl class="facts">
                <dt>{text::EMAIL}</dt>
                <dd>{viewer.as_ref().map(|viewer| viewer.email.clone())}{needs_verification.then(|| view! { " "<a href=paths::PENDING_APPROVAL.path>{text::CONFIRM_EMAIL}</a> })}</dd>
                <dt>{text::ROLE}</dt>
                <dd>{role}</dd>
                <dt>{text::LOGGED_IN_SINCE}</dt>
                <dd>{viewer.map(|viewer| view! { <ui::Time at=viewer.logged_in_at/> })}</dd>
            </dl>
            <LogOutForm/>
            <LoginMethods has_password=account.has_password identities=account.identities/>
            <Sessions sessions=account.sessions/>
            {cx.admin.clone().map(|admin| view! { <ConfigurationCard admin/> })}
            <p class="links"><a href=paths::DELETE_ACCOUNT.path>{text::delete::BUTTON}</a></p>
        </ui::Layout>
    }
    .into_any()
}

#[component]
fn LoginMethods(has_password: bool, identities: Vec<IdentityRow>) -> impl IntoView {
    let cx = page_context();
    let is_connected = identities.iter().any(|identity| identity.is_configured);
    let connect = cx.provider().filter(|_| !is_connected).map(|provider| {
        view! { <li><a href=paths::LINK_IDENTITY.path>{link_text::connect(&provider.name)}</a></li> }
    });
    let identities: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            view! {
                <li>
                    <strong>{identity.provider.clone()}</strong>
                    {identity.email.map(|email| format!(", {email}"))}
                    ". "
                    <a href=format!("{}?identity={}", paths::UNLINK_IDENTITY.path, identity.id)>{link_text::disconnect(&identity.provider)}</a>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card">
            <h2>{text::LOGIN_METHODS}</h2>
            <ul>
                <li><a href=paths::PASSWORD.path>{if has_password { password_text::TITLE } else { text::CHOOSE_PASSWORD }}</a></li>
                <li><a href=paths::CHANGE_EMAIL.path>{text::email::TITLE}</a></li>
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
                <button type="submit" class="secondary">{text::END_OTHER_SESSIONS}</button>
            </ui::PostForm>
        }
    });
    view! {
        <section class="card">
            <h2>{text::SESSIONS}</h2>
            <ul class="lines">{lines}</ul>
            {end_others}
        </section>
    }
    .into_any()
}

#[component]
fn SessionItem(session: SessionRow) -> impl IntoView {
    let action = if session.is_current {
        Either::Left(view! { <span class="badge">{text::THIS_BROWSER}</span> })
    } else {
        let (id, of_browser) = (session.id.clone(), text::session_of(&session.browser));
        Either::Right(view! {
            <ui::PostForm action=RevokeSession::PATH>
                <input type="hidden" name="session" value=id/>
                <button type="submit" class="secondary">{text::END_SESSION}<span class="visually-hidden">{of_browser}</span></button>
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

/// Browser, login method, address and start of a session.
#[component]
pub fn SessionDescription(session: SessionRow) -> impl IntoView {
    view! {
        <div>
            <strong>{session.browser}</strong>
            <p class="hint">{session.login_method}{text::SESSION_FROM}{session.client_ip}{text::SESSION_SINCE}<ui::Time at=session.since/></p>
        </div>
    }
}

/// For administrators: the warnings about the configuration, and the redirect URI to register at the
/// provider.
#[component]
fn ConfigurationCard(admin: AdminNotices) -> impl IntoView {
    let warnings: Vec<_> = admin
        .warnings
        .into_iter()
        .map(|warning| view! { <p class="warning">{warning}</p> })
        .collect();
    let redirect_uri = admin.redirect_uri.map(|uri| {
        view! {
            <h3>{text::REDIRECT_URI}</h3>
            <pre class="copy" tabindex="0"><code>{uri}</code></pre>
        }
    });
    (!warnings.is_empty() || redirect_uri.is_some())
        .then(|| {
            view! {
                <section class="card">
                    <h2>{text::CONFIGURATION}</h2>
                    {warnings}
                    {redirect_uri}
                </section>
            }
        })
        .into_any()
}
