mod bad_input;
mod csrf;
mod panics_and_timeouts;
mod security_headers;
