use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Stands for the number in [`FormTexts::more_characters`]. One character, because a search for a
/// longer placeholder would add a string searcher to the WebAssembly.
pub const NUMBER_PLACEHOLDER: char = '#';

/// Everything that a [`CredentialsForm`](super::CredentialsForm) needs. It is part of the page's
/// source, so it must not contain secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormProps {
    /// The path of the page, which is also the path of its server function.
    pub action: String,
    /// The text of the button.
    pub button: String,
    /// The element that shows the error of the failed form: an input's `id`, or `alert`.
    pub error_element: String,
    /// The message of the error; empty without an error.
    pub error_message: String,
    /// The name of a hidden field; without one there is none.
    pub hidden_name: String,
    pub hidden_value: String,
    /// Binds the form to an account; empty where no login is needed.
    pub account: String,
    pub email: String,
    /// The e-mail field is read-only.
    pub email_is_fixed: bool,
    /// The minimum length of a new password in code points; 0 where the form asks for the current
    /// one.
    pub new_password_min: u16,
    /// Shows the link to the password reset below the password.
    pub offers_reset: bool,
    /// The path of the page that starts a password reset.
    pub reset_path: String,
    pub texts: FormTexts,
}

/// The texts of the form's parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

const TRUE: &str = "1";
const LINE_BREAK: char = '\n';

/// One string with one value per line: a property of another type would add its own JSON parser to
/// the WebAssembly. A line break in a value becomes a space.
impl Serialize for FormProps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flag = |is_set| if is_set { TRUE } else { "" };
        let minimum = self.new_password_min.to_string();
        let texts = &self.texts;
        let values = [
            self.action.as_str(),
            &self.button,
            &self.error_element,
            &self.error_message,
            &self.hidden_name,
            &self.hidden_value,
            &self.account,
            &self.email,
            flag(self.email_is_fixed),
            &minimum,
            flag(self.offers_reset),
            &self.reset_path,
            &texts.email,
            &texts.password,
            &texts.password_rule,
            &texts.show,
            &texts.hide,
            &texts.show_or_hide_what,
            &texts.one_more_character,
            &texts.more_characters,
            &texts.too_uniform,
            &texts.long_enough,
            &texts.forgot_password,
            &texts.unreadable_answer,
            &texts.error_title_prefix,
        ];
        let mut lines = String::with_capacity(512);
        for value in values {
            lines.push_str(&value.replace(LINE_BREAK, " "));
            lines.push(LINE_BREAK);
        }
        serializer.serialize_str(&lines)
    }
}

impl<'de> Deserialize<'de> for FormProps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = String::deserialize(deserializer)?;
        let mut lines = lines.split(LINE_BREAK);
        let mut next = || lines.next().unwrap_or_default().to_owned();
        Ok(Self {
            action: next(),
            button: next(),
            error_element: next(),
            error_message: next(),
            hidden_name: next(),
            hidden_value: next(),
            account: next(),
            email: next(),
            email_is_fixed: next() == TRUE,
            new_password_min: next().parse().unwrap_or_default(),
            offers_reset: next() == TRUE,
            reset_path: next(),
            texts: FormTexts {
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
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_the_property() {
        let lines: Vec<String> = (0..25)
            .map(|number| match number {
                8 | 10 => TRUE.to_owned(),
                9 => "12".to_owned(),
                number => format!(" {number} \"<&"),
            })
            .collect();
        let property = serde_json::to_string(&format!("{}\n", lines.join("\n"))).unwrap();
        let form: FormProps = serde_json::from_str(&property).unwrap();
        assert_eq!(serde_json::to_string(&form).unwrap(), property);
        assert!(form.email_is_fixed && form.offers_reset);
        assert_eq!(form.new_password_min, 12);
        assert_eq!(form.texts.error_title_prefix, " 24 \"<&");
    }

    #[test]
    fn a_line_break_in_a_value_moves_no_other_value() {
        let form = FormProps {
            email: "ada\n@example.org".to_owned(),
            reset_path: "/reset".to_owned(),
            ..FormProps::default()
        };
        let property = serde_json::to_string(&form).unwrap();
        let read: FormProps = serde_json::from_str(&property).unwrap();
        assert_eq!(read.email, "ada @example.org");
        assert_eq!(read.reset_path, "/reset");
    }
}
