use leptos::{prelude::*, server_fn::ServerFn};

use super::{ui, visit};
use crate::domain::AuthError;

/// Ends the session, durably, before it answers. Works without a session and with a dead one too (SR-096).
#[server(prefix = "", endpoint = "logout")]
pub async fn log_out() -> Result<(), AuthError> {
    use crate::server::{context, flows::sessions};
    let (state, visitor) = context::visitor()?;
    if let Some(token) = context::presented_token(&visitor) {
        sessions::end(&state, token).await?;
    }
    context::leave(&state)?;
    context::go_to("/login?notice=logged_out");
    Ok(())
}

/// `/logout`: for whoever follows a link here. Only the button changes anything (SR-111).
#[component]
pub fn LogoutPage() -> impl IntoView {
    let name = visit().app_name;
    view! {
        <ui::Frame title="Log out">
            <h1>"Log out"</h1>
            <p class="lead">{format!("This ends your session on this device. {name} stays open on your other devices.")}</p>
            <LogOutForm/>
        </ui::Frame>
    }
}

/// The button, on every page that has one. A plain form: there is nothing in it that could fail in place.
#[component]
pub fn LogOutForm() -> impl IntoView {
    view! {
        <form method="post" action=LogOut::PATH>
            <button type="submit" class="secondary">"Log out"</button>
        </form>
    }
}
