use leptos::{prelude::*, server_fn::ServerFn};
use strum::IntoEnumIterator;

use super::{
    page_context::{Timestamp, page_context},
    paths, ui,
};
use crate::{
    domain::{AccountStatus, Notice, UserAction, UserFilter},
    text::en::pages::{
        links,
        users::{
            self as text, actions as action_text, audit_log as audit_log_text,
            diagnostics as diagnostics_text,
        },
    },
};

pub mod actions;
pub mod audit_log;
pub mod details;
pub mod diagnostics;
pub mod new;
pub mod reset_link;

/// One page of the list of users.
#[derive(Clone)]
pub struct UserListPage {
    pub rows: Vec<UserRow>,
    pub total: u64,
    /// From 1.
    pub page: u64,
    pub pages: u64,
    /// As it stands in the URL, which may name no [`UserFilter`].
    pub filter: String,
    pub search: String,
}

/// One user in the list.
#[derive(Clone)]
pub struct UserRow {
    pub id: String,
    pub email: String,
    pub status: AccountStatus,
    pub is_administrator: bool,
    pub last_login: Option<Timestamp>,
}

const NOTICES: [Notice; 2] = [Notice::UserApproved, Notice::UserDeleted];

/// `/users`
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
    let address = list_url(&list.filter, &list.search);
    let filters: Vec<_> = UserFilter::iter()
        .map(|filter| (filter.code().to_owned(), text::filter(filter)))
        .collect();
    view! {
        <ui::Layout title=text::TITLE is_wide=true>
            <h1>{text::TITLE}</h1>
            <ui::NoticeMessage shown=&NOTICES/>
            {(pending > 0 && list.filter != UserFilter::Pending.code()).then(|| view! {
                <p class="notice"><a href=pending_url()>{text::pending_approvals(pending)}</a></p>
            })}
            <form method="get" action=paths::USERS.path class="filter" role="search">
                <div class="field">
                    <label for="q">{text::SEARCH_LABEL}</label>
                    <input id="q" name="q" type="search" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.search/>
                </div>
                <ui::Select id="which" label=text::FILTER_LABEL options=filters chosen=list.filter/>
                <button type="submit" class="secondary">{text::SEARCH}</button>
            </form>
            <div class="scroll" role="region" aria-label=text::TABLE tabindex="0">
                // The style sheet makes blocks of the rows on a narrow screen; the roles keep them
                // rows for screen readers.
                <table role="table">
                    <caption>{text::accounts_found(list.total)}</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader">{text::EMAIL}</th>
                            <th role="columnheader">{text::STATUS}</th>
                            <th role="columnheader">{text::ROLE}</th>
                            <th role="columnheader">{text::LAST_LOGIN}</th>
                            <th role="columnheader"><span class="visually-hidden">{text::ACTIONS}</span></th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </div>
            <ui::Pagination page=list.page pages=list.pages address/>
            <p class="links"><a href=paths::NEW_USER.path>{text::new::TITLE}</a>{links::SEPARATOR}<a href=paths::AUDIT_LOG.path>{audit_log_text::TITLE}</a>{links::SEPARATOR}<a href=paths::DIAGNOSTICS.path>{diagnostics_text::TITLE}</a></p>
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
                <input type="hidden" name="action" value=UserAction::Approve.code()/>
                <button type="submit">{action_text::action(UserAction::Approve)}<span class="visually-hidden">{email}</span></button>
            </ui::PostForm>
        }
    });
    let status = text::status(row.status);
    view! {
        <tr role="row">
            <th role="rowheader"><a href=paths::user(&row.id)>{row.email}</a></th>
            <td role="cell" data-label=text::STATUS>{if row.status == AccountStatus::Active { status.into_any() } else { view! { <span class="badge">{status}</span> }.into_any() }}</td>
            <td role="cell" data-label=text::ROLE>{text::role(row.is_administrator)}</td>
            <td role="cell" data-label=text::LAST_LOGIN>{row.last_login.map_or_else(|| text::NEVER.into_any(), |at| view! { <ui::Time at/> }.into_any())}</td>
            <td role="cell">{approve}</td>
        </tr>
    }
    .into_any()
}

/// The URL of the list of accounts that wait for approval.
pub fn pending_url() -> String {
    format!("{}?which={}", paths::USERS.path, UserFilter::Pending.code())
}

/// The URL of the list up to the page number.
fn list_url(filter: &str, search: &str) -> String {
    format!(
        "{}?which={}&q={}&page=",
        paths::USERS.path,
        ui::encoded(filter),
        ui::encoded(search)
    )
}
