mod bad_input;
mod csrf;
mod fields;
mod notices;
mod panics_and_timeouts;
mod security_headers;
