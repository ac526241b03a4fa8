use serde::{Deserialize, Serialize};

use super::{InvalidToken, SETUP_AUDIENCE, Tokens};

#[derive(Serialize, Deserialize)]
struct SetupClaims {
    aud: [String; 1],
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// Signs a token for the setup link (SR-034), valid for `lifetime` seconds from now.
    pub fn sign_setup(&self, lifetime: u32) -> Result<String, InvalidToken> {
        let iat = self.clock.now();
        self.setup.sign(&SetupClaims {
            aud: [SETUP_AUDIENCE.to_owned()],
            iat,
            exp: iat + i64::from(lifetime),
        })
    }

    /// Checks a setup token. The caller must also check that the setup is not done, because the
    /// token does not record its use.
    pub fn check_setup(&self, token: &str) -> Result<(), InvalidToken> {
        let claims: SetupClaims = self.setup.check(token)?;
        if claims.exp > self.clock.now() {
            Ok(())
        } else {
            Err(InvalidToken)
        }
    }
}
