//! One analysed statement as the rules see it.

use super::ground::{Blocked, Ground};
use super::statement::Places;
use super::{Cost, Finding, Level, Rule, World};
use crate::core::book::Setting;
use crate::core::estimate::{Scan, Session};
use crate::core::sql::analysis::{Analysis, ColumnId, ColumnUse, TableId, TableUse};
use crate::core::sql::token::{self, Tokens};
use crate::core::sql::tree::Statement;

/// One analysed statement and everything it is judged by.
pub(super) struct Case<'a> {
    /// What it is judged against.
    pub(super) world: &'a World<'a>,
    /// The same, prepared.
    pub(super) ground: &'a Ground,
    /// The world of its estimate.
    pub(super) session: &'a Session<'a>,
    /// Where its nodes stand.
    pub(super) places: &'a Places,
    /// What it says.
    pub(super) statement: &'a Statement,
    /// What it reads and gives.
    pub(super) analysis: &'a Analysis,
    /// What it scans.
    pub(super) scan: &'a Scan,
    /// What that costs.
    pub(super) cost: Option<&'a Cost>,
}

impl<'a> Case<'a> {
    /// The table of an id.
    pub(super) fn table(&self, id: TableId) -> Option<&'a TableUse> {
        self.analysis.tables.get(usize::try_from(id.0).ok()?)
    }

    /// The column of an id.
    pub(super) fn column(&self, id: ColumnId) -> Option<&'a ColumnUse> {
        self.analysis.columns.get(usize::try_from(id.0).ok()?)
    }

    /// `db.table`, or three parts for another data catalog than that of two-part names.
    pub(super) fn table_name(&self, table: &TableUse) -> String {
        table_name(self.world, table)
    }

    /// The blocked columns that reading `column` reads.
    pub(super) fn blocked(&self, column: &ColumnUse) -> impl Iterator<Item = &'a Blocked> {
        let blocked = self.table(column.table).map_or(&[][..], |t| self.ground.blocked(&t.catalog, &t.schema, &t.name));
        blocked.iter().filter(move |blocked| blocked.is_read_by(&column.path))
    }

    /// The author's text.
    pub(super) fn written(&self) -> &'a Tokens {
        self.places.written()
    }

    /// A node as the author wrote it.
    pub(super) fn source(&self, span: token::Span) -> &'a str {
        self.written().source(self.places.in_written(span))
    }

    /// The level of `rule` that holds. [`Level::Off`] means: do not look.
    pub(super) fn level(&self, rule: Rule) -> Setting<Level> {
        level(self.world, rule)
    }
}

/// The level of `rule`; those that nobody may lower (CONTRACTS §1) block whatever a book says.
pub(super) fn level(world: &World<'_>, rule: Rule) -> Setting<Level> {
    let mut setting = world.guardrails.level(rule);
    if is_fixed(rule) {
        setting.value = Level::Block;
    }
    setting
}

fn is_fixed(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::NotAnalysed
            | Rule::Unsupported
            | Rule::StatementKind
            | Rule::TypeMismatch
            | Rule::SecondOpinion
            | Rule::ServicePlan
            | Rule::BlockedColumn
            | Rule::BlockedTable
            | Rule::BlockedAttribute
    )
}

/// As [`Case::table_name`].
pub(super) fn table_name(world: &World<'_>, table: &TableUse) -> String {
    if table.catalog.eq_ignore_ascii_case(world.catalog_name) {
        format!("{}.{}", table.schema, table.name)
    } else {
        format!("{}.{}.{}", table.catalog, table.schema, table.name)
    }
}

impl Finding {
    /// With what it is about.
    #[must_use]
    pub(super) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// With where its rule, limit or tag was set.
    #[must_use]
    pub(super) fn set_in(mut self, set_in: Option<String>) -> Self {
        self.set_in = set_in;
        self
    }

    /// With where it stands in the statement.
    #[must_use]
    pub(super) fn at(mut self, places: &Places, span: token::Span) -> Self {
        self.span = Some(places.span(span));
        self.sent_span = places.sent(span);
        self
    }

    /// The same, if there is a place.
    #[must_use]
    pub(super) fn at_some(self, places: &Places, span: Option<token::Span>) -> Self {
        match span {
            Some(span) => self.at(places, span),
            None => self,
        }
    }

    /// With Trino's error name.
    #[must_use]
    pub(super) fn coded(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }
}
