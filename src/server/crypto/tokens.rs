use hkdf::Hkdf;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use uuid::Uuid;

use crate::server::clock::Clock;

mod form_account;

/// The audience MediaManager's backend asks for in a session token.
const SESSION_AUDIENCE: &str = "fastapi-users:auth";
const SETUP_AUDIENCE: &str = "mediamanager-auth:setup";
const LOGIN_ATTEMPT_PURPOSE: &str = "mediamanager-auth:oidc-attempt";
const LINK_PURPOSE: &str = "mediamanager-auth:link-cookie";
const PENDING_PURPOSE: &str = "mediamanager-auth:oidc-pending";
const FORM_PURPOSE: &str = "mediamanager-auth:form-account";

/// Signs and checks every token. The session is signed with `token_secret` itself, because
/// MediaManager's backend checks it; every other purpose has a key of its own (SR-049), so a token
/// for one thing is worthless for another.
#[derive(Clone)]
pub struct Tokens {
    clock: Clock,
    session: Keys,
    setup: Keys,
    links: [(Purpose, Keys, [u8; 32]); 5],
    handshake: cookie::Key,
    pending: cookie::Key,
    link: cookie::Key,
    form: [u8; 32],
}

/// What a session token says: these five and nothing else (SR-090).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The user.
    pub sub: Uuid,
    aud: [String; 1],
    /// The row in `session`, 128 random bits.
    pub jti: Uuid,
    pub iat: i64,
    pub exp: i64,
}

/// What a link is for. Each has an audience and a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A forgotten password, by mail.
    Reset,
    /// The same, handed over by the operator, also where mail resets are off.
    AdminReset,
    /// A first password for somebody whom an administrator has made an account, by mail.
    Invitation,
    /// That a mailbox belongs to somebody.
    EmailVerification,
    /// The same of a mailbox that shall take the place of the account's.
    EmailChange,
}

/// What a link says (SR-042): for whom, until when, and a fingerprint of what it replaces, so that
/// it dies with that.
#[derive(Serialize, Deserialize)]
struct LinkClaims {
    aud: [String; 1],
    sub: Uuid,
    iat: i64,
    exp: i64,
    fpt: String,
}

#[derive(Serialize, Deserialize)]
struct SetupClaims {
    aud: [String; 1],
    iat: i64,
    exp: i64,
}

/// A token that is not to be trusted, for whatever reason. Deliberately silent about which.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidToken;

#[derive(Clone)]
struct Keys {
    audience: &'static str,
    sign: EncodingKey,
    check: DecodingKey,
}

impl Tokens {
    /// Derives the keys and proves once that signing and checking work in this build (SR-222).
    ///
    /// # Errors
    /// `InvalidToken` when the self-test fails.
    pub fn new(token_secret: &str, clock: Clock) -> Result<Self, InvalidToken> {
        let secret = token_secret.as_bytes();
        let tokens = Self {
            clock,
            session: Keys::new(SESSION_AUDIENCE, secret),
            setup: Keys::new(SETUP_AUDIENCE, &derive::<32>(secret, SETUP_AUDIENCE)?),
            links: [
                link_keys(secret, Purpose::Reset, "mediamanager-auth:reset")?,
                link_keys(secret, Purpose::AdminReset, "mediamanager-auth:admin-reset")?,
                link_keys(
                    secret,
                    Purpose::Invitation,
                    "mediamanager-auth:first-password",
                )?,
                link_keys(
                    secret,
                    Purpose::EmailVerification,
                    "mediamanager-auth:proof",
                )?,
                link_keys(
                    secret,
                    Purpose::EmailChange,
                    "mediamanager-auth:new-address",
                )?,
            ],
            link: cookie::Key::from(&derive::<64>(secret, LINK_PURPOSE)?),
            handshake: cookie::Key::from(&derive::<64>(secret, LOGIN_ATTEMPT_PURPOSE)?),
            pending: cookie::Key::from(&derive::<64>(secret, PENDING_PURPOSE)?),
            form: derive(secret, FORM_PURPOSE)?,
        };
        let (token, claims) = tokens.sign_session(Uuid::nil(), Uuid::nil(), 60)?;
        if tokens.check_session(&token)? != claims || tokens.check_setup(&token).is_ok() {
            return Err(InvalidToken);
        }
        Ok(tokens)
    }

    /// A session token for `user`, valid for `lifetime` seconds from now.
    ///
    /// # Errors
    /// `InvalidToken` when signing fails.
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

    /// What a genuine and unexpired session token says. The caller still has to find the row it
    /// names (SR-091).
    ///
    /// # Errors
    /// `InvalidToken` for everything else.
    pub fn check_session(&self, token: &str) -> Result<SessionClaims, InvalidToken> {
        let claims: SessionClaims = self.session.check(token)?;
        if claims.exp > self.clock.now() {
            Ok(claims)
        } else {
            Err(InvalidToken)
        }
    }

    /// A token for the one-time setup link (SR-034), valid for `lifetime` seconds.
    ///
    /// # Errors
    /// `InvalidToken` when signing fails.
    pub fn sign_setup(&self, lifetime: u32) -> Result<String, InvalidToken> {
        let iat = self.clock.now();
        self.setup.sign(&SetupClaims {
            aud: [SETUP_AUDIENCE.to_owned()],
            iat,
            exp: iat + i64::from(lifetime),
        })
    }

    /// Accepts a genuine and unexpired setup token.
    ///
    /// # Errors
    /// `InvalidToken` for everything else.
    pub fn check_setup(&self, token: &str) -> Result<(), InvalidToken> {
        let claims: SetupClaims = self.setup.check(token)?;
        if claims.exp > self.clock.now() {
            Ok(())
        } else {
            Err(InvalidToken)
        }
    }
}

impl Tokens {
    /// A token for a link. `replaces` is what it dies with: any change of it makes the link
    /// worthless.
    ///
    /// # Errors
    /// `InvalidToken` when signing fails.
    pub fn sign_link(
        &self,
        purpose: Purpose,
        user: Uuid,
        replaces: &str,
        lifetime: u32,
    ) -> Result<String, InvalidToken> {
        let (keys, secret) = self.keys_of(purpose)?;
        let iat = self.clock.now();
        keys.sign(&LinkClaims {
            aud: [keys.audience.to_owned()],
            sub: user,
            iat,
            exp: iat + i64::from(lifetime),
            fpt: fingerprint(secret, replaces)?,
        })
    }

    /// Whose link a genuine and unexpired token is. The caller asks
    /// [`binding_matches`](Self::still_replaces) next.
    ///
    /// # Errors
    /// `InvalidToken` for everything else.
    pub fn check_link(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Result<(Uuid, String), InvalidToken> {
        let (keys, _) = self.keys_of(purpose)?;
        let claims: LinkClaims = keys.check(token)?;
        if claims.exp > self.clock.now() {
            Ok((claims.sub, claims.fpt))
        } else {
            Err(InvalidToken)
        }
    }

    /// Whether what the link replaces is still there.
    pub fn binding_matches(&self, purpose: Purpose, read: &str, replaces: &str) -> bool {
        // Both sides are keyed hashes of ours, inside a signature of ours: there is nothing to
        // learn from the time of comparing.
        self.keys_of(purpose)
            .and_then(|(_, secret)| fingerprint(secret, replaces))
            .is_ok_and(|fingerprint| fingerprint == read)
    }

    fn keys_of(&self, purpose: Purpose) -> Result<(&Keys, &[u8; 32]), InvalidToken> {
        self.links
            .iter()
            .find(|(known, ..)| *known == purpose)
            .map(|(_, keys, secret)| (keys, secret))
            .ok_or(InvalidToken)
    }

    /// Encrypts the link's token while a person types the new password.
    pub fn link_cookie_key(&self) -> &cookie::Key {
        &self.link
    }

    /// Encrypts what a browser carries on its way to the provider and back.
    pub fn attempt_cookie_key(&self) -> &cookie::Key {
        &self.handshake
    }

    /// Encrypts what a browser carries until an account is proven.
    pub fn pending_link_cookie_key(&self) -> &cookie::Key {
        &self.pending
    }
}

impl Keys {
    fn new(audience: &'static str, secret: &[u8]) -> Self {
        Self {
            audience,
            sign: EncodingKey::from_secret(secret),
            check: DecodingKey::from_secret(secret),
        }
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String, InvalidToken> {
        encode(&Header::new(Algorithm::HS256), claims, &self.sign).map_err(|_| InvalidToken)
    }

    /// One algorithm, no leeway, `nbf` obeyed, `typ` and audience compared, types strict (SR-091,
    /// SR-222; RFC 8725 §3.1, §3.8-3.11). The library compares `exp` with the machine's clock;
    /// callers compare it with ours too, which tests can move.
    fn check<T: DeserializeOwned>(&self, token: &str) -> Result<T, InvalidToken> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        rules.validate_nbf = true;
        rules.set_required_spec_claims(&["exp", "aud"]);
        rules.set_audience(&[self.audience]);
        let data = decode::<T>(token, &self.check, &rules).map_err(|_| InvalidToken)?;
        if data.header.typ.as_deref() == Some("JWT") {
            Ok(data.claims)
        } else {
            Err(InvalidToken)
        }
    }
}

fn link_keys(
    token_secret: &[u8],
    purpose: Purpose,
    audience: &'static str,
) -> Result<(Purpose, Keys, [u8; 32]), InvalidToken> {
    let key = derive::<32>(token_secret, audience)?;
    Ok((purpose, Keys::new(audience, &key), key))
}

/// A keyed hash that says nothing of the text (SR-042).
fn fingerprint(key: &[u8; 32], text: &str) -> Result<String, InvalidToken> {
    let hash = derive::<16>(key, text)?;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A key of its own for one purpose (RFC 5869), so that leaking or misusing one says nothing of the
/// others.
fn derive<const N: usize>(token_secret: &[u8], purpose: &str) -> Result<[u8; N], InvalidToken> {
    let mut key = [0; N];
    Hkdf::<Sha256>::new(None, token_secret)
        .expand(purpose.as_bytes(), &mut key)
        .map_err(|_| InvalidToken)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use serde_json::json;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn tokens() -> Tokens {
        Tokens::new(SECRET, Clock::System).unwrap()
    }

    fn forge(header: &Header, claims: &serde_json::Value, secret: &str) -> String {
        encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    fn good_claims() -> serde_json::Value {
        let now = Clock::System.now();
        json!({"sub": Uuid::nil(), "aud": ["fastapi-users:auth"], "jti": Uuid::nil(), "iat": now, "exp": now + 60})
    }

    #[test]
    fn a_session_token_says_five_things_and_is_short() {
        let (token, claims) = tokens().sign_session(Uuid::max(), Uuid::max(), 60).unwrap();
        assert!(token.len() < 1000);
        assert_eq!(tokens().check_session(&token), Ok(claims.clone()));
        let written = serde_json::to_value(&claims).unwrap();
        assert_eq!(written.as_object().unwrap().len(), 5);
        assert_eq!(written["aud"], json!(["fastapi-users:auth"]));
    }

    #[test]
    fn a_forged_twisted_or_stale_token_is_refused() {
        let hs256 = Header::new(Algorithm::HS256);
        assert!(
            tokens()
                .check_session(&forge(&hs256, &good_claims(), SECRET))
                .is_ok()
        );
        let mut refused = vec![
            (
                "another key",
                forge(&hs256, &good_claims(), "another secret of thirty-two bytes"),
            ),
            (
                "HS512",
                forge(&Header::new(Algorithm::HS512), &good_claims(), SECRET),
            ),
            (
                "typ",
                forge(
                    &Header {
                        typ: Some("at+jwt".into()),
                        ..hs256.clone()
                    },
                    &good_claims(),
                    SECRET,
                ),
            ),
            (
                "no typ",
                forge(
                    &Header {
                        typ: None,
                        ..hs256.clone()
                    },
                    &good_claims(),
                    SECRET,
                ),
            ),
            ("nothing", String::new()),
            ("dots", "..".into()),
        ];
        let now = Clock::System.now();
        for (name, key, value) in [
            ("expired", "exp", json!(now - 1)),
            ("exp is text", "exp", json!((now + 60).to_string())),
            ("not yet", "nbf", json!(now + 30)),
            ("audience", "aud", json!(["fastapi-users:reset"])),
            ("two audiences", "aud", json!(["fastapi-users:auth", "x"])),
            ("sub", "sub", json!("admin")),
            ("jti", "jti", json!(7)),
            ("no jti", "jti", json!(null)),
            ("no iat", "iat", json!(null)),
        ] {
            let mut claims = good_claims();
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(key);
            } else {
                claims[key] = value;
            }
            refused.push((name, forge(&hs256, &claims, SECRET)));
        }
        let unsigned = format!(
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.",
            forge(&hs256, &good_claims(), SECRET)
                .split('.')
                .nth(1)
                .unwrap()
        );
        refused.push(("alg none", unsigned));
        for (name, token) in refused {
            assert_eq!(tokens().check_session(&token), Err(InvalidToken), "{name}");
        }
    }

    #[test]
    fn a_token_of_one_purpose_is_refused_for_another() {
        let (session, _) = tokens().sign_session(Uuid::nil(), Uuid::nil(), 60).unwrap();
        let setup = tokens().sign_setup(60).unwrap();
        assert_eq!(tokens().check_setup(&setup), Ok(()));
        assert_eq!(tokens().check_setup(&session), Err(InvalidToken));
        assert_eq!(tokens().check_session(&setup), Err(InvalidToken));
    }

    #[test]
    fn tokens_end_by_our_clock() {
        let time = Arc::new(AtomicI64::new(Clock::System.now()));
        let tokens = Tokens::new(SECRET, Clock::Manual(time.clone())).unwrap();
        let (session, _) = tokens.sign_session(Uuid::nil(), Uuid::nil(), 60).unwrap();
        let setup = tokens.sign_setup(60).unwrap();
        time.fetch_add(61, Ordering::Relaxed);
        assert!(tokens.check_session(&session).is_err());
        assert!(tokens.check_setup(&setup).is_err());
    }
}
