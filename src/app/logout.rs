use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, ui};
use crate::domain::AuthError;

/// Ends the session, durably, before it answers. Works without a session and with a dead one too
/// (SR-096).
#[server(prefix = "", endpoint = "logout")]
pub async fn log_out() -> Result<(), AuthError> {
    use crate::app::{notice::Notice, paths};
    use crate::server::{flows::sessions, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let is_still_logged_in_there = match server_fn::presented_token(&auth) {
        Some(token) => sessions::revoke_by_token(&auth.ctx(&state), token).await?,
        None => false,
    };
    server_fn::clear_session_cookie(&state)?;
    server_fn::redirect(
        &paths::LOGIN,
        if is_still_logged_in_there {
            Notice::LoggedOutHere
        } else {
            Notice::LoggedOut
        },
    );
    Ok(())
}

/// `/logout`: for whoever follows a link here. Only the button changes anything (SR-111).
#[component]
pub fn LogoutPage() -> impl IntoView {
    let name = page_context().app_name.clone();
    view! {
        <ui::Layout title="Log out">
            <h1>"Log out"</h1>
            <p class="lead">{format!("This ends your session on this device. {name} stays open on your other devices.")}</p>
            <LogOutForm/>
        </ui::Layout>
    }
}

/// The button, on every page that has one. A plain form: there is nothing in it that could fail in
/// place.
#[component]
pub fn LogOutForm() -> impl IntoView {
    view! {
        <form method="post" action=LogOut::PATH>
            <button type="submit" class="secondary">"Log out"</button>
        </form>
    }
}
