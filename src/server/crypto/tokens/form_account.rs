//! The field that binds a form to the account its page was shown to.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::{InvalidToken, Tokens};

impl Tokens {
    /// Returns the value of the hidden field in a form that is shown to `user` in `session`:
    /// `<session id>.<MAC over both ids>`. Empty on failure, which
    /// [`check_form_account`](Self::check_form_account) rejects.
    pub fn form_account(&self, user: Uuid, session: Uuid) -> String {
        let session = session.to_string();
        self.form_mac(user, &session)
            .map(|mac| {
                format!(
                    "{session}.{}",
                    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
                )
            })
            .unwrap_or_default()
    }

    /// Checks that the field belongs to a form that was shown to `user`, in any session.
    pub fn check_form_account(&self, field: &str, user: Uuid) -> Result<(), InvalidToken> {
        let (session, mac) = field.split_once('.').ok_or(InvalidToken)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| InvalidToken)?;
        // `verify_slice` compares in constant time.
        self.form_mac(user, session)?
            .verify_slice(&mac)
            .map_err(|_| InvalidToken)
    }

    fn form_mac(&self, user: Uuid, session: &str) -> Result<Hmac<Sha256>, InvalidToken> {
        // A user id is always 16 bytes, so the boundary between the two parts is unambiguous.
        let mac = Hmac::<Sha256>::new_from_slice(&self.form).map_err(|_| InvalidToken)?;
        Ok(mac.chain_update(user.as_bytes()).chain_update(session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::clock::Clock;

    #[test]
    fn a_field_is_good_for_its_user_in_any_session_and_for_nobody_else() {
        let tokens = Tokens::new("0123456789abcdef0123456789abcdef", Clock::System).unwrap();
        let (user, session) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let field = tokens.form_account(user, session);
        assert_eq!(tokens.check_form_account(&field, user), Ok(()));
        assert_eq!(
            tokens.check_form_account(&tokens.form_account(user, Uuid::from_u128(3)), user),
            Ok(())
        );
        assert_eq!(
            tokens.check_form_account(&field, Uuid::from_u128(3)),
            Err(InvalidToken)
        );
        assert_eq!(
            tokens.check_form_account(&field, session),
            Err(InvalidToken)
        );
        assert_ne!(field, tokens.form_account(session, user));
    }

    #[test]
    fn a_field_that_is_cut_altered_or_signed_with_another_key_is_refused() {
        let tokens = Tokens::new("0123456789abcdef0123456789abcdef", Clock::System).unwrap();
        let other = Tokens::new("another secret of thirty-two bytes", Clock::System).unwrap();
        let user = Uuid::from_u128(1);
        let field = tokens.form_account(user, user);
        for end in 0..field.len() {
            assert_eq!(
                tokens.check_form_account(&field[..end], user),
                Err(InvalidToken),
                "{end}"
            );
        }
        for position in 0..field.len() {
            let mut altered = field.clone().into_bytes();
            altered[position] ^= 1;
            assert_eq!(
                tokens.check_form_account(&String::from_utf8(altered).unwrap(), user),
                Err(InvalidToken),
                "{position}"
            );
        }
        assert_eq!(
            tokens.check_form_account(&other.form_account(user, user), user),
            Err(InvalidToken)
        );
    }
}
