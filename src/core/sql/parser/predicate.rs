//! Comparisons and predicates: at most one after a value, as in the grammar.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{Arguments, Call, ComparisonOperator, Expr, ExprKind, QualifiedName, Test};
use super::expr::Seed;
use super::primary::Content;
use super::{Declared, Parser, Res};

impl Parser<'_> {
    /// `valueExpression predicate?`.
    pub(super) fn predicated(&mut self, seed: Option<Seed>) -> Res<Expr> {
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let value = self.value_from(seed)?;
        self.predicate_of(first, value)
    }

    /// `predicate?` after a value.
    fn predicate_of(&mut self, first: TokenIx, value: Expr) -> Res<Expr> {
        if let Some(op) = self.comparison_operator() {
            let point = self.advance();
            return self.comparison(first, point, op, value);
        }
        let point = self.at;
        let negated = self.at_word(Keyword::Not)
            && matches!(self.kind_at(1), TokenKind::Word(Keyword::Between | Keyword::In | Keyword::Like));
        let word = if negated { self.kind_at(1) } else { self.kind() };
        let TokenKind::Word(word) = word else { return Ok(value) };
        let test = match word {
            Keyword::Between | Keyword::In | Keyword::Like => {
                self.at += 1 + u32::from(negated);
                match word {
                    Keyword::Between => self.between()?,
                    Keyword::In => self.in_test()?,
                    _ => self.like()?,
                }
            }
            Keyword::Is => {
                self.advance();
                let negated = self.take_word(Keyword::Not);
                let test = self.is_test()?;
                return Ok(self.predicate(first, point, value, negated, test));
            }
            Keyword::Match if self.at_match() => self.match_test()?,
            _ => return Ok(value),
        };
        Ok(self.predicate(first, point, value, negated, test))
    }

    /// The condition of WHEN in `CASE x WHEN …`: a value, or a predicate without its left side.
    pub(super) fn case_condition(&mut self) -> Res<Expr> {
        let first = self.at;
        let partial = self.comparison_operator().is_some()
            || matches!(self.kind(), TokenKind::Word(Keyword::Between | Keyword::In | Keyword::Like | Keyword::Is))
            || (self.at_word(Keyword::Not)
                && matches!(self.kind_at(1), TokenKind::Word(Keyword::Between | Keyword::In | Keyword::Like)))
            || (self.at_word(Keyword::Match) && self.at_match());
        if !partial {
            return self.expr();
        }
        self.note_newer("CASE WHEN predicate", Span::at(first));
        let operand = Expr { kind: ExprKind::CaseOperand, span: Span::at(first) };
        self.predicate_of(first, operand)
    }

    fn predicate(&mut self, first: TokenIx, point: TokenIx, value: Expr, negated: bool, test: Test) -> Expr {
        let span = self.span_from(first).pointing(point);
        Expr { kind: ExprKind::Predicate { value: Box::new(value), negated, test: Box::new(test) }, span }
    }

    fn comparison_operator(&self) -> Option<ComparisonOperator> {
        let TokenKind::Symbol(symbol) = self.kind() else { return None };
        Some(match symbol {
            Symbol::Equal => ComparisonOperator::Equal,
            Symbol::NotEqual => ComparisonOperator::NotEqual,
            Symbol::Less => ComparisonOperator::Less,
            Symbol::LessOrEqual => ComparisonOperator::LessOrEqual,
            Symbol::Greater => ComparisonOperator::Greater,
            Symbol::GreaterOrEqual => ComparisonOperator::GreaterOrEqual,
            _ => return None,
        })
    }

    /// What follows a comparison operator. `ALL (…)` is quantified only if the parentheses hold a query; `ALL (1)` and, since the
    /// grammar has calls first, `ALL ((SELECT 1))` call a function of that name.
    fn comparison(&mut self, first: TokenIx, point: TokenIx, op: ComparisonOperator, left: Expr) -> Res<Expr> {
        let quantifier = matches!(self.kind(), TokenKind::Word(Keyword::All | Keyword::Any | Keyword::Some))
            && self.symbol_at(1, Symbol::LeftParen)
            && self.query_may_open(2);
        let right = if quantifier {
            let all = self.at_word(Keyword::All);
            let name = self.at;
            self.at += 2;
            match self.nest(Self::content)? {
                Content::Query { query, wrapped: false } => {
                    self.close()?;
                    let span = self.span_from(first).pointing(point);
                    let kind = ExprKind::Quantified { op, all, value: Box::new(left), query: Box::new(query) };
                    return Ok(Expr { kind, span });
                }
                Content::Query { query, wrapped: true } => {
                    let span = query.span;
                    self.quantifier_call(name, Expr { kind: ExprKind::Subquery(Box::new(query)), span })?
                }
                Content::Expr(argument) => self.quantifier_call(name, argument)?,
            }
        } else {
            self.value()?
        };
        let span = self.span_from(first).pointing(point);
        Ok(Expr { kind: ExprKind::Comparison { op, left: Box::new(left), right: Box::new(right) }, span })
    }

    /// A call of a function named ALL, ANY or SOME whose first argument has been read.
    fn quantifier_call(&mut self, name: TokenIx, argument: Expr) -> Res<Expr> {
        let mut arguments = vec![argument];
        while self.take_symbol(Symbol::Comma) {
            arguments.push(self.expr()?);
        }
        let last = self.close()?;
        let ident = super::super::tree::Ident { text: Box::from(self.tokens.written(name)), quoted: false, token: name };
        let call = Call {
            name: QualifiedName { parts: vec![ident], span: Span::at(name) },
            running: None,
            distinct: false,
            arguments: Arguments::List(arguments),
            order_by: Vec::new(),
            filter: None,
            ignore_nulls: None,
            over: None,
        };
        let expr = Expr { kind: ExprKind::Call(Box::new(call)), span: Span::new(name, last) };
        self.value_from(Some(Seed { expr, first: name }))
    }

    fn between(&mut self) -> Res<Test> {
        let symmetric = self.at_word(Keyword::Symmetric) && self.expression_may_start(1);
        if symmetric || (self.at_word(Keyword::Asymmetric) && self.expression_may_start(1)) {
            let word = self.advance();
            self.note_newer("BETWEEN SYMMETRIC", Span::at(word));
        }
        let low = self.value()?;
        self.expect_word(Keyword::And)?;
        Ok(Test::Between { symmetric, low, high: self.value()? })
    }

    /// `IN (…)`. The grammar has the list first: `IN ((SELECT 1))` is a list of one scalar subquery.
    fn in_test(&mut self) -> Res<Test> {
        match self.parameter() {
            Some(Declared::Many) => {
                let first = self.at;
                let name = self.parameter_name();
                return Ok(Test::InList(vec![Expr { kind: ExprKind::Parameter(name), span: self.span_from(first) }]));
            }
            Some(Declared::Values(values)) => {
                self.parameter_name();
                return Ok(Test::InList(values.clone()));
            }
            _ => {}
        }
        self.open()?;
        let first = match self.nest(Self::content)? {
            Content::Query { query, wrapped: false } => {
                self.close()?;
                return Ok(Test::InQuery(Box::new(query)));
            }
            Content::Query { query, wrapped: true } => {
                let span = query.span;
                Expr { kind: ExprKind::Subquery(Box::new(query)), span }
            }
            Content::Expr(expr) => expr,
        };
        let mut list = vec![first];
        while self.take_symbol(Symbol::Comma) {
            list.push(self.expr()?);
        }
        self.close()?;
        Ok(Test::InList(list))
    }

    fn like(&mut self) -> Res<Test> {
        let pattern = self.value()?;
        let escape = if self.take_word(Keyword::Escape) { Some(self.value()?) } else { None };
        Ok(Test::Like { pattern, escape })
    }

    fn is_test(&mut self) -> Res<Test> {
        if self.take_words(&[Keyword::Distinct, Keyword::From]) {
            return Ok(Test::DistinctFrom(self.value()?));
        }
        let truth = match self.kind() {
            TokenKind::Word(Keyword::Null) => {
                self.advance();
                return Ok(Test::Null);
            }
            TokenKind::Word(Keyword::True) => Some(true),
            TokenKind::Word(Keyword::False) => Some(false),
            TokenKind::Word(Keyword::Unknown) => None,
            _ => return Err(self.unexpected("'DISTINCT', 'NOT', 'NULL'")),
        };
        let word = self.advance();
        self.note_newer("IS TRUE", Span::at(word));
        Ok(Test::Truth(truth))
    }

    /// `MATCH (query)`; without a query MATCH is an alias, or the clause of NEAREST.
    fn at_match(&self) -> bool {
        let mut ahead = 1;
        ahead += u32::from(self.word_at(ahead, Keyword::Unique));
        ahead += u32::from(matches!(self.kind_at(ahead), TokenKind::Word(Keyword::Simple | Keyword::Partial | Keyword::Full)));
        self.symbol_at(ahead, Symbol::LeftParen) && self.query_may_open(ahead + 1)
    }

    fn match_test(&mut self) -> Res<Test> {
        let word = self.advance();
        self.note_newer("MATCH", Span::at(word));
        self.take_word(Keyword::Unique);
        if !self.take_word(Keyword::Simple) && !self.take_word(Keyword::Partial) {
            self.take_word(Keyword::Full);
        }
        self.open()?;
        let query = self.query()?;
        self.close()?;
        Ok(Test::Match(Box::new(query)))
    }

    /// Whether what follows some opening parentheses, the first of which was passed, starts a query.
    pub(super) fn query_may_open(&self, ahead: u32) -> bool {
        let mut ahead = ahead;
        while self.symbol_at(ahead, Symbol::LeftParen) {
            ahead += 1;
        }
        matches!(self.kind_at(ahead), TokenKind::Word(Keyword::Select | Keyword::With | Keyword::Values | Keyword::Table))
    }
}
