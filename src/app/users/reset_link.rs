use leptos::prelude::*;

use crate::{
    app::{paths, ui},
    text::en::pages::{links, users::reset_link as text},
};

/// A password reset link for an administrator to pass on.
#[derive(Clone)]
pub struct OneTimeLink {
    pub user: String,
    pub email: String,
    pub url: String,
    pub lifetime_seconds: u32,
}

/// `/users/link`: shows the link once (SR-143). No URL and no log contains it.
#[component]
pub fn ResetLinkPage(link: OneTimeLink) -> impl IntoView {
    view! {
        <ui::Layout title=text::TITLE>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::FOR_WHOM}<strong>{link.email}</strong>{text::WORKS_ONCE_FOR}{text::lifetime(link.lifetime_seconds)}{text::SHOWN_ONCE}</p>
            <pre class="copy" tabindex="0"><code>{link.url}</code></pre>
            <p class="links"><a href=paths::user(&link.user)>{links::BACK}</a></p>
        </ui::Layout>
    }
    .into_any()
}
