use leptos::prelude::*;

use super::FormState;
use crate::domain::password;

/// A password, for logging in or a new one, with a button that shows it.
///
/// The button appears with the script that makes it work. While the form is being sent, and when
/// the page comes back from the browser's cache, the field is a password again, so that the browser
/// saves it as one and nobody reads it over a shoulder.
#[component]
pub fn PasswordField(
    state: FormState,
    /// How long a new password must be, said before anybody breaks the rule; 0 where the account's
    /// own password is asked for.
    new_password_min: u16,
) -> impl IntoView {
    let is_new = new_password_min > 0;
    let autocomplete = if is_new {
        "new-password"
    } else {
        "current-password"
    };
    let rule = if is_new {
        format!(
            "At least {new_password_min} characters. A few words in a row are easy to remember."
        )
    } else {
        String::new()
    };
    let is_shown = RwSignal::new(false);
    Effect::new(move || {
        if state.is_sending.get() {
            is_shown.set(false);
        }
    });
    Effect::new(move || {
        let back = window_event_listener(leptos::ev::pageshow, move |_| is_shown.set(false));
        on_cleanup(move || back.remove());
    });
    let message = move || state.message_at("password");
    let is_wrong = move || message().is_some();
    let starts_here = message().is_some();
    let described_by = move || match (is_new, is_wrong()) {
        (true, true) => Some("password-hint password-error"),
        (true, false) => Some("password-hint"),
        (false, true) => Some("password-error"),
        (false, false) => None,
    };
    view! {
        <div class="field">
            <label for="password">"Password"</label>
            <p class="hint" id="password-hint">{rule}</p>
            <p class="error" id="password-error">{message}</p>
            <div class="reveal">
                <input
                    id="password"
                    name="password"
                    type=move || if is_shown.get() { "text" } else { "password" }
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    autofocus=starts_here
                    aria-invalid=move || is_wrong().then_some("true")
                    aria-describedby=described_by
                    on:input=move |event| update_password_hint(&event_target_value(&event), new_password_min)
                />
                <button type="button" aria-controls="password" hidden=move || !state.is_hydrated.get() on:click=move |_| is_shown.update(|shown| *shown = !*shown)>
                    <span class="verb">{move || if is_shown.get() { "Hide" } else { "Show" }}</span>
                    <span class="visually-hidden">" password"</span>
                </button>
            </div>
            <p class="hint" id="password-strength" aria-live="polite"></p>
        </div>
    }
}

/// Straight into the page: a signal for one line of text would cost the browser more than the line.
fn update_password_hint(typed: &str, new_password_min: u16) {
    let hint = if new_password_min > 0 {
        password::hint(typed, new_password_min)
    } else {
        None
    };
    if let Some(line) = document().get_element_by_id("password-strength") {
        line.set_text_content(hint.as_deref());
    }
}
