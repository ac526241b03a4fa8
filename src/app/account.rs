use leptos::prelude::*;

use super::{Administration, logout::LogOutForm, ui, visit};

/// `/account`: who I am.
#[component]
pub fn AccountPage() -> impl IntoView {
    let visit = visit();
    let is_proven = visit.notice() == "address_proven";
    let person = visit.person.map(|person| {
        let role = match (person.is_superuser, person.is_verified) {
            (true, _) => "Administrator",
            (false, true) => "Member",
            (false, false) => "Waiting for approval",
        };
        view! {
            <dl class="facts">
                <dt>"E-mail"</dt>
                <dd>{person.email}</dd>
                <dt>"Role"</dt>
                <dd>{role}</dd>
                <dt>"Logged in since"</dt>
                <dd><time datetime=person.since.iso>{person.since.words}</time></dd>
            </dl>
        }
    });
    view! {
        <ui::Frame title="Your account">
            <h1>"Your account"</h1>
            {is_proven.then(|| view! { <p class="notice" role="status">"Your address is confirmed."</p> })}
            {person}
            <LogOutForm/>
            {visit.administration.map(|administration| view! { <AdministrationCard administration/> })}
        </ui::Frame>
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
    (!warnings.is_empty() || redirect_uri.is_some()).then(|| {
        view! {
            <section class="card">
                <h2>"Configuration"</h2>
                {warnings}
                {redirect_uri}
            </section>
        }
    })
}
