use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    actions::UpdateUser,
    audit_log::{EventRow, EventTable},
};
use crate::{
    app::{
        account::{IdentityRow, SessionDescription, SessionRow},
        page_context::Timestamp,
        paths, ui,
    },
    domain::{AccountStatus, Notice, UserAction},
    text::en::pages::{
        account as account_text, links,
        users::{self as users_text, actions as action_text, details as text},
    },
};

/// Everything about one user.
#[derive(Clone)]
pub struct UserDetails {
    pub id: String,
    pub email: String,
    pub status: AccountStatus,
    pub is_administrator: bool,
    /// The administrator looks at the own account.
    pub is_self: bool,
    /// The source of the approval.
    pub approved: Option<GrantedBy>,
    /// The source of the administrator role.
    pub administrator: Option<GrantedBy>,
    /// `auth.admin_emails` contains the address.
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

/// The source of a right, in words, and its time.
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
                <h2>{text::LAST_EVENTS}</h2>
                <EventTable events=user.events/>
                <p class="links"><a href=all_events>{text::ALL_EVENTS}</a></p>
            </section>
            <p class="links"><a href=paths::USERS.path>{links::ALL_USERS}</a></p>
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
        Some(GrantedBy { by, at }) => {
            view! { {text::SEPARATOR}{by}{text::SEPARATOR}<ui::Time at=at/> }.into_any()
        }
        None => text::GRANTED_BEFORE.into_any(),
    };
    let state = if user.status == AccountStatus::Pending {
        text::PENDING.into_any()
    } else {
        view! { {users_text::status(user.status)}{granted(user.approved)} }.into_any()
    };
    let role = users_text::role(user.is_administrator);
    let role = if user.is_administrator {
        view! { {role}{granted(user.administrator)} }.into_any()
    } else {
        role.into_any()
    };
    view! {
        <dl class="facts">
            <dt>{users_text::STATUS}</dt>
            <dd>{state}</dd>
            <dt>{users_text::ROLE}</dt>
            <dd>{role}{user.is_listed.then_some(text::IS_LISTED)}</dd>
            <dt>{text::EMAIL_VERIFIED}</dt>
            <dd>{when(user.email_verified, text::NO)}</dd>
            <dt>{text::PASSWORD}</dt>
            <dd>{text::has_password(user.has_password)}</dd>
            <dt>{text::CREATED}</dt>
            <dd>{when(user.created, text::NOT_SEEN_YET)}</dd>
            <dt>{users_text::LAST_LOGIN}</dt>
            <dd>{when(user.last_login, users_text::NEVER)}</dd>
        </dl>
    }
    .into_any()
}

#[component]
fn Actions(user: UserDetails) -> impl IntoView {
    let (first, last) = match user.status {
        AccountStatus::Pending => (Some(UserAction::Approve), Some(UserAction::Disable)),
        AccountStatus::Active => (None, Some(UserAction::Disable)),
        AccountStatus::Disabled => (Some(UserAction::Enable), None),
    };
    let role = if user.is_administrator {
        UserAction::MakeMember
    } else {
        UserAction::MakeAdministrator
    };
    let of_the_active = [UserAction::CreateResetLink, UserAction::EndSessions]
        .into_iter()
        .filter(|_| user.status != AccountStatus::Disabled);
    let actions = first
        .into_iter()
        .chain([role])
        .chain(of_the_active)
        .chain(last)
        .chain([UserAction::Delete]);
    let links: Vec<_> = actions
        .map(|action| {
            let class = if action.is_dangerous() { "button danger" } else { "button" };
            view! { <li><a class=class href=format!("{}?id={}&action={}", UpdateUser::PATH, user.id, action.code())>{action_text::action(action)}</a></li> }
        })
        .collect();
    view! {
        <section class="card">
            <h2>{text::ACTIONS}</h2>
            {user.is_self.then(|| view! { <p class="hint">{text::IS_SELF}</p> })}
            <ul class="actions">
                <li><a class="button" href=format!("{}?id={}", paths::USER_EMAIL.path, user.id)>{action_text::email::TITLE}</a></li>
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
                        <p class="hint">{text::CONNECTED}<ui::Time at=identity.since/>{text::LAST_LOGIN}<ui::Time at=identity.last_login/></p>
                    </div>
                </li>
            }
        })
        .collect();
    (!lines.is_empty())
        .then(|| {
            view! {
                <section class="card">
                    <h2>{text::IDENTITIES}</h2>
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
            let (user, id, of_browser) = (id.clone(), session.id.clone(), account_text::session_of(&session.browser));
            view! {
                <li>
                    <SessionDescription session/>
                    <ui::PostForm action=UpdateUser::PATH>
                        <input type="hidden" name="id" value=user/>
                        <input type="hidden" name="action" value=UserAction::EndSession.code()/>
                        <input type="hidden" name="session" value=id/>
                        <button type="submit" class="secondary">{account_text::END_SESSION}<span class="visually-hidden">{of_browser}</span></button>
                    </ui::PostForm>
                </li>
            }
        })
        .collect();
    view! {
        <section class="card">
            <h2>{text::SESSIONS}</h2>
            {lines.is_empty().then(|| view! { <p class="hint">{text::NO_SESSIONS}</p> })}
            <ul class="lines">{lines}</ul>
        </section>
    }
    .into_any()
}
