/// The result of one diagnostic check, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    pub status: CheckStatus,
    pub check: &'static str,
    /// The result in one line.
    pub message: String,
    /// The setting to change, and how; empty when no change is needed.
    pub hint: String,
}

/// The status of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    Ok,
    /// The program works, but the operator should look at the setting.
    Warning,
    Error,
}

impl CheckStatus {
    /// The first word of the check's line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Error => "FAIL",
        }
    }
}

impl CheckResult {
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Ok,
            check,
            message: message.into(),
            hint: String::new(),
        }
    }

    pub fn warning(
        check: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status: CheckStatus::Warning,
            check,
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub fn error(check: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Error,
            check,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// `ok database: …`, followed by the hint if there is one.
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
