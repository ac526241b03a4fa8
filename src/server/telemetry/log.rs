//! The log on standard error: one line an event (SR-180), by default text at a terminal and JSON
//! elsewhere.

use std::{
    fmt::{self, Debug, Write},
    io::{IsTerminal, stderr},
};

use serde::Serialize;
use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    filter::{ParseError, Targets},
    fmt::{
        FormatFields, FormattedFields, Layer,
        format::{DefaultFields, Format, Json, Writer},
        layer,
    },
    prelude::*,
    registry,
};

use crate::server::{config::LogFormat, db};

/// Parses a level, or a filter like `info,sea_orm=warn`, and adds [`db::LOG_DENYLIST`].
pub fn filter(level: &str) -> Result<Targets, ParseError> {
    format!("{level},{}", db::LOG_DENYLIST.join(",")).parse()
}

pub fn start(format: LogFormat, level: &str) {
    let lines = layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    let log = registry()
        .with(filter(level).unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO)));
    let is_json = match format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if is_json {
        log.with(json_layer(lines)).init();
    } else {
        log.with(lines).init();
    }
}

fn json_layer<S, W>(
    lines: Layer<S, DefaultFields, Format, W>,
) -> Layer<S, Fields, Format<Json>, W> {
    lines
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .fmt_fields(Fields)
}

/// Formats the fields of a span as a JSON object in their order. The library's formatter first
/// builds a sorted map of copies, which costs time in every request.
struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        write_fields(&mut writer, fields, true)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let is_first = current.fields == "{}";
        current.fields.pop();
        write_fields(&mut current.fields, fields, is_first)
    }
}

fn write_fields(out: &mut impl Write, fields: impl RecordFields, is_first: bool) -> fmt::Result {
    let mut members = Members {
        out,
        is_first,
        written: Ok(()),
    };
    fields.record(&mut members);
    members.written?;
    out.write_char('}')
}

struct Members<'a, W> {
    out: &'a mut W,
    is_first: bool,
    written: fmt::Result,
}

impl<W: Write> Members<'_, W> {
    fn write_member(&mut self, field: &Field, value: impl Serialize) {
        let before = if self.is_first { "\"" } else { ",\"" };
        self.is_first = false;
        let Ok(value) = serde_json::to_string(&value) else {
            return self.written = Err(fmt::Error);
        };
        for part in [before, field.name(), "\":", &value] {
            self.written = self.written.and_then(|()| self.out.write_str(part));
        }
    }
}

impl<W: Write> Visit for Members<'_, W> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write_member(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write_member(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write_member(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write_member(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write_member(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::read_to_string, sync::Arc};

    use serde_json::json;
    use tracing::subscriber::with_default;

    use super::*;

    #[test]
    fn whatever_a_span_says_its_lines_are_json() {
        let file = tempfile::NamedTempFile::new().unwrap();
        with_default(
            registry().with(json_layer(
                layer().with_writer(Arc::new(file.reopen().unwrap())),
            )),
            || {
                let nothing = tracing::error_span!("empty", later = tracing::field::Empty);
                nothing.in_scope(|| tracing::error!("one"));
                nothing.record("later", true);
                nothing.in_scope(|| tracing::error!("two"));
                let odd = tracing::error_span!("request", path = "/\"\\\n\u{1b}", length = 7, change = -1, error = ?fmt::Error, later = tracing::field::Empty);
                odd.record("later", "}");
                odd.in_scope(|| tracing::error!("three"));
            },
        );
        let lines: Vec<serde_json::Value> = read_to_string(file.path())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let spans: Vec<_> = lines.iter().map(|line| &line["span"]).collect();
        let odd = json!({ "name": "request", "path": "/\"\\\n\u{1b}", "length": 7, "change": -1, "error": "Error", "later": "}" });
        assert_eq!(
            spans,
            [
                &json!({ "name": "empty" }),
                &json!({ "name": "empty", "later": true }),
                &odd
            ]
        );
    }
}
