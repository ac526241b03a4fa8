use leptos::{prelude::*, server_fn::ServerFn};

use super::{Loaded, Moment, failure::FailurePage, ui, visit};
use crate::domain::AuthError;

pub mod change;
pub mod check;
pub mod details;
pub mod events;
pub mod invite;
pub mod link;

pub use change::Action;

/// One page of the users who match.
#[derive(Clone)]
pub struct List {
    pub rows: Vec<Line>,
    pub total: u64,
    /// From 1.
    pub page: u64,
    pub pages: u64,
    pub which: String,
    pub search: String,
}

/// One user among others.
#[derive(Clone)]
pub struct Line {
    pub id: String,
    pub email: String,
    pub state: State,
    pub is_administrator: bool,
    pub last_login: Option<Moment>,
}

/// What somebody may do, in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Waiting,
    Active,
    Disabled,
}

impl State {
    #[must_use]
    pub fn of(is_active: bool, is_verified: bool) -> Self {
        match (is_active, is_verified) {
            (false, _) => Self::Disabled,
            (true, false) => Self::Waiting,
            (true, true) => Self::Active,
        }
    }

    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }
}

/// The parts of the list, by the word in the address.
pub const PARTS: [(&str, &str); 5] =
    [("", "Everybody"), ("waiting", "Waiting for approval"), ("active", "Active"), ("disabled", "Disabled"), ("administrators", "Administrators")];

/// `/users`: everybody, for administrators.
#[component]
pub fn UsersPage() -> impl IntoView {
    let visit = visit();
    let Some(Loaded::Users(list)) = visit.loaded.clone() else { return view! { <FailurePage error=AuthError::Forbidden/> }.into_any() };
    let notice = match visit.notice() {
        "approved" => Some("The account is approved."),
        "deleted" => Some("The account is deleted."),
        _ => None,
    };
    let waiting = visit.administration.as_ref().map_or(0, |administration| administration.waiting);
    let rows: Vec<_> = list.rows.into_iter().map(|line| view! { <Row line/> }).collect();
    let found = match list.total {
        0 => "Nobody matches.".to_owned(),
        1 => "One account".to_owned(),
        total => format!("{total} accounts"),
    };
    let address = form_address(&list.which, &list.search);
    view! {
        <ui::Frame title="Users" is_wide=true>
            <h1>"Users"</h1>
            {notice.map(|text| view! { <p class="notice" role="status">{text}</p> })}
            {(waiting > 0 && list.which != "waiting").then(|| view! {
                <p class="notice"><a href="/users?which=waiting">{if waiting == 1 { "One account waits for approval".to_owned() } else { format!("{waiting} accounts wait for approval") }}</a></p>
            })}
            <form method="get" action="/users" class="filter" role="search">
                <div class="field">
                    <label for="q">"E-mail contains"</label>
                    <input id="q" name="q" type="search" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.search/>
                </div>
                <ui::Choice id="which" label="Show" options=PARTS.map(|(value, words)| (value.to_owned(), words)).to_vec() chosen=list.which/>
                <button type="submit" class="secondary">"Search"</button>
            </form>
            <div class="scroll" role="region" aria-label="Accounts" tabindex="0">
                // On a narrow screen the rows become blocks; with the roles they are still rows to a screen reader.
                <table role="table">
                    <caption>{found}</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader">"E-mail"</th>
                            <th role="columnheader">"State"</th>
                            <th role="columnheader">"Role"</th>
                            <th role="columnheader">"Last login"</th>
                            <th role="columnheader"><span class="visually-hidden">"What to do"</span></th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </div>
            <ui::Pages page=list.page pages=list.pages address/>
            <p class="links"><a href="/users/new">"Create a user"</a>" · "<a href="/users/events">"What has happened"</a>" · "<a href="/users/check">"How everything stands"</a></p>
        </ui::Frame>
    }
    .into_any()
}

#[component]
fn Row(line: Line) -> impl IntoView {
    let approve = (line.state == State::Waiting).then(|| {
        view! {
            <form method="post" action=change::ChangeUser::PATH>
                <input type="hidden" name="id" value=line.id.clone()/>
                <input type="hidden" name="action" value=Action::Approve.code()/>
                <button type="submit">"Approve"<span class="visually-hidden">{format!(" {}", line.email)}</span></button>
            </form>
        }
    });
    view! {
        <tr role="row">
            <th role="rowheader"><a href=format!("/users/{}", line.id)>{line.email}</a></th>
            <td role="cell" data-label="State">{if line.state == State::Active { line.state.words().into_any() } else { view! { <span class="badge">{line.state.words()}</span> }.into_any() }}</td>
            <td role="cell" data-label="Role">{if line.is_administrator { "Administrator" } else { "Member" }}</td>
            <td role="cell" data-label="Last login">{line.last_login.map_or_else(|| "Never".into_any(), |moment| view! { <ui::Time moment/> }.into_any())}</td>
            <td role="cell">{approve}</td>
        </tr>
    }
    .into_any()
}

/// The list's address but for the page.
fn form_address(which: &str, search: &str) -> String {
    format!("/users?which={}&q={}&page=", ui::encoded(which), ui::encoded(search))
}
