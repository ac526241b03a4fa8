use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    notice::Notice,
    page_context::{Timestamp, page_context},
    paths, ui,
};

pub mod actions;
pub mod audit_log;
pub mod details;
pub mod diagnostics;
pub mod new;
pub mod reset_link;

use actions::Action;

/// One page of the users who match.
#[derive(Clone)]
pub struct UserListPage {
    pub rows: Vec<UserRow>,
    pub total: u64,
    /// From 1.
    pub page: u64,
    pub pages: u64,
    pub filter: String,
    pub search: String,
}

/// One user among others.
#[derive(Clone)]
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub status: AccountStatus,
    pub is_administrator: bool,
    pub last_login: Option<Timestamp>,
}

/// What somebody may do, in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AccountStatus {
    Pending,
    Active,
    Disabled,
}

impl AccountStatus {
    pub fn new(is_active: bool, is_verified: bool) -> Self {
        match (is_active, is_verified) {
            (false, _) => Self::Disabled,
            (true, false) => Self::Pending,
            (true, true) => Self::Active,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Pending => "Waiting",
            Self::Active => "Active",
            Self::Disabled => "Disabled",
        }
    }
}

/// The filters of the list, by the word in the address.
pub struct UserFilter;

impl UserFilter {
    pub const PENDING: &str = "pending";
    pub const ACTIVE: &str = "active";
    pub const DISABLED: &str = "disabled";
    pub const ADMINISTRATORS: &str = "administrators";
    const ALL: [(&str, &str); 5] = [
        ("", "Everybody"),
        (Self::PENDING, "Waiting for approval"),
        (Self::ACTIVE, "Active"),
        (Self::DISABLED, "Disabled"),
        (Self::ADMINISTRATORS, "Administrators"),
    ];
}

const NOTICES: [Notice; 2] = [Notice::UserApproved, Notice::UserDeleted];

/// `/users`: everybody, for administrators.
#[component]
pub fn UsersPage(list: UserListPage) -> impl IntoView {
    let pending = page_context()
        .admin
        .as_ref()
        .map_or(0, |admin| admin.pending_approvals);
    let rows: Vec<_> = list
        .rows
        .into_iter()
        .map(|row| view! { <Row row/> })
        .collect();
    let found = match list.total {
        0 => "Nobody matches.".to_owned(),
        1 => "One account".to_owned(),
        total => format!("{total} accounts"),
    };
    let address = list_url(&list.filter, &list.search);
    view! {
        <ui::Layout title="Users" is_wide=true>
            <h1>"Users"</h1>
            <ui::NoticeMessage shown=&NOTICES/>
            {(pending > 0 && list.filter != UserFilter::PENDING).then(|| view! {
                <p class="notice"><a href=pending_url()>{if pending == 1 { "One account waits for approval".to_owned() } else { format!("{pending} accounts wait for approval") }}</a></p>
            })}
            <form method="get" action=paths::USERS.path class="filter" role="search">
                <div class="field">
                    <label for="q">"E-mail contains"</label>
                    <input id="q" name="q" type="search" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.search/>
                </div>
                <ui::Select id="which" label="Show" options=UserFilter::ALL.map(|(value, words)| (value.to_owned(), words)).to_vec() chosen=list.filter/>
                <button type="submit" class="secondary">"Search"</button>
            </form>
            <div class="scroll" role="region" aria-label="Accounts" tabindex="0">
                // On a narrow screen the rows become blocks; with the roles they are still rows to
                // a screen reader.
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
            <ui::Pagination page=list.page pages=list.pages address/>
            <p class="links"><a href=paths::NEW_USER.path>"Create a user"</a>" · "<a href=paths::AUDIT_LOG.path>"Audit log"</a>" · "<a href=paths::DIAGNOSTICS.path>"System check"</a></p>
        </ui::Layout>
    }
    .into_any()
}

#[component]
fn Row(row: UserRow) -> impl IntoView {
    let approve = (row.status == AccountStatus::Pending).then(|| {
        let (id, email) = (row.id.clone(), format!(" {}", row.email));
        view! {
            <ui::PostForm action=actions::UpdateUser::PATH>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="action" value=Action::Approve.code()/>
                <button type="submit">"Approve"<span class="visually-hidden">{email}</span></button>
            </ui::PostForm>
        }
    });
    view! {
        <tr role="row">
            <th role="rowheader"><a href=paths::user(&row.id)>{row.email}</a></th>
            <td role="cell" data-label="State">{if row.status == AccountStatus::Active { row.status.words().into_any() } else { view! { <span class="badge">{row.status.words()}</span> }.into_any() }}</td>
            <td role="cell" data-label="Role">{if row.is_administrator { "Administrator" } else { "Member" }}</td>
            <td role="cell" data-label="Last login">{row.last_login.map_or_else(|| "Never".into_any(), |at| view! { <ui::Time at/> }.into_any())}</td>
            <td role="cell">{approve}</td>
        </tr>
    }
    .into_any()
}

/// The list of the accounts that wait for approval.
pub fn pending_url() -> String {
    format!("{}?which={}", paths::USERS.path, UserFilter::PENDING)
}

/// The list's address but for the page.
fn list_url(filter: &str, search: &str) -> String {
    format!(
        "{}?which={}&q={}&page=",
        paths::USERS.path,
        ui::encoded(filter),
        ui::encoded(search)
    )
}
