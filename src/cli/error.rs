//! The one error at the edge: what, why, what to do, and the exit code that goes with it.

use std::io::Write;

use serde_json::json;

use crate::core::run::command::{Kind, Refusal};
use crate::core::text::visible;

/// What a command ends with when it does not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Its exit code.
    pub kind: ExitKind,
    /// What happened.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

/// The kinds of endings (CONTRACTS §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitKind {
    /// 1.
    Failed,
    /// 2: usage or invalid book.
    Usage,
    /// 3: access denied, lapsed or expired.
    Access,
    /// 4: blocked by a guardrail, or needs a human.
    Blocked,
    /// 75: temporary.
    Temporary,
    /// 129: the terminal hung up.
    HungUp,
    /// 130: interrupted.
    Interrupted,
    /// 143: told to end.
    Terminated,
    /// 255: a bug.
    Bug,
}

impl ExitKind {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Access => 3,
            Self::Blocked => 4,
            Self::Temporary => 75,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::Bug => 255,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Access => "access",
            Self::Blocked => "blocked",
            Self::Temporary => "temporary",
            Self::HungUp => "hung-up",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Bug => "bug",
        }
    }
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: ExitKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitKind::Usage, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same with the chain of sources of `error` as causes.
    #[must_use]
    pub fn because(mut self, error: &dyn std::error::Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if !self.message.contains(&text) && !self.causes.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Prints it to `out`: `error:`, `cause:` and `hint:` lines, or one JSON object. Everything goes through the one door.
    pub fn print(&self, out: &mut dyn Write, json: bool) {
        // Nobody is left to tell when even this cannot be written.
        if json {
            let object = json!({"error": {
                "kind": self.kind.word(), "message": self.message, "causes": self.causes, "hints": self.hints,
            }});
            let _ = writeln!(out, "{object}");
            return;
        }
        for (label, texts) in [("error", std::slice::from_ref(&self.message)), ("cause", &self.causes), ("hint", &self.hints)] {
            for text in texts {
                for (index, line) in text.lines().enumerate() {
                    let label = if index == 0 { format!("{label}: ") } else { "  ".to_owned() };
                    let _ = writeln!(out, "{label}{}", visible(line));
                }
            }
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.kind {
            Kind::Failed => ExitKind::Failed,
            Kind::Usage => ExitKind::Usage,
            Kind::Access => ExitKind::Access,
            Kind::Blocked => ExitKind::Blocked,
            Kind::Temporary => ExitKind::Temporary,
            Kind::Bug => ExitKind::Bug,
        };
        let error = Self::new(kind, refusal.message);
        match refusal.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::TimedOut => ExitKind::Temporary,
            _ => ExitKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}
