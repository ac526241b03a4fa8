use crate::{
    app::{page_context::page_context, paths},
    islands::{FormProps, FormTexts, NUMBER_PLACEHOLDER},
    text::en::pages::{form as text, layout},
};

/// The data of a `CredentialsForm` that asks for the current password, if `new_password_min` is 0,
/// or for a new one. It shows the error of the failed form, if this page is its answer.
pub fn form_props(action: &str, button: &str, new_password_min: u16) -> FormProps {
    let error = page_context().field_error();
    FormProps {
        action: action.to_owned(),
        button: button.to_owned(),
        error_element: error.element_id,
        error_message: error.message,
        new_password_min,
        reset_path: paths::FORGOT_PASSWORD.path.to_owned(),
        texts: form_texts(new_password_min),
        ..FormProps::default()
    }
}

fn form_texts(new_password_min: u16) -> FormTexts {
    let password_rule = if new_password_min > 0 {
        text::password_rule(new_password_min)
    } else {
        String::new()
    };
    FormTexts {
        email: text::EMAIL.to_owned(),
        password: text::PASSWORD.to_owned(),
        password_rule,
        show: text::SHOW.to_owned(),
        hide: text::HIDE.to_owned(),
        show_or_hide_what: text::SHOW_OR_HIDE_WHAT.to_owned(),
        one_more_character: text::ONE_MORE_CHARACTER.to_owned(),
        more_characters: text::more_characters(NUMBER_PLACEHOLDER),
        too_uniform: text::TOO_UNIFORM.to_owned(),
        long_enough: text::LONG_ENOUGH.to_owned(),
        forgot_password: text::FORGOT_PASSWORD.to_owned(),
        unreadable_answer: text::UNREADABLE_ANSWER.to_owned(),
        error_title_prefix: layout::ERROR_PREFIX.to_owned(),
    }
}
