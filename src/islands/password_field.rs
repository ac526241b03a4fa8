use leptos::prelude::*;

use super::{FormState, FormTexts, NUMBER_PLACEHOLDER};
use crate::domain::password::{self, PasswordHint};

/// The current password or a new one, with a button that shows it.
///
/// The button appears once the script runs. The field is a password field again while the form is
/// being sent, so that the browser offers to save it, and after a return from the browser's cache,
/// so that a bystander cannot read it.
#[component]
pub fn PasswordField(
    state: FormState,
    texts: FormTexts,
    /// The minimum length of a new password in code points; 0 where the form asks for the current
    /// one.
    new_password_min: u16,
) -> impl IntoView {
    let is_new = new_password_min > 0;
    let autocomplete = if is_new {
        "new-password"
    } else {
        "current-password"
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
    let (label, rule, what) = (
        texts.password.clone(),
        texts.password_rule.clone(),
        texts.show_or_hide_what.clone(),
    );
    let (show, hide) = (texts.show.clone(), texts.hide.clone());
    view! {
        <div class="field">
            <label for="password">{label}</label>
            <p class="hint" id="password-hint" hidden=!is_new>{rule}</p>
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
                    on:input=move |event| update_password_hint(&texts, &event_target_value(&event), new_password_min)
                />
                <button type="button" aria-controls="password" hidden=move || !state.is_hydrated.get() on:click=move |_| is_shown.update(|shown| *shown = !*shown)>
                    <span class="verb">{move || if is_shown.get() { hide.clone() } else { show.clone() }}</span>
                    <span class="visually-hidden">{what}</span>
                </button>
            </div>
            <p class="hint" id="password-strength" aria-live="polite"></p>
        </div>
    }
}

/// Writes the hint into the document. A signal for one line of text would cost the browser more
/// than the line.
fn update_password_hint(texts: &FormTexts, typed: &str, new_password_min: u16) {
    let hint = if new_password_min > 0 {
        password::hint(typed, new_password_min)
    } else {
        None
    };
    if let Some(line) = document().get_element_by_id("password-strength") {
        line.set_text_content(hint.map(|hint| hint_text(texts, hint)).as_deref());
    }
}

fn hint_text(texts: &FormTexts, hint: PasswordHint) -> String {
    match hint {
        PasswordHint::TooShort { missing: 1 } => texts.one_more_character.clone(),
        PasswordHint::TooShort { missing } => {
            let (before, after) = texts
                .more_characters
                .split_once(NUMBER_PLACEHOLDER)
                .unwrap_or_default();
            format!("{before}{missing}{after}")
        }
        PasswordHint::TooUniform => texts.too_uniform.clone(),
        PasswordHint::LongEnough => texts.long_enough.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_missing_characters_stands_in_the_hint() {
        let texts = FormTexts {
            one_more_character: "one".to_owned(),
            more_characters: "still # to go".to_owned(),
            ..FormTexts::default()
        };
        let text = |missing| hint_text(&texts, PasswordHint::TooShort { missing });
        assert_eq!(text(1), "one");
        assert_eq!(text(11), "still 11 to go");
    }
}
