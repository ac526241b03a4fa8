//! The `return_to` parameter, which an attacker can choose.
#![no_main]

#[path = "../../tests/it/properties/rules.rs"]
#[expect(dead_code, reason = "the rules of the other targets")]
mod rules;

libfuzzer_sys::fuzz_target!(|raw: &str| rules::return_to(raw));
