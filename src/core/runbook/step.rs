//! Steps: the stops of the walk, as written.

use indexmap::IndexMap;

use super::{Expression, ParamType, Template};
use crate::core::book::{ParamName, Place, Placed, StepId};
use crate::core::text::Untrusted;

/// One stop of the walk.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Unique in the runbook.
    pub id: StepId,
    /// Heading; the id where nothing is written.
    pub title: Untrusted,
    /// Guided prose; may hold `{{ name }}`.
    pub note: Option<Template>,
    /// The step is skipped where this is false.
    pub when: Option<Expression>,
    /// What is done.
    pub kind: StepKind,
    /// What must hold of the result; else the step fails.
    pub expect: Option<Expression>,
    /// What happens when the step fails, stops or a capture does not have its type. For `confirm` see [`Confirm::on_no`].
    pub on_failure: OnFailure,
    /// Values taken from the result, by name.
    pub capture: IndexMap<ParamName, Capture>,
    /// How many times a backward jump to this step may let it be visited in all, where the jump does not say.
    pub max_visits: Option<u32>,
    /// Where the step stands (its `id`).
    pub place: Place,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Prose alone.
    Note,
    /// A question that a person answers with yes or no.
    Confirm(Confirm),
    /// One row is picked from an earlier result.
    Choose(Choose),
    /// An Athena statement.
    Athena(AthenaStep),
    /// A DynamoDB read.
    Dynamodb(DynamodbStep),
}

impl StepKind {
    /// `note`, `confirm`, `choose`, `athena`, `dynamodb`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Confirm(_) => "confirm",
            Self::Choose(_) => "choose",
            Self::Athena(_) => "athena",
            Self::Dynamodb(_) => "dynamodb",
        }
    }

    /// Whether it sends something to a service.
    pub fn executes(&self) -> bool {
        matches!(self, Self::Athena(_) | Self::Dynamodb(_))
    }
}

/// A yes/no question.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirm {
    /// The question; may hold `{{ name }}`.
    pub question: Template,
    /// What happens on no.
    pub on_no: OnFailure,
}

/// A pick from an earlier step's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Choose {
    /// The question; may hold `{{ name }}`.
    pub prompt: Template,
    /// An expression that gives a list: of rows (objects by column) or of single values.
    pub from: Expression,
    /// The column that names a row in the list.
    pub label: String,
    /// Values taken from the picked row; the column is the name unless [`Picked::column`] says otherwise.
    pub into: IndexMap<ParamName, Picked>,
}

/// One value taken from the picked row.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// The column it is taken from.
    pub column: String,
    /// Its type; needed where a later step executes with it.
    pub param_type: Option<ParamType>,
    /// Where it was written.
    pub place: Place,
}

/// A value taken from a step's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// Evaluated over `row_count`, `rows`, `outcome` of the step.
    pub from: Expression,
    /// Its type; needed where a later step executes with it.
    pub param_type: Option<ParamType>,
    /// Where it was written.
    pub place: Place,
}

/// Where the walk goes after a failure or a no.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum OnFailure {
    /// The walk ends here.
    #[default]
    Stop,
    /// The next step in order.
    Continue,
    /// That step.
    Goto(Goto),
}

/// A jump.
#[derive(Debug, Clone, PartialEq)]
pub struct Goto {
    /// Where to.
    pub step: StepId,
    /// For a jump backward: how many times each step in between may be visited in all.
    pub max_visits: Option<u32>,
    /// Where it was written.
    pub place: Place,
}

/// An Athena statement as written.
#[derive(Debug, Clone, PartialEq)]
pub struct AthenaStep {
    /// The data catalog of two-part names; `None` is the target's.
    pub catalog: Option<String>,
    /// The database of one-part names.
    pub database: Option<String>,
    /// The statement with `:name` parameters; `place` is its first character where the file has it on lines of its own.
    pub sql: Placed<String>,
    /// Declared inputs, captures and choices that the statement names, in order of first use.
    pub params: Vec<ParamName>,
}

/// A DynamoDB read as written.
#[derive(Debug, Clone, PartialEq)]
pub enum DynamodbStep {
    /// GetItem.
    Get(GetItem),
    /// Query.
    Query(Query),
}

/// GetItem.
#[derive(Debug, Clone, PartialEq)]
pub struct GetItem {
    /// Table.
    pub table: Placed<String>,
    /// The whole primary key: attribute → value.
    pub key: IndexMap<String, ItemValue>,
    /// Attributes asked for; empty means all.
    pub project: Vec<Placed<String>>,
    /// Strongly consistent read (twice the read units).
    pub consistent: bool,
}

/// Query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Table.
    pub table: Placed<String>,
    /// Secondary index.
    pub index: Option<Placed<String>>,
    /// The partition key: attribute → value.
    pub key: IndexMap<String, ItemValue>,
    /// A condition on the sort key.
    pub sort: Option<Sort>,
    /// A filter expression with `:name` parameters; saves no read units.
    pub filter: Option<Placed<String>>,
    /// Declared names in `filter`, in order of first use.
    pub params: Vec<ParamName>,
    /// Attributes asked for; empty means all.
    pub project: Vec<Placed<String>>,
    /// Items at most.
    pub limit: Option<u32>,
    /// Whether the sort key falls instead of rising.
    pub descending: bool,
    /// Strongly consistent read (twice the read units).
    pub consistent: bool,
}

/// A condition on the sort key: `sort: { created_at: { between: ["2026-11-01", "2026-11-02"] } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// The attribute.
    pub attribute: String,
    /// The comparison.
    pub operator: SortOperator,
    /// One value, two for `between`.
    pub values: Vec<ItemValue>,
}

/// Comparisons that a key condition knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortOperator {
    /// `eq`
    Equal,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `between`, both ends included.
    Between,
    /// `begins_with`
    BeginsWith,
}

impl SortOperator {
    /// Every operator with its word in the file.
    pub const ALL: [(&'static str, Self); 7] = [
        ("eq", Self::Equal),
        ("lt", Self::Less),
        ("le", Self::LessOrEqual),
        ("gt", Self::Greater),
        ("ge", Self::GreaterOrEqual),
        ("between", Self::Between),
        ("begins_with", Self::BeginsWith),
    ];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("eq", |(word, _)| word)
    }
}

/// A DynamoDB value as written.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemValue {
    /// Text that may hold `{{ name }}`: a string, unless it is one lone `{{ name }}` of an int, decimal or bool.
    Text(Template),
    /// A number, in its canonical decimal form.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
}
