//! Typed access to the tree, as lax about types as MediaManager. A fault is recorded as a problem
//! and replaced by a harmless value, so that one run finds all problems.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::Problem;
use super::tree::{self, Table, Value};

/// The merged tree, and the problems and warnings found so far.
pub struct Reader {
    pub tree: Table,
    /// The configuration file, which is the place of a problem about a missing key.
    pub file: String,
    /// Whether a source could not be read completely. If so, no key is reported as missing.
    pub is_incomplete: bool,
    pub problems: Vec<Problem>,
    pub warnings: Vec<String>,
}

impl Reader {
    pub fn has(&self, key: &str) -> bool {
        tree::get(&self.tree, key).is_some()
    }

    /// Whether a key is missing or an empty text.
    pub fn is_blank(&self, key: &str) -> bool {
        is_blank(&self.tree, key)
    }

    /// The text of a key; `None` when the key is missing, or (with a problem) not a text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let text = self.value(key)?.as_text().map(str::to_owned);
        self.or_problem(text, key, "must be text", "put it in quotes")
    }

    /// The text of an optional key, whose empty text means "not set", as in MediaManager.
    pub fn optional(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.trim().is_empty())
    }

    /// The text of a required key. `fix` tells the operator what to write.
    pub fn required(&mut self, key: &str, fix: &str) -> Option<String> {
        if !self.has(key) {
            self.report_missing(key, fix);
            return None;
        }
        let text = self.text(key)?;
        self.or_problem(
            Some(text).filter(|text| !text.trim().is_empty()),
            key,
            "is empty",
            fix,
        )
    }

    /// A text in a certain form. `default` is in the form that the operator writes.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        fault: &str,
        fix: &str,
    ) -> Option<T> {
        let parsed = if self.has(key) {
            parse(self.text(key)?.trim())
        } else {
            parse(default)
        };
        self.or_problem(parsed, key, fault, fix)
    }

    /// A list of texts in a certain form, in their order and without duplicates; empty when the key
    /// is missing. `what` names the form, `fix` gives an example of the list.
    pub fn list<T: PartialEq>(
        &mut self,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        what: &str,
        fix: &str,
    ) -> Vec<T> {
        let Some(Value::List(nodes)) = self.value(key) else {
            if self.has(key) {
                self.problem(key, "must be a list", fix);
            }
            return Vec::new();
        };
        let mut parsed = Vec::new();
        let mut problems = Vec::new();
        for (number, node) in (1..).zip(nodes) {
            match node.value.as_text().and_then(|text| parse(text.trim())) {
                Some(entry) if parsed.contains(&entry) => {}
                Some(entry) => parsed.push(entry),
                None => problems.push(Problem {
                    place: node.place.clone(),
                    text: format!("{key} entry {number} is not {what}; {fix}"),
                }),
            }
        }
        self.problems.extend(problems);
        parsed
    }

    pub fn boolean(&mut self, key: &str, default: bool) -> bool {
        let Some(value) = self.value(key) else {
            return default;
        };
        let boolean = value.as_boolean();
        self.or_problem(
            boolean,
            key,
            "must be true or false",
            &format!("the default is {default}"),
        )
        .unwrap_or(default)
    }

    pub fn number<T: TryFrom<i64> + PartialOrd + Copy + Display>(
        &mut self,
        key: &str,
        range: &RangeInclusive<T>,
        default: T,
    ) -> T {
        let Some(value) = self.value(key) else {
            return default;
        };
        let number = value
            .as_integer()
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| range.contains(number));
        let fault = format!(
            "must be a whole number from {} to {}",
            range.start(),
            range.end()
        );
        self.or_problem(number, key, &fault, &format!("the default is {default}"))
            .unwrap_or(default)
    }

    /// Reports a missing key. `fix` tells the operator what to write.
    pub fn report_missing(&mut self, key: &str, fix: &str) {
        if !self.is_incomplete {
            let variable = format!(
                "MEDIAMANAGER_{}",
                key.replace('.', "__").to_ascii_uppercase()
            );
            self.problems.push(Problem {
                place: self.file.clone(),
                text: format!("{key} is missing; {fix}, or set {variable}"),
            });
        }
    }

    /// Reports a wrong value as the line `place: key fault; fix`.
    pub fn problem(&mut self, key: &str, fault: &str, fix: &str) {
        self.problems.push(Problem {
            place: self.place(key),
            text: format!("{key} {fault}; {fix}"),
        });
    }

    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    fn or_problem<T>(
        &mut self,
        outcome: Option<T>,
        key: &str,
        fault: &str,
        fix: &str,
    ) -> Option<T> {
        if outcome.is_none() {
            self.problem(key, fault, fix);
        }
        outcome
    }

    fn value(&self, key: &str) -> Option<&Value> {
        tree::get(&self.tree, key).map(|node| &node.value)
    }

    fn place(&self, key: &str) -> String {
        tree::get(&self.tree, key).map_or_else(|| self.file.clone(), |node| node.place.clone())
    }
}

/// Whether a key is missing or an empty text.
pub fn is_blank(table: &Table, key: &str) -> bool {
    tree::get(table, key).is_none_or(|node| {
        node.value
            .as_text()
            .is_some_and(|text| text.trim().is_empty())
    })
}

impl Value {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Integer(0) => Some(false),
            Self::Integer(1) => Some(true),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" | "t" | "y" => Some(true),
                "false" | "no" | "off" | "0" | "f" | "n" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}
