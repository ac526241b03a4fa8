//! Properties of ID tokens, by generated headers and claims.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{cases, token_rules as rules};

const HEADERS: &[&str] = &[
    r#"{"alg":"EdDSA"}"#,
    r#"{"alg":"EdDSA","kid":"ed25519","typ":"JWT"}"#,
    r#"{"alg":"EdDSA","kid":"rsa"}"#,
    r#"{"alg":"EdDSA","kid":7}"#,
    r#"{"alg":"none"}"#,
    r#"{"alg":"HS256","alg":"EdDSA"}"#,
    r#"{"alg":"EdDSA","crit":["exp"]}"#,
    r#"{"alg":"EdDSA","typ":"logout+jwt"}"#,
    r#"{"typ":"JWT"}"#,
];

/// Claims of a valid token first in each line, then alternatives.
const CLAIMS: [&[&str]; 11] = [
    &[r#""iss":"https://id.example.org""#],
    &[
        r#""aud":"mediamanager""#,
        r#""aud":["mediamanager"]"#,
        r#""aud":["mediamanager","x"]"#,
        r#""aud":[]"#,
    ],
    &[
        r#""nonce":"n-0S6_WzA2Mj""#,
        r#""nonce":"n-0S6_WzA2Mj""#,
        r#""nonce":"other""#,
    ],
    &[
        r#""exp":1800000300"#,
        r#""exp":1799999941"#,
        r#""exp":1799999940"#,
        r#""exp":9e300"#,
        r#""exp":"1800000300""#,
    ],
    &[
        r#""iat":1800000000"#,
        r#""iat":1800000060.9"#,
        r#""iat":1800000061"#,
        r#""iat":1799999340"#,
        r#""iat":1799999339"#,
        r#""iat":-1"#,
    ],
    &[
        r#""sub":"ada""#,
        r#""sub":" ~""#,
        r#""sub":"""#,
        r#""sub":"ä""#,
        r#""sub":"a\u0000""#,
        r#""sub":7"#,
    ],
    &[
        r#""x":{}"#,
        r#""nbf":1800000060"#,
        r#""nbf":1800000061"#,
        r#""nbf":null"#,
    ],
    &[
        r#""x2":[]"#,
        r#""azp":"mediamanager""#,
        r#""azp":"other""#,
        r#""azp":["mediamanager"]"#,
    ],
    &[
        r#""x3":1"#,
        r#""at_hash":"AAAA""#,
        r#""sub":"eve""#,
        r#""\u0073ub":"eve""#,
    ],
    &[
        r#""email":"ada@example.org","email_verified":true"#,
        r#""email_verified":"true""#,
        r#""email":"","email_verified":true"#,
        r#""email":"a@b","email_verified":1"#,
    ],
    &[
        r#""sid":"s-1""#,
        r#""sid":"\n""#,
        r#""sid":7"#,
        r#""sid":"""#,
    ],
];

/// Mostly the first alternative of each line, so that valid tokens are frequent enough.
fn claims() -> impl Strategy<Value = String> {
    let one = |line: &'static [&'static str]| prop_oneof![4 => Just(line[0]), 1 => select(line)];
    CLAIMS
        .map(one)
        .to_vec()
        .prop_map(|members| format!("{{{}}}", members.join(",")))
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_signed_token_names_only_whom_it_should(header in select(HEADERS), payload in claims()) {
        rules::id_token(header.as_bytes(), payload.as_bytes());
    }

    #[test]
    fn a_token_that_nobody_signed_names_nobody(header in select(HEADERS), payload in claims(), signature in vec(any::<u8>(), 64)) {
        let parts = [header.as_bytes(), payload.as_bytes(), &signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        rules::forged_token(&parts.join("."));
    }
}

/// Asserts that valid inputs reach the rules, which would otherwise hold without being checked.
#[test]
fn good_inputs_reach_the_rules() {
    let good: String = CLAIMS.map(|line| line[0]).join(",");
    let person =
        rules::id_token(HEADERS[1].as_bytes(), format!("{{{good}}}").as_bytes()).expect("a person");
    assert_eq!(
        (
            person.subject.as_str(),
            person.email.as_deref(),
            person.is_email_verified
        ),
        ("ada", Some("ada@example.org"), true)
    );
}
