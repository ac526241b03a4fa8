/// One thing that was looked at, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    pub status: CheckStatus,
    pub check: &'static str,
    /// What was found, in one line.
    pub message: String,
    /// The setting to change, and how; empty when there is nothing to change.
    pub hint: String,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    Ok,
    /// Worth a look, but nothing is broken by it.
    Warning,
    Error,
}

impl CheckStatus {
    /// The word in front of a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Error => "FAIL",
        }
    }
}

impl CheckResult {
    pub fn ok(what: &'static str, says: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Ok,
            check: what,
            message: says.into(),
            hint: String::new(),
        }
    }

    pub fn warning(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Warning,
            check: what,
            message: says.into(),
            hint: fix.into(),
        }
    }

    pub fn error(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Error,
            check: what,
            message: says.into(),
            hint: fix.into(),
        }
    }
}

/// `ok database: …` and, where there is something to do, what.
impl std::fmt::Display for CheckResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:<4} {}: {}",
            self.status.word(),
            self.check,
            self.message
        )?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " -> {}", self.hint)
        }
    }
}
