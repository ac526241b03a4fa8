use std::fmt;

use crate::domain::AuthError;

/// The maximum length of an address in an SMTP path (RFC 5321 §4.5.3.1.3).
const MAX_BYTES: usize = 254;
/// The width of MediaManager's column.
const MAX_EXISTING_BYTES: usize = 320;
/// The maximum length of a local part (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;
/// The maximum length of a domain label (RFC 1035 §2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// An e-mail address in canonical form: without outer ASCII blanks and in lower case (SR-030).
///
/// ASCII only, because Unicode case folding can make two different addresses equal
/// (CVE-2019-19844). Plus tags and dots are kept, because only the receiving mail server knows
/// their meaning.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Parses a typed address (SR-031).
    ///
    /// # Errors
    /// `InvalidEmail` if the address breaks SR-031, for example with a control character.
    pub fn parse(typed: &str) -> Result<Self, AuthError> {
        let email = Self::parse_existing(typed)?;
        if email.0.len() > MAX_BYTES || email.local_part().len() > MAX_LOCAL_BYTES {
            return Err(AuthError::InvalidEmail);
        }
        Ok(email)
    }

    /// Parses the typed address of an existing account, which may be longer than a new one:
    /// MediaManager does not limit the local part.
    ///
    /// # Errors
    /// `InvalidEmail`, as [`parse`](Self::parse) but for the length.
    pub fn parse_existing(typed: &str) -> Result<Self, AuthError> {
        let address = typed
            .trim_matches([' ', '\t', '\r', '\n'])
            .to_ascii_lowercase();
        let (local, domain) = address.split_once('@').ok_or(AuthError::InvalidEmail)?;
        if address.len() > MAX_EXISTING_BYTES || !is_local_part(local) || !is_domain(domain) {
            return Err(AuthError::InvalidEmail);
        }
        Ok(Self(address))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn is_local_part(local: &str) -> bool {
    !local.is_empty()
        && local
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !br#""\,;<>@"#.contains(&byte))
}

/// Whether a domain consists of ASCII labels of letters, digits and inner hyphens. A single label
/// and `.local` are allowed, because home networks use them.
fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_cut_and_ascii_letters_lower_cased() {
        assert_eq!(
            Email::parse(" \tAda.L+films@Example.ORG \n")
                .unwrap()
                .as_str(),
            "ada.l+films@example.org"
        );
    }

    #[test]
    fn addresses_of_a_household_are_accepted() {
        for address in [
            "a@b",
            "root@nas.local",
            "ada@xn--bcher-kva.example",
            "o'brien@example.org",
            "a.b.c@1.example",
        ] {
            assert!(Email::parse(address).is_ok(), "{address}");
        }
    }

    #[test]
    fn an_existing_address_may_be_as_long_as_mediamanagers_column() {
        let existing = |local: usize| Email::parse_existing(&format!("{}@b", "a".repeat(local)));
        assert!(existing(318).is_ok());
        assert_eq!(existing(319), Err(AuthError::InvalidEmail));
        assert!(Email::parse_existing("a@b\r\nBcc: c@d").is_err());
    }

    #[test]
    fn everything_else_is_refused() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("a@{}", "b.".repeat(130));
        for address in [
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a,b@c",
            "a;b@c",
            "<a@b>",
            "\"a\"@b",
            "a\\b@c",
            "a@b..c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a@[127.0.0.1]",
            "ä@example.org",
            "a@exämple.org",
            "a\u{212a}@example.org",
            "a\0@b",
            "a\u{7f}@b",
            "a@b\r\nBcc: c@d",
            &long_local,
            &long,
        ] {
            assert_eq!(
                Email::parse(address),
                Err(AuthError::InvalidEmail),
                "{address:?}"
            );
        }
    }
}
