use leptos::prelude::*;

use super::{ui, visit};

/// `/login/oidc`: the way to the provider.
#[component]
pub fn OidcPage() -> impl IntoView {
    let name = visit().provider.unwrap_or_else(|| "your provider".to_owned());
    view! {
        <ui::Frame title="Not available yet">
            <h1>"Not available yet"</h1>
            <p class="lead">{format!("Logging in with {name} is not available in this version. Use your e-mail address and password.")}</p>
            <p class="links"><a href="/login">"Back to the login page"</a></p>
        </ui::Frame>
    }
}
