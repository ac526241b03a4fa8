use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    Action, State,
    change::ChangeUser,
    events::{EventLine, EventTable},
};
use crate::{
    app::{
        Loaded, Moment,
        account::{IdentityLine, SessionLine, SessionWords},
        failure::FailurePage,
        ui, visit,
    },
    domain::AuthError,
};

/// Everything about one user.
#[derive(Clone)]
pub struct Details {
    pub id: String,
    pub email: String,
    pub state: State,
    pub is_administrator: bool,
    /// The administrator who looks.
    pub is_self: bool,
    /// Where the right to use the application comes from.
    pub approved: Option<Grant>,
    /// Where the administrator's right comes from.
    pub administrator: Option<Grant>,
    /// `admin_emails` has the address.
    pub is_listed: bool,
    /// When it was proven that the address is the person's.
    pub proven: Option<Moment>,
    pub has_password: bool,
    pub created: Option<Moment>,
    pub last_login: Option<Moment>,
    pub identities: Vec<IdentityLine>,
    pub sessions: Vec<SessionLine>,
    pub events: Vec<EventLine>,
}

/// Who gave somebody a right, and when.
#[derive(Clone)]
pub struct Grant {
    pub by: String,
    pub at: Moment,
}

/// `/users/{id}`
#[component]
pub fn UserPage() -> impl IntoView {
    let visit = visit();
    let Some(Loaded::User(user)) = visit.loaded.clone() else { return view! { <FailurePage error=AuthError::NotFound/> }.into_any() };
    let notice = match visit.notice() {
        "changed" => Some("That is done."),
        "created" => Some("The account is made. A mail with a link for the first password is on its way."),
        "session_ended" => Some("That session is ended."),
        "sessions_ended" => Some("They are logged out everywhere."),
        _ => None,
    };
    let all_events = format!("/users/events?user={}", ui::encoded(&user.id));
    view! {
        <ui::Frame title=user.email.clone() is_wide=true>
            <h1>{user.email.clone()}</h1>
            {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
            <Facts user=(*user).clone()/>
            <Actions user=(*user).clone()/>
            <Identities identities=user.identities/>
            <Sessions id=user.id sessions=user.sessions/>
            <section class="card">
                <h2>"Last events"</h2>
                <EventTable events=user.events/>
                <p class="links"><a href=all_events>"All of this account"</a></p>
            </section>
            <p class="links"><a href="/users">"All users"</a></p>
        </ui::Frame>
    }
    .into_any()
}

#[component]
fn Facts(user: Details) -> impl IntoView {
    let when = |moment: Option<Moment>, else_: &'static str| moment.map_or_else(|| else_.into_any(), |moment| view! { <ui::Time moment/> }.into_any());
    let granted = |grant: Option<Grant>| match grant {
        Some(Grant { by, at }) => view! { ", "{by}", "<ui::Time moment=at/> }.into_any(),
        None => ", by MediaManager or before this was written down".into_any(),
    };
    let state = if user.state == State::Waiting {
        view! { "Waiting for approval" }.into_any()
    } else {
        view! { {user.state.words()}{granted(user.approved)} }.into_any()
    };
    let role = if user.is_administrator { view! { "Administrator"{granted(user.administrator)} }.into_any() } else { "Member".into_any() };
    view! {
        <dl class="facts">
            <dt>"State"</dt>
            <dd>{state}</dd>
            <dt>"Role"</dt>
            <dd>{role}{user.is_listed.then_some("; the address is in admin_emails")}</dd>
            <dt>"Address proven"</dt>
            <dd>{when(user.proven, "No")}</dd>
            <dt>"Password"</dt>
            <dd>{if user.has_password { "Yes" } else { "None" }}</dd>
            <dt>"Known since"</dt>
            <dd>{when(user.created, "Made by MediaManager, not been here yet")}</dd>
            <dt>"Last login"</dt>
            <dd>{when(user.last_login, "Never")}</dd>
        </dl>
    }
    .into_any()
}

#[component]
fn Actions(user: Details) -> impl IntoView {
    let (first, last) = match user.state {
        State::Waiting => (Some(Action::Approve), Some(Action::Disable)),
        State::Active => (None, Some(Action::Disable)),
        State::Disabled => (Some(Action::Enable), None),
    };
    let role = if user.is_administrator { Action::MakeMember } else { Action::MakeAdministrator };
    let of_the_active = [Action::HandOverLink, Action::EndSessions].into_iter().filter(|_| user.state != State::Disabled);
    let actions = first.into_iter().chain([role]).chain(of_the_active).chain(last).chain([Action::Delete]);
    let links: Vec<_> = actions
        .map(|action| {
            let class = if action.is_dangerous() { "button danger" } else { "button" };
            view! { <li><a class=class href=format!("{}?id={}&action={}", ChangeUser::PATH, user.id, action.code())>{action.verb()}</a></li> }
        })
        .collect();
    view! {
        <section class="card">
            <h2>"What you can do"</h2>
            {user.is_self.then(|| view! { <p class="hint">"This is your own account."</p> })}
            <ul class="actions">
                <li><a class="button" href=format!("/users/address?id={}", user.id)>"Change e-mail"</a></li>
                {links}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Identities(identities: Vec<IdentityLine>) -> impl IntoView {
    let lines: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            view! {
                <li>
                    <div>
                        <strong>{identity.provider}</strong>
                        {identity.email.map(|email| format!(", {email}"))}
                        <p class="hint">"Connected "<ui::Time moment=identity.since/>", last login "<ui::Time moment=identity.last_login/></p>
                    </div>
                </li>
            }
        })
        .collect();
    (!lines.is_empty())
        .then(|| {
            view! {
                <section class="card">
                    <h2>"Accounts at the provider"</h2>
                    <ul class="lines">{lines}</ul>
                </section>
            }
        })
        .into_any()
}

#[component]
fn Sessions(id: String, sessions: Vec<SessionLine>) -> impl IntoView {
    let lines: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            view! {
                <li>
                    <SessionWords session=session.clone()/>
                    <form method="post" action=ChangeUser::PATH>
                        <input type="hidden" name="id" value=id.clone()/>
                        <input type="hidden" name="action" value=Action::EndSession.code()/>
                        <input type="hidden" name="session" value=session.id/>
                        <button type="submit" class="secondary">"End"<span class="visually-hidden">{format!(" the session of {}", session.browser)}</span></button>
                    </form>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card">
            <h2>"Sessions"</h2>
            {lines.is_empty().then(|| view! { <p class="hint">"Not logged in anywhere."</p> })}
            <ul class="lines">{lines}</ul>
        </section>
    }
    .into_any()
}
