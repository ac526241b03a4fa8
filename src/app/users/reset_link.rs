use leptos::prelude::*;

use crate::app::{paths, ui};

/// A link that an administrator hands over.
#[derive(Clone)]
pub struct OneTimeLink {
    pub user: String,
    pub email: String,
    pub url: String,
    pub lifetime: String,
}

/// `/users/link`: shows a link once (SR-143). It stands in no address and in no log.
#[component]
pub fn ResetLinkPage(link: OneTimeLink) -> impl IntoView {
    view! {
        <ui::Layout title="One-time link">
            <h1>"One-time link"</h1>
            <p class="lead">"Whoever opens it chooses a password for "<strong>{link.email}</strong>". It works once, for "{link.lifetime}", and is shown only now."</p>
            <pre class="copy" tabindex="0"><code>{link.url}</code></pre>
            <p class="links"><a href=paths::user(&link.user)>"Back"</a></p>
        </ui::Layout>
    }
    .into_any()
}
