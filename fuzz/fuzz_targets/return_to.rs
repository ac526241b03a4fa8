//! Where a login leads afterwards, as it stands in a link that anybody can write.
#![no_main]

#[path = "../../tests/it/properties/rules.rs"]
#[expect(dead_code, reason = "the rules of the other targets")]
mod rules;

libfuzzer_sys::fuzz_target!(|raw: &str| rules::return_to(raw));
