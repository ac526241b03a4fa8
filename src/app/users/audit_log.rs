use leptos::prelude::*;

use crate::{
    app::{page_context::Timestamp, paths, ui},
    text::en::pages::{links, users::audit_log as text},
};

/// One page of the audit log.
#[derive(Clone)]
pub struct EventsPage {
    /// The options of the filter by kind: code and text.
    pub kinds: Vec<(String, &'static str)>,
    /// The number of matching events.
    pub total: u64,
    pub events: Vec<EventRow>,
    /// From 1.
    pub page: u64,
    pub pages: u64,
    pub kind: String,
    pub user: String,
    pub reference: String,
}

/// One event of the audit log.
#[derive(Clone)]
pub struct EventRow {
    pub at: Timestamp,
    pub event: String,
    /// Method and details.
    pub detail: String,
    /// The user that the event is about.
    pub user: Option<UserRef>,
    /// The user who caused the event, if another one.
    pub actor: Option<String>,
    pub client_ip: String,
    pub request_id: String,
}

/// A user; one that was deleted has no address.
#[derive(Clone)]
pub struct UserRef {
    pub id: String,
    pub email: Option<String>,
}

/// `/users/events`
#[component]
pub fn AuditLogPage(list: EventsPage) -> impl IntoView {
    let address = format!(
        "{}?kind={}&user={}&reference={}&page=",
        paths::AUDIT_LOG.path,
        ui::encoded(&list.kind),
        ui::encoded(&list.user),
        ui::encoded(&list.reference)
    );
    view! {
        <ui::Layout title=text::TITLE is_wide=true>
            <h1>{text::TITLE}</h1>
            <form method="get" action=paths::AUDIT_LOG.path class="filter" role="search">
                <ui::Select id="kind" label=text::WHAT options=list.kinds chosen=list.kind/>
                <div class="field">
                    <label for="user">{text::EMAIL}</label>
                    <input id="user" name="user" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.user/>
                </div>
                <div class="field">
                    <label for="reference">{text::REFERENCE}</label>
                    <input id="reference" name="reference" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.reference/>
                </div>
                <button type="submit" class="secondary">{text::SEARCH}</button>
            </form>
            <EventTable events=list.events caption=text::events_found(list.total)/>
            <ui::Pagination page=list.page pages=list.pages address/>
            <p class="links"><a href=paths::USERS.path>{links::ALL_USERS}</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// A table with one event a row.
#[component]
pub fn EventTable(
    events: Vec<EventRow>,
    /// The caption; empty where a heading takes its place.
    #[prop(optional)]
    caption: String,
) -> impl IntoView {
    let rows: Vec<_> = events
        .into_iter()
        .map(|event| {
            let user = event.user.map(|UserRef { id, email }| match email {
                Some(email) => view! { <a href=paths::user(&id)>{email}</a> }.into_any(),
                None => text::deleted_user(&id).into_any(),
            });
            view! {
                <tr role="row">
                    <td role="cell" data-label=text::WHEN><ui::Time at=event.at/></td>
                    <td role="cell" data-label=text::WHAT>
                        {event.event}
                        {(!event.detail.is_empty()).then(|| view! { <p class="hint">{event.detail}</p> })}
                    </td>
                    <td role="cell" data-label=text::WHO>
                        {user}
                        {event.actor.map(|actor| view! { <p class="hint">{text::BY}{actor}</p> })}
                    </td>
                    <td role="cell" data-label=text::FROM>{event.client_ip}</td>
                    <td role="cell" data-label=text::REFERENCE class="reference">{(!event.request_id.is_empty()).then_some(event.request_id)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="scroll" role="region" aria-label=text::TABLE tabindex="0">
            <table role="table">
                {(!caption.is_empty()).then(|| view! { <caption>{caption}</caption> })}
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader">{text::WHEN}</th>
                        <th role="columnheader">{text::WHAT}</th>
                        <th role="columnheader">{text::WHO}</th>
                        <th role="columnheader">{text::FROM}</th>
                        <th role="columnheader">{text::REFERENCE}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
