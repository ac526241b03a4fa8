//! A tree of values with their places in the sources, parsed from TOML and JSON.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::Problem;

/// A section: values by name.
pub type Table = BTreeMap<String, Node>;

/// A value and its place: `file:line:column` of its key, or the environment variable.
pub struct Node {
    pub place: String,
    pub value: Value,
}

/// A value as it was written. Without `Debug`, because it may be a secret.
pub enum Value {
    Table(Table),
    List(Vec<Node>),
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// A fraction, a date or a JSON `null`, which no key accepts.
    Other,
}

/// The value at a path like `auth.openid_connect.name`.
pub fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Node> {
    match path.split_once('.') {
        None => table.get(path),
        Some((first, rest)) => match &table.get(first)?.value {
            Value::Table(inner) => get(inner, rest),
            _ => None,
        },
    }
}

/// Merges `upper` into `lower`: sections are merged, all other values are replaced.
pub fn merge(lower: &mut Table, upper: Table) {
    for (name, node) in upper {
        match (lower.get_mut(&name).map(|node| &mut node.value), node.value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                lower.insert(name, Node { value, ..node });
            }
        }
    }
}

/// Parses a TOML file. Every line with a syntax error is reported once and skipped, and the other
/// lines are kept, so that one run finds all problems.
pub fn from_toml(file: &str, text: &str) -> (Table, Vec<Problem>) {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let mut document = Document {
        file,
        text,
        broken_lines: BTreeSet::new(),
    };
    let mut problems = Vec::new();
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        // The error's Display quotes the line, which may hold a secret.
        if document.broken_lines.insert(document.position(offset).0) {
            problems.push(Problem {
                place: document.place(offset),
                text: format!("this is not TOML: {}", error.message()),
            });
        }
    }
    (document.table(table.into_inner()), problems)
}

struct Document<'a> {
    file: &'a str,
    text: &'a str,
    broken_lines: BTreeSet<usize>,
}

impl Document<'_> {
    /// The line and column of a byte offset, in characters, both starting at 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }

    fn place(&self, offset: usize) -> String {
        let (line, column) = self.position(offset);
        format!("{}:{line}:{column}", self.file)
    }

    fn node(&self, offset: usize, value: DeValue) -> Node {
        let value = match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other, Value::Integer),
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Array(list) => Value::List(
                list.into_iter()
                    .filter(|item| !self.is_broken(item.span().start))
                    .map(|item| self.node(item.span().start, item.into_inner()))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table)),
            DeValue::Float(_) | DeValue::Datetime(_) => Value::Other,
        };
        Node {
            place: self.place(offset),
            value,
        }
    }

    fn table(&self, table: DeTable) -> Table {
        let entries = table
            .into_iter()
            .map(|(key, value)| (key.span().start, key.into_inner(), value.into_inner()));
        entries
            .filter(|(offset, ..)| !self.is_broken(*offset))
            .map(|(offset, key, value)| (key.into_owned(), self.node(offset, value)))
            .collect()
    }

    fn is_broken(&self, offset: usize) -> bool {
        self.broken_lines.contains(&self.position(offset).0)
    }
}

/// Converts a JSON value from the environment. A key that is `null` counts as missing.
pub fn from_json(place: &str, json: serde_json::Value) -> Node {
    use serde_json::Value as Json;
    let value = match json {
        Json::Null => Value::Other,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => number.as_i64().map_or(Value::Other, Value::Integer),
        Json::String(text) => Value::Text(text),
        Json::Array(list) => Value::List(
            list.into_iter()
                .map(|item| from_json(place, item))
                .collect(),
        ),
        Json::Object(entries) => Value::Table(
            entries
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, from_json(place, value)))
                .collect(),
        ),
    };
    Node {
        place: place.to_owned(),
        value,
    }
}
