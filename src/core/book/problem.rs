//! A problem of a book: what is wrong, where, and what to do.

use std::fmt;

use serde::Serialize;

use super::Place;
use crate::core::text::visible;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the file is used. A catalog file that is missing, for example.
    Notice,
    /// The file is not used.
    Error,
}

/// One problem. Everything in it is safe to show: text from files is escaped when it is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Error, or only a notice.
    pub severity: Severity,
    /// The file, relative to the book's folder.
    pub file: String,
    /// Line, from 1; 0 where the problem is the whole file's.
    pub line: u32,
    /// Column in characters, from 1; 0 where the problem is the whole file's.
    pub column: u32,
    /// The line in question, escaped; empty where there is none.
    pub snippet: String,
    /// Columns of `snippet` to underline: how many come before, and how many are meant.
    pub mark: (u32, u32),
    /// What is wrong.
    pub message: String,
    /// What to do, if one thing is likely.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Problem {
    /// An error at `place` of `text`, the whole file's content.
    pub fn at(place: &Place, text: &str, message: impl Into<String>) -> Self {
        let line = text.lines().nth(place.line.saturating_sub(1) as usize).unwrap_or("");
        let before: String = line.chars().take(place.column.saturating_sub(1) as usize).collect();
        let meant: String = line.chars().skip(place.column.saturating_sub(1) as usize).take(place.width as usize).collect();
        let (mut snippet, mut lead) = (visible(line).into_owned(), width(&visible(&before)));
        let mark = width(&visible(&meant)).max(1);
        if snippet.chars().count() > MAX_SNIPPET {
            let skip = (lead as usize).saturating_sub(MAX_SNIPPET / 4);
            snippet = snippet.chars().skip(skip).take(MAX_SNIPPET).collect();
            lead -= u32::try_from(skip).unwrap_or(0);
        }
        Self {
            severity: Severity::Error,
            file: visible(&place.file).into_owned(),
            line: place.line,
            column: place.column,
            snippet,
            mark: (lead, mark),
            message: message.into(),
            fix: None,
        }
    }

    /// An error of the whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: visible(file).into_owned(),
            line: 0,
            column: 0,
            snippet: String::new(),
            mark: (0, 0),
            message: message.into(),
            fix: None,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same as a notice.
    #[must_use]
    pub fn as_notice(mut self) -> Self {
        self.severity = Severity::Notice;
        self
    }

    /// Whether the file it is about is unusable.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Longer lines are cut around the mark: a minified file must not fill the screen.
const MAX_SNIPPET: usize = 120;

fn width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

impl fmt::Display for Problem {
    /// `file:line:column: message`, the line with its mark, and the fix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
            let (gutter, (lead, mark)) = (self.line.to_string(), self.mark);
            write!(f, "\n  {gutter} | {}", self.snippet)?;
            let mark = (mark as usize).min(self.snippet.chars().count().saturating_sub(lead as usize).max(1));
            write!(f, "\n  {:w$} | {:lead$}{}", "", "", "^".repeat(mark), w = gutter.len(), lead = lead as usize)?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  fix: {fix}")?;
        }
        Ok(())
    }
}
