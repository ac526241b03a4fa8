use leptos::prelude::*;

use crate::app::{page_context::Timestamp, paths, ui};

/// One page of what has happened.
#[derive(Clone)]
pub struct EventsPage {
    pub title: &'static str,
    /// The code of each kind of event, and its description.
    pub kinds: Vec<(String, &'static str)>,
    /// How many events match, as a sentence.
    pub events_found: String,
    pub events: Vec<EventRow>,
    /// From 1.
    pub page: u64,
    pub pages: u64,
    pub kind: String,
    pub user: String,
    pub reference: String,
}

/// Something that has happened.
#[derive(Clone)]
pub struct EventRow {
    pub at: Timestamp,
    pub event: String,
    /// How, and why.
    pub detail: String,
    /// Whom it is about.
    pub user: Option<UserRef>,
    /// Who did it, where that was somebody else.
    pub actor: Option<String>,
    pub client_ip: String,
    pub request_id: String,
}

/// A user, who may be gone: then only the id is left.
#[derive(Clone)]
pub struct UserRef {
    pub id: String,
    pub email: Option<String>,
}

/// `/users/events`: what has happened, for administrators.
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
        <ui::Layout title=list.title is_wide=true>
            <h1>{list.title}</h1>
            <form method="get" action=paths::AUDIT_LOG.path class="filter" role="search">
                <ui::Select id="kind" label="What" options=list.kinds chosen=list.kind/>
                <div class="field">
                    <label for="user">"E-mail"</label>
                    <input id="user" name="user" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.user/>
                </div>
                <div class="field">
                    <label for="reference">"Reference"</label>
                    <input id="reference" name="reference" autocomplete="off" autocapitalize="none" spellcheck="false" value=list.reference/>
                </div>
                <button type="submit" class="secondary">"Search"</button>
            </form>
            <EventTable events=list.events caption=list.events_found/>
            <ui::Pagination page=list.page pages=list.pages address/>
            <p class="links"><a href=paths::USERS.path>"All users"</a></p>
        </ui::Layout>
    }
    .into_any()
}

/// What has happened, a row each.
#[component]
pub fn EventTable(
    events: Vec<EventRow>,
    /// Above the table, where the heading does not say it.
    #[prop(optional)]
    caption: String,
) -> impl IntoView {
    let rows: Vec<_> = events
        .into_iter()
        .map(|event| {
            let user = event.user.map(|UserRef { id, email }| match email {
                Some(email) => view! { <a href=paths::user(&id)>{email}</a> }.into_any(),
                None => format!("{id} (deleted)").into_any(),
            });
            view! {
                <tr role="row">
                    <td role="cell" data-label="When"><ui::Time at=event.at/></td>
                    <td role="cell" data-label="What">
                        {event.event}
                        {(!event.detail.is_empty()).then(|| view! { <p class="hint">{event.detail}</p> })}
                    </td>
                    <td role="cell" data-label="Who">
                        {user}
                        {event.actor.map(|actor| view! { <p class="hint">"by "{actor}</p> })}
                    </td>
                    <td role="cell" data-label="From">{event.client_ip}</td>
                    <td role="cell" data-label="Reference" class="reference">{(!event.request_id.is_empty()).then_some(event.request_id)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="scroll" role="region" aria-label="Events" tabindex="0">
            <table role="table">
                {(!caption.is_empty()).then(|| view! { <caption>{caption}</caption> })}
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader">"When"</th>
                        <th role="columnheader">"What"</th>
                        <th role="columnheader">"Who"</th>
                        <th role="columnheader">"From"</th>
                        <th role="columnheader">"Reference"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
