//! An ID token: once unsigned as it is, and once signed by the provider, with the first line as the
//! header and the rest as the claims.
#![no_main]

#[path = "../../tests/it/properties/token_rules.rs"]
mod rules;

libfuzzer_sys::fuzz_target!(|token: &[u8]| {
    if let Ok(token) = str::from_utf8(token) {
        rules::forged_token(token);
    }
    let mut parts = token.splitn(2, |byte| *byte == b'\n');
    if let (Some(header), Some(payload)) = (parts.next(), parts.next()) {
        rules::id_token(header, payload);
    }
});
