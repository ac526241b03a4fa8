use serde::{Deserialize, Serialize};

/// Stands for the number in [`FormTexts::more_characters`]. One character, because a search for a
/// longer placeholder would add a string searcher to the WebAssembly.
pub const NUMBER_PLACEHOLDER: char = '#';

/// The texts of [`CredentialsForm`](super::CredentialsForm). The property is one string with one
/// text a line, because a struct would add its own JSON parser to the WebAssembly. No text may
/// contain a line break.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub struct FormTexts {
    pub email: String,
    pub password: String,
    /// The rule for a new password; empty where the form asks for the current one.
    pub password_rule: String,
    pub show: String,
    pub hide: String,
    /// Follows `show` and `hide` for screen readers, with a leading space.
    pub show_or_hide_what: String,
    /// A new password is one character short of the minimum.
    pub one_more_character: String,
    /// A new password is several characters short; [`NUMBER_PLACEHOLDER`] stands for the number.
    pub more_characters: String,
    /// A new password repeats too few characters.
    pub too_uniform: String,
    pub long_enough: String,
    pub forgot_password: String,
    /// The answer of the server is not one of ours.
    pub unreadable_answer: String,
    /// Precedes the title of the document after a failure.
    pub error_title_prefix: String,
}

impl From<String> for FormTexts {
    fn from(property: String) -> Self {
        let mut lines = property.split('\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        Self {
            email: next(),
            password: next(),
            password_rule: next(),
            show: next(),
            hide: next(),
            show_or_hide_what: next(),
            one_more_character: next(),
            more_characters: next(),
            too_uniform: next(),
            long_enough: next(),
            forgot_password: next(),
            unreadable_answer: next(),
            error_title_prefix: next(),
        }
    }
}

impl From<FormTexts> for String {
    fn from(texts: FormTexts) -> Self {
        [
            texts.email,
            texts.password,
            texts.password_rule,
            texts.show,
            texts.hide,
            texts.show_or_hide_what,
            texts.one_more_character,
            texts.more_characters,
            texts.too_uniform,
            texts.long_enough,
            texts.forgot_password,
            texts.unreadable_answer,
            texts.error_title_prefix,
        ]
        .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_survives_the_property() {
        let property: Vec<_> = (0..13).map(|number| format!(" {number} ")).collect();
        let texts = FormTexts::from(property.join("\n"));
        assert_eq!(texts.email, " 0 ");
        assert_eq!(texts.error_title_prefix, " 12 ");
        assert_eq!(String::from(texts), property.join("\n"));
        assert_eq!(
            String::from(FormTexts::default()).matches('\n').count(),
            property.len() - 1
        );
    }
}
