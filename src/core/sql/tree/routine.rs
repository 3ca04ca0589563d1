//! Inline functions (WITH FUNCTION), which are newer than Athena engine v3.

use super::super::token::Span;
use super::{Expr, Ident, QualifiedName, Text, TypeName};

/// `FUNCTION f(x bigint) RETURNS bigint …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineFunction {
    /// Its name.
    pub name: QualifiedName,
    /// Its parameters; names are optional in the grammar.
    pub parameters: Vec<(Option<Ident>, TypeName)>,
    /// RETURNS.
    pub returns: TypeName,
    /// LANGUAGE.
    pub language: Option<Ident>,
    /// Properties: `WITH (handler = 'f')`.
    pub properties: Vec<(Ident, Option<Expr>)>,
    /// What it does.
    pub body: RoutineBody,
    /// All of it.
    pub span: Span,
}

/// The body of an inline function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutineBody {
    /// SQL.
    Statement(ControlStatement),
    /// `AS $$ … $$`: another language.
    Foreign(Text),
}

/// One statement of a routine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlStatement {
    /// RETURN.
    Return(Expr),
    /// SET x = ….
    Set(Ident, Expr),
    /// CASE x WHEN … THEN … END CASE, also without x.
    Case {
        /// What is compared.
        operand: Option<Expr>,
        /// WHEN … THEN ….
        branches: Vec<(Expr, Vec<ControlStatement>)>,
        /// ELSE.
        otherwise: Vec<ControlStatement>,
    },
    /// IF … THEN … ELSEIF … ELSE … END IF.
    If {
        /// IF and ELSEIF.
        branches: Vec<(Expr, Vec<ControlStatement>)>,
        /// ELSE.
        otherwise: Vec<ControlStatement>,
    },
    /// ITERATE label.
    Iterate(Ident),
    /// LEAVE label.
    Leave(Ident),
    /// BEGIN … END.
    Block {
        /// DECLARE a, b type DEFAULT x.
        variables: Vec<(Vec<Ident>, TypeName, Option<Expr>)>,
        /// The statements.
        statements: Vec<ControlStatement>,
    },
    /// LOOP (no condition), WHILE, REPEAT.
    Loop {
        /// Its label.
        label: Option<Ident>,
        /// WHILE or UNTIL.
        condition: Option<Expr>,
        /// REPEAT … UNTIL: the condition ends the loop.
        until: bool,
        /// The statements.
        statements: Vec<ControlStatement>,
    },
}
