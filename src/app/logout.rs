use leptos::{prelude::*, server_fn::ServerFn};

use super::{ui, visit};
use crate::domain::AuthError;

/// Ends the session, durably, before it answers. Works without a session and with a dead one too (SR-096).
#[server(prefix = "", endpoint = "logout")]
pub async fn log_out() -> Result<(), AuthError> {
    use crate::server::{context, flows::sessions};
    let (state, visitor) = context::visitor()?;
    let is_still_logged_in_there = match context::presented_token(&visitor) {
        Some(token) => sessions::end(&visitor.ctx(&state), token).await?,
        None => false,
    };
    context::leave(&state)?;
    let notice = if is_still_logged_in_there { LOGGED_OUT_HERE } else { "logged_out" };
    context::go_to(&format!("/login?notice={notice}"));
    Ok(())
}

/// The notice after a session that had come from the provider: its page offers to log out there too.
pub const LOGGED_OUT_HERE: &str = "logged_out_here";

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
