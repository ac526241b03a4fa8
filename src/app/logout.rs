use leptos::{prelude::*, server_fn::ServerFn};

use super::{page_context::page_context, ui};
use crate::{domain::AuthError, text::en::pages::logout as text};

/// Ends the session durably before the answer, with or without a valid session (SR-096).
#[server(prefix = "", endpoint = "logout")]
pub async fn log_out() -> Result<(), AuthError> {
    use crate::app::paths;
    use crate::domain::Notice;
    use crate::server::{flows::sessions, web::server_fn};
    let (state, auth) = server_fn::request()?;
    let is_still_logged_in_there = match server_fn::presented_token(&auth) {
        Some(token) => sessions::revoke_by_token(&auth.ctx(&state), token).await?,
        None => false,
    };
    match server_fn::presented_token(&auth).filter(|_| is_still_logged_in_there) {
        Some(session) => server_fn::clear_session_cookie_and_offer_hint(&state, session)?,
        None => server_fn::clear_session_cookie(&state)?,
    }
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

/// `/logout`: the target of links. Only the button ends the session (SR-111).
#[component]
pub fn LogoutPage() -> impl IntoView {
    let cx = page_context();
    view! {
        <ui::Layout title=text::TITLE>
            <h1>{text::TITLE}</h1>
            <p class="lead">{text::lead(&cx.app_name)}</p>
            <LogOutForm/>
        </ui::Layout>
    }
}

/// The logout button. A plain form, because it has no input whose error it could show in place.
#[component]
pub fn LogOutForm() -> impl IntoView {
    view! {
        <form method="post" action=LogOut::PATH>
            <button type="submit" class="secondary">{text::TITLE}</button>
        </form>
    }
}
