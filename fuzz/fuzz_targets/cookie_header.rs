//! `Cookie` headers, one in each line.
#![no_main]

#[path = "../../tests/it/properties/rules.rs"]
#[expect(dead_code, reason = "the rules of the other targets")]
mod rules;

libfuzzer_sys::fuzz_target!(|headers: &[u8]| {
    let lines: Vec<Vec<u8>> = headers
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    rules::cookie_header(&lines);
});
