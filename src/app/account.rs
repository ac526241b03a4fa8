use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{Administration, Loaded, Moment, failure::FailurePage, logout::LogOutForm, ui, visit};
use crate::domain::AuthError;

pub mod address;
pub mod connect;
pub mod delete;
pub mod log_in_again;
pub mod password;

/// What belongs to whoever is logged in.
#[derive(Clone)]
pub struct Overview {
    pub sessions: Vec<SessionLine>,
    pub identities: Vec<IdentityLine>,
    pub has_password: bool,
}

/// A browser in which somebody is logged in.
#[derive(Clone)]
pub struct SessionLine {
    pub id: String,
    /// Browser and system, in words.
    pub browser: String,
    pub since: Moment,
    pub network: String,
    /// How the person came in, in words.
    pub way: String,
    /// The one that asks.
    pub is_this: bool,
}

/// An account at a provider.
#[derive(Clone)]
pub struct IdentityLine {
    pub id: String,
    /// The provider's name, or its address where it is not the configured one.
    pub provider: String,
    pub is_configured: bool,
    /// The address there.
    pub email: Option<String>,
    pub since: Moment,
    pub last_login: Moment,
}

/// Ends one of the person's own sessions, or all but this one.
#[server(prefix = "", endpoint = "account")]
pub async fn end_session(#[server(default)] session: String) -> Result<(), AuthError> {
    use crate::server::{context, flows::sessions};
    let (state, visitor) = context::visitor()?;
    let current = visitor.current_user()?;
    if session == OTHERS {
        sessions::end_others(&visitor.ctx(&state), current).await?;
    } else {
        let session = session.parse().map_err(|_| AuthError::NotFound)?;
        sessions::end_one(&visitor.ctx(&state), current, session).await?;
        if session == current.session() {
            context::leave(&state)?;
        }
    }
    context::go_to("/account?notice=session_ended");
    Ok(())
}

/// In place of a session's id.
const OTHERS: &str = "others";

/// `/account`: who I am, and where.
#[component]
pub fn AccountPage() -> impl IntoView {
    let visit = visit();
    let (Some(person), Some(Loaded::Account(overview))) = (visit.person.clone(), visit.loaded.clone()) else {
        return view! { <FailurePage error=AuthError::NotLoggedIn/> }.into_any();
    };
    let notice = match visit.notice() {
        "address_proven" => Some("Your address is confirmed."),
        "address_requested" => Some("We have sent a mail to the new address. Open the link in it here, in this browser."),
        "address_changed" => Some("Your address is changed. Log in with the new one from now on."),
        "password_changed" => Some("Your password is changed. You are logged out everywhere else."),
        "session_ended" => Some("That session is ended."),
        "connected" => Some("Your account at the provider is connected."),
        "disconnected" => Some("Your account at the provider is disconnected."),
        _ => None,
    };
    let role = match (person.is_superuser, person.is_verified) {
        (true, _) => "Administrator",
        (false, true) => "Member",
        (false, false) => "Waiting for approval",
    };
    let state = ui::FormState::new(visit.fault());
    view! {
        <ui::Frame title="Your account" has_error=visit.submitted.is_some()>
            <h1>"Your account"</h1>
            <ui::Feedback state/>
            {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
            <dl class="facts">
                <dt>"E-mail"</dt>
                <dd>{person.email}{visit.is_unproven.then(|| view! { " "<a href="/login/verify">"Confirm it"</a> })}</dd>
                <dt>"Role"</dt>
                <dd>{role}</dd>
                <dt>"Logged in since"</dt>
                <dd><ui::Time moment=person.since/></dd>
            </dl>
            <LogOutForm/>
            <WaysIn has_password=overview.has_password identities=overview.identities/>
            <Sessions sessions=overview.sessions/>
            {visit.administration.map(|administration| view! { <AdministrationCard administration/> })}
            <p class="links"><a href="/account/delete">"Delete my account"</a></p>
        </ui::Frame>
    }
    .into_any()
}

#[component]
fn WaysIn(has_password: bool, identities: Vec<IdentityLine>) -> impl IntoView {
    let visit = visit();
    let is_connected = identities.iter().any(|identity| identity.is_configured);
    let connect = visit.provider.filter(|_| !is_connected).map(|provider| {
        view! { <li><a href="/account/connect">{format!("Connect {}", provider.name)}</a></li> }
    });
    let identities: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            view! {
                <li>
                    <strong>{identity.provider.clone()}</strong>
                    {identity.email.map(|email| format!(", {email}"))}
                    ". "
                    <a href=format!("/account/disconnect?identity={}", identity.id)>{format!("Disconnect {}", identity.provider)}</a>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card">
            <h2>"Ways to log in"</h2>
            <ul>
                <li><a href="/account/password">{if has_password { "Change password" } else { "Choose a password" }}</a></li>
                <li><a href="/account/address">"Change e-mail"</a></li>
                {identities}
                {connect}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Sessions(sessions: Vec<SessionLine>) -> impl IntoView {
    let has_others = sessions.len() > 1;
    let lines: Vec<_> = sessions.into_iter().map(|session| view! { <SessionItem session/> }).collect();
    let end_others = has_others.then(|| {
        view! {
            <form method="post" action=EndSession::PATH>
                <input type="hidden" name="session" value=OTHERS/>
                <button type="submit" class="secondary">"End all other sessions"</button>
            </form>
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
fn SessionItem(session: SessionLine) -> impl IntoView {
    let action = if session.is_this {
        Either::Left(view! { <span class="badge">"This browser"</span> })
    } else {
        Either::Right(view! {
            <form method="post" action=EndSession::PATH>
                <input type="hidden" name="session" value=session.id.clone()/>
                <button type="submit" class="secondary">"End"<span class="visually-hidden">{format!(" the session of {}", session.browser)}</span></button>
            </form>
        })
    };
    view! {
        <li>
            <SessionWords session/>
            {action}
        </li>
    }
    .into_any()
}

/// A session in words.
#[component]
pub fn SessionWords(session: SessionLine) -> impl IntoView {
    view! {
        <div>
            <strong>{session.browser}</strong>
            <p class="hint">{session.way}", from "{session.network}", since "<ui::Time moment=session.since/></p>
        </div>
    }
}

/// What only an administrator sees: what to mend in the configuration, and what to paste into the provider's.
#[component]
fn AdministrationCard(administration: Administration) -> impl IntoView {
    let warnings: Vec<_> = administration.warnings.into_iter().map(|warning| view! { <p class="warning">{warning}</p> }).collect();
    let redirect_uri = administration.redirect_uri.map(|uri| {
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
