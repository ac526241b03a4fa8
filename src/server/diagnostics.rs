/// One thing that was looked at, for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    pub standing: CheckStatus,
    pub what: &'static str,
    /// What was found, in one line.
    pub says: String,
    /// The setting to change, and how; empty when there is nothing to change.
    pub fix: String,
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
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Error => "FAIL",
        }
    }
}

impl CheckResult {
    #[must_use]
    pub fn fine(what: &'static str, says: impl Into<String>) -> Self {
        Self { standing: CheckStatus::Ok, what, says: says.into(), fix: String::new() }
    }

    #[must_use]
    pub fn doubtful(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { standing: CheckStatus::Warning, what, says: says.into(), fix: fix.into() }
    }

    #[must_use]
    pub fn wrong(what: &'static str, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { standing: CheckStatus::Error, what, says: says.into(), fix: fix.into() }
    }
}

/// `ok   database: …` and, where there is something to do, what.
impl std::fmt::Display for CheckResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<4} {}: {}", self.standing.word(), self.what, self.says)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, " -> {}", self.fix) }
    }
}
