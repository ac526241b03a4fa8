use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{InvalidToken, SESSION_AUDIENCE, Tokens};

/// The claims of a session token, and no others (SR-090).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The user's id.
    pub sub: Uuid,
    aud: [String; 1],
    /// The id of the row in `auth_session`, 128 random bits.
    pub jti: Uuid,
    pub iat: i64,
    pub exp: i64,
}

impl Tokens {
    /// Signs a session token for `user`, valid for `lifetime` seconds from now.
    pub fn sign_session(
        &self,
        user: Uuid,
        session: Uuid,
        lifetime: u32,
    ) -> Result<(String, SessionClaims), InvalidToken> {
        let iat = self.clock.now();
        let claims = SessionClaims {
            sub: user,
            aud: [SESSION_AUDIENCE.to_owned()],
            jti: session,
            iat,
            exp: iat + i64::from(lifetime),
        };
        Ok((self.session.sign(&claims)?, claims))
    }

    /// Returns the claims of a valid session token. The caller must also check that the session's
    /// row is live, because revoking a session does not invalidate its token (SR-091).
    pub fn check_session(&self, token: &str) -> Result<SessionClaims, InvalidToken> {
        let claims: SessionClaims = self.session.check(token)?;
        if claims.exp > self.clock.now() {
            Ok(claims)
        } else {
            Err(InvalidToken)
        }
    }
}
