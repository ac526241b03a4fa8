use crate::{
    islands::{FormTexts, NUMBER_PLACEHOLDER},
    text::en::pages::{form as text, layout},
};

/// The texts of a `CredentialsForm` with this `new_password_min`.
pub fn form_texts(new_password_min: u16) -> FormTexts {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_a_line() {
        let texts = form_texts(12);
        assert_eq!(FormTexts::from(String::from(texts.clone())), texts);
    }
}
