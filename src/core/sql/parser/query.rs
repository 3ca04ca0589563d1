//! Queries: WITH, set operations, ORDER BY, LIMIT.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{ExprKind, Literal};
use super::super::tree::{
    Limit, NamedQuery, Query, QueryBody, RowCount, RowCountKind, SetOperation, SetOperator, SetStep, SortItem, With,
};
use super::{Declared, Parser, Res};

impl Parser<'_> {
    /// `query` of the grammar.
    pub(super) fn query(&mut self) -> Res<Query> {
        self.nest(|parser| {
            let first = parser.at;
            let with = if parser.at_word(Keyword::With) { Some(parser.with()?) } else { None };
            parser.query_from(first, with, None)
        })
    }

    /// A query after its WITH, whose first operand may have been read already.
    pub(super) fn query_from(&mut self, first: TokenIx, with: Option<With>, body: Option<QueryBody>) -> Res<Query> {
        let body = self.set_operation(first, false, body)?;
        let order_by = self.order_by()?;
        let offset = if self.at_offset() {
            self.advance();
            let count = self.row_count()?;
            if !self.take_word(Keyword::Rows) {
                self.take_word(Keyword::Row);
            }
            Some(count)
        } else {
            None
        };
        let limit = self.limit()?;
        Ok(Query { with, body, order_by, offset, limit, span: self.span_from(first) })
    }

    fn with(&mut self) -> Res<With> {
        let first = self.expect_word(Keyword::With)?;
        let recursive = self.take_word(Keyword::Recursive);
        let queries = self.list(Self::named_query)?;
        Ok(With { recursive, queries, span: self.span_from(first) })
    }

    fn named_query(&mut self) -> Res<NamedQuery> {
        let first = self.at;
        let name = self.ident()?;
        let columns = if self.at_symbol(Symbol::LeftParen) { Some(self.column_names()?) } else { None };
        self.expect_word(Keyword::As)?;
        let query = self.query_in_parens()?;
        Ok(NamedQuery { name, columns, query, span: self.span_from(first) })
    }

    /// UNION and EXCEPT bind equally, INTERSECT binds tighter; all from the left.
    fn set_operation(&mut self, first: TokenIx, intersect: bool, seed: Option<QueryBody>) -> Res<QueryBody> {
        let leftmost = self.set_operand(first, intersect, seed)?;
        let mut rest = Vec::new();
        while let Some(op) = self.set_operator(intersect) {
            let start = self.advance();
            // Only a query may follow, so ALL is never a name here.
            let all = !self.take_word(Keyword::Distinct) && self.take_word(Keyword::All);
            let corresponding = self.corresponding()?;
            let right = self.set_operand(self.at, intersect, None)?;
            rest.push(SetStep { op, all, corresponding, right, span: self.span_from(start) });
        }
        if rest.is_empty() {
            return Ok(leftmost);
        }
        let span = self.span_from(first);
        Ok(QueryBody::SetOperation(Box::new(SetOperation { first: leftmost, rest, span })))
    }

    fn set_operand(&mut self, first: TokenIx, intersect: bool, seed: Option<QueryBody>) -> Res<QueryBody> {
        if !intersect {
            return self.set_operation(first, true, seed);
        }
        match seed {
            Some(body) => Ok(body),
            None => self.query_primary(),
        }
    }

    fn set_operator(&self, intersect: bool) -> Option<SetOperator> {
        match (self.kind(), intersect) {
            (TokenKind::Word(Keyword::Union), false) => Some(SetOperator::Union),
            (TokenKind::Word(Keyword::Except), false) => Some(SetOperator::Except),
            (TokenKind::Word(Keyword::Intersect), true) => Some(SetOperator::Intersect),
            _ => None,
        }
    }

    fn corresponding(&mut self) -> Res<Option<Vec<super::super::tree::Ident>>> {
        if !self.at_word(Keyword::Corresponding) {
            return Ok(None);
        }
        let word = self.advance();
        self.note_newer("CORRESPONDING", Span::at(word));
        Ok(Some(if self.take_word(Keyword::By) { self.column_names()? } else { Vec::new() }))
    }

    fn query_primary(&mut self) -> Res<QueryBody> {
        match self.kind() {
            TokenKind::Word(Keyword::Select) => Ok(QueryBody::Select(Box::new(self.select()?))),
            TokenKind::Word(Keyword::Table) => {
                self.advance();
                Ok(QueryBody::Table(self.qualified_name()?))
            }
            TokenKind::Word(Keyword::Values) => {
                let first = self.advance();
                let rows = self.list(Self::expr)?;
                Ok(QueryBody::Values(rows, self.span_from(first)))
            }
            TokenKind::Symbol(Symbol::LeftParen) => {
                self.advance();
                let query = self.nest(|parser| parser.query_from(parser.at, None, None))?;
                self.close()?;
                Ok(QueryBody::Parenthesized(Box::new(query)))
            }
            _ => Err(self.unexpected("'(', 'SELECT', 'TABLE', 'VALUES'")),
        }
    }

    /// Whether, after a query in parentheses, the query goes on rather than an expression or a relation.
    pub(super) fn query_goes_on(&self) -> bool {
        matches!(self.kind(), TokenKind::Word(Keyword::Union | Keyword::Except | Keyword::Intersect | Keyword::Order))
            || self.at_offset()
            || self.at_limit()
            || self.at_fetch()
    }

    /// Whether a number of rows stands some tokens ahead.
    fn row_count_at(&self, ahead: u32) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Integer | TokenKind::Symbol(Symbol::Question | Symbol::Colon))
    }

    /// OFFSET, LIMIT and FETCH may be names; they are clauses before a number.
    pub(super) fn at_offset(&self) -> bool {
        self.at_word(Keyword::Offset) && self.row_count_at(1)
    }

    pub(super) fn at_limit(&self) -> bool {
        self.at_word(Keyword::Limit) && (self.row_count_at(1) || self.word_at(1, Keyword::All))
    }

    pub(super) fn at_fetch(&self) -> bool {
        self.at_word(Keyword::Fetch) && matches!(self.kind_at(1), TokenKind::Word(Keyword::First | Keyword::Next))
    }

    fn limit(&mut self) -> Res<Option<Limit>> {
        let first = self.at;
        if self.at_limit() {
            self.advance();
            if self.take_word(Keyword::All) {
                return Ok(Some(Limit::All(self.span_from(first))));
            }
            let rows = self.row_count()?;
            return Ok(Some(Limit::Rows(rows, self.span_from(first))));
        }
        if !self.at_fetch() {
            return Ok(None);
        }
        self.at += 2;
        let rows = if self.row_count_at(0) { Some(self.row_count()?) } else { None };
        if !self.take_word(Keyword::Rows) {
            self.expect_word(Keyword::Row)?;
        }
        let with_ties = self.take_words(&[Keyword::With, Keyword::Ties]);
        if !with_ties {
            self.expect_word(Keyword::Only)?;
        }
        Ok(Some(Limit::Fetch { rows, with_ties, span: self.span_from(first) }))
    }

    fn row_count(&mut self) -> Res<RowCount> {
        let first = self.at;
        let kind = match (self.kind(), self.parameter()) {
            (TokenKind::Symbol(Symbol::Question), _) => {
                self.advance();
                RowCountKind::Placeholder
            }
            (_, Some(Declared::One)) => RowCountKind::Parameter(self.parameter_name()),
            (_, Some(Declared::Value(value))) => match &value.kind {
                ExprKind::Literal(Literal::Integer(number)) => {
                    self.parameter_name();
                    RowCountKind::Number(number.clone())
                }
                _ => return Err(self.unexpected("<integer>")),
            },
            _ => RowCountKind::Number(self.unsigned()?),
        };
        Ok(RowCount { kind, span: self.span_from(first) })
    }

    /// ORDER BY, if it is there.
    pub(super) fn order_by(&mut self) -> Res<Vec<SortItem>> {
        if !self.take_word(Keyword::Order) {
            return Ok(Vec::new());
        }
        self.expect_word(Keyword::By)?;
        self.list(Self::sort_item)
    }

    pub(super) fn sort_item(&mut self) -> Res<SortItem> {
        let first = self.at;
        let expr = self.expr()?;
        let descending = !self.take_word(Keyword::Asc) && self.take_word(Keyword::Desc);
        let nulls_first = if self.take_word(Keyword::Nulls) {
            let nulls_first = self.take_word(Keyword::First);
            if !nulls_first {
                self.expect_word(Keyword::Last)?;
            }
            Some(nulls_first)
        } else {
            None
        };
        Ok(SortItem { expr, descending, nulls_first, span: self.span_from(first) })
    }
}
