use leptos::prelude::*;

use super::{logout::LogOutForm, ui, visit};

/// `/login/verify`: for people whose account nobody has approved yet. No dead end: it says who can (SR-039).
#[component]
pub fn VerifyPage() -> impl IntoView {
    let visit = visit();
    let email = visit.person.map(|person| person.email).unwrap_or_default();
    view! {
        <ui::Frame title="Waiting for approval">
            <h1>"Waiting for approval"</h1>
            <p class="lead">"You are logged in as "<strong>{email}</strong>", but your account is new and has to be approved before you can use "{visit.app_name}"."</p>
            <p>"An administrator of this server can approve it. Tell the person who runs it that you are waiting, then check again."</p>
            <p class="links"><a href="/login/verify">"Check again"</a></p>
            <LogOutForm/>
        </ui::Frame>
    }
}
