use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    AccountStatus,
    actions::{Action, UpdateUser},
    audit_log::{EventRow, EventTable},
};
use crate::app::{
    account::{IdentityRow, SessionDescription, SessionRow},
    notice::Notice,
    page_context::Timestamp,
    paths, ui,
};

/// Everything about one user.
#[derive(Clone)]
pub struct UserDetails {
    pub id: String,
    pub email: String,
    pub status: AccountStatus,
    pub is_administrator: bool,
    /// The administrator who looks.
    pub is_self: bool,
    /// Where the right to use the application comes from.
    pub approved: Option<GrantedBy>,
    /// Where the administrator's right comes from.
    pub administrator: Option<GrantedBy>,
    /// `admin_emails` has the address.
    pub is_listed: bool,
    /// When the address was verified.
    pub email_verified: Option<Timestamp>,
    pub has_password: bool,
    pub created: Option<Timestamp>,
    pub last_login: Option<Timestamp>,
    pub identities: Vec<IdentityRow>,
    pub sessions: Vec<SessionRow>,
    pub events: Vec<EventRow>,
}

/// Who gave somebody a right, and when.
#[derive(Clone)]
pub struct GrantedBy {
    pub by: String,
    pub at: Timestamp,
}

const NOTICES: [Notice; 4] = [
    Notice::UserUpdated,
    Notice::AccountCreated,
    Notice::SessionEnded,
    Notice::SessionsEnded,
];

/// `/users/{id}`
#[component]
pub fn UserPage(user: UserDetails) -> impl IntoView {
    let all_events = format!("{}?user={}", paths::AUDIT_LOG.path, ui::encoded(&user.id));
    view! {
        <ui::Layout title=user.email.clone() is_wide=true>
            <h1>{user.email.clone()}</h1>
            <ui::NoticeMessage shown=&NOTICES/>
            <UserSummary user=user.clone()/>
            <Actions user=user.clone()/>
            <Identities identities=user.identities/>
            <Sessions id=user.id sessions=user.sessions/>
            <section class="card">
                <h2>"Last events"</h2>
                <EventTable events=user.events/>
                <p class="links"><a href=all_events>"All of this account"</a></p>
            </section>
            <p class="links"><a href=paths::USERS.path>"All users"</a></p>
        </ui::Layout>
    }
    .into_any()
}

#[component]
fn UserSummary(user: UserDetails) -> impl IntoView {
    let when = |at: Option<Timestamp>, else_: &'static str| {
        at.map_or_else(
            || else_.into_any(),
            |at| view! { <ui::Time at/> }.into_any(),
        )
    };
    let granted = |grant: Option<GrantedBy>| match grant {
        Some(GrantedBy { by, at }) => view! { ", "{by}", "<ui::Time at=at/> }.into_any(),
        None => ", by MediaManager or before this was written down".into_any(),
    };
    let state = if user.status == AccountStatus::Pending {
        view! { "Waiting for approval" }.into_any()
    } else {
        view! { {user.status.words()}{granted(user.approved)} }.into_any()
    };
    let role = if user.is_administrator {
        view! { "Administrator"{granted(user.administrator)} }.into_any()
    } else {
        "Member".into_any()
    };
    view! {
        <dl class="facts">
            <dt>"State"</dt>
            <dd>{state}</dd>
            <dt>"Role"</dt>
            <dd>{role}{user.is_listed.then_some("; the address is in admin_emails")}</dd>
            <dt>"Address proven"</dt>
            <dd>{when(user.email_verified, "No")}</dd>
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
fn Actions(user: UserDetails) -> impl IntoView {
    let (first, last) = match user.status {
        AccountStatus::Pending => (Some(Action::Approve), Some(Action::Disable)),
        AccountStatus::Active => (None, Some(Action::Disable)),
        AccountStatus::Disabled => (Some(Action::Enable), None),
    };
    let role = if user.is_administrator {
        Action::MakeMember
    } else {
        Action::MakeAdministrator
    };
    let of_the_active = [Action::CreateResetLink, Action::EndSessions]
        .into_iter()
        .filter(|_| user.status != AccountStatus::Disabled);
    let actions = first
        .into_iter()
        .chain([role])
        .chain(of_the_active)
        .chain(last)
        .chain([Action::Delete]);
    let links: Vec<_> = actions
        .map(|action| {
            let class = if action.is_dangerous() { "button danger" } else { "button" };
            view! { <li><a class=class href=format!("{}?id={}&action={}", UpdateUser::PATH, user.id, action.code())>{action.verb()}</a></li> }
        })
        .collect();
    view! {
        <section class="card">
            <h2>"Actions"</h2>
            {user.is_self.then(|| view! { <p class="hint">"This is your own account."</p> })}
            <ul class="actions">
                <li><a class="button" href=format!("{}?id={}", paths::USER_EMAIL.path, user.id)>"Change e-mail"</a></li>
                {links}
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn Identities(identities: Vec<IdentityRow>) -> impl IntoView {
    let lines: Vec<_> = identities
        .into_iter()
        .map(|identity| {
            view! {
                <li>
                    <div>
                        <strong>{identity.provider}</strong>
                        {identity.email.map(|email| format!(", {email}"))}
                        <p class="hint">"Connected "<ui::Time at=identity.since/>", last login "<ui::Time at=identity.last_login/></p>
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
fn Sessions(id: String, sessions: Vec<SessionRow>) -> impl IntoView {
    let lines: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            let (user, id, of_browser) = (id.clone(), session.id.clone(), format!(" the session of {}", session.browser));
            view! {
                <li>
                    <SessionDescription session/>
                    <ui::PostForm action=UpdateUser::PATH>
                        <input type="hidden" name="id" value=user/>
                        <input type="hidden" name="action" value=Action::EndSession.code()/>
                        <input type="hidden" name="session" value=id/>
                        <button type="submit" class="secondary">"End"<span class="visually-hidden">{of_browser}</span></button>
                    </ui::PostForm>
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
