//! Expressions: OR, AND, NOT, `||`, `+`, `*`, unary minus, AT TIME ZONE, by precedence.
//!
//! A `seed` is an operand that was read already, because only what follows tells what it belongs to.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{BinaryOperator, Expr, ExprKind, Link, TimeZone};
use super::{Parser, Res};

/// An operand that was read already, and the token where it starts, parentheses included.
pub(super) struct Seed {
    pub(super) expr: Expr,
    pub(super) first: TokenIx,
}

/// The levels of a chain, loosest first.
const CHAINS: [&[(Symbol, BinaryOperator)]; 3] = [
    &[(Symbol::Concat, BinaryOperator::Concat)],
    &[(Symbol::Plus, BinaryOperator::Add), (Symbol::Minus, BinaryOperator::Subtract)],
    &[
        (Symbol::Asterisk, BinaryOperator::Multiply),
        (Symbol::Slash, BinaryOperator::Divide),
        (Symbol::Percent, BinaryOperator::Modulus),
    ],
];

impl Parser<'_> {
    /// `expression` of the grammar.
    pub(super) fn expr(&mut self) -> Res<Expr> {
        self.expr_from(None)
    }

    /// An expression whose first operand may have been read already.
    pub(super) fn expr_from(&mut self, seed: Option<Seed>) -> Res<Expr> {
        self.nest(|parser| parser.logical(true, seed))
    }

    fn logical(&mut self, or: bool, seed: Option<Seed>) -> Res<Expr> {
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let word = if or { Keyword::Or } else { Keyword::And };
        let term = self.logical_term(or, seed)?;
        if !self.at_word(word) {
            return Ok(term);
        }
        let mut terms = vec![term];
        while self.take_word(word) {
            terms.push(self.logical_term(or, None)?);
        }
        Ok(Expr { kind: ExprKind::Logical { or, terms }, span: self.span_from(first) })
    }

    fn logical_term(&mut self, or: bool, seed: Option<Seed>) -> Res<Expr> {
        if or { self.logical(false, seed) } else { self.negation(seed) }
    }

    fn negation(&mut self, seed: Option<Seed>) -> Res<Expr> {
        if seed.is_none() && self.at_word(Keyword::Not) {
            let first = self.advance();
            let operand = self.nest(|parser| parser.negation(None))?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(operand)), span: self.span_from(first) });
        }
        self.predicated(seed)
    }

    /// `valueExpression` of the grammar.
    pub(super) fn value(&mut self) -> Res<Expr> {
        self.nest(|parser| parser.value_from(None))
    }

    pub(super) fn value_from(&mut self, seed: Option<Seed>) -> Res<Expr> {
        self.chain(0, seed)
    }

    fn chain(&mut self, level: usize, seed: Option<Seed>) -> Res<Expr> {
        let Some(operators) = CHAINS.get(level) else { return self.unary(seed) };
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let leftmost = self.chain(level + 1, seed)?;
        let Some(op) = self.operator(operators) else { return Ok(leftmost) };
        let mut rest = vec![self.link(level, op)?];
        while let Some(op) = self.operator(operators) {
            rest.push(self.link(level, op)?);
        }
        let point = rest.last().map_or(first, |link| link.at.first);
        let span = self.span_from(first).pointing(point);
        Ok(Expr { kind: ExprKind::Chain { first: Box::new(leftmost), rest }, span })
    }

    fn operator(&self, operators: &[(Symbol, BinaryOperator)]) -> Option<BinaryOperator> {
        operators.iter().find(|(symbol, _)| self.at_symbol(*symbol)).map(|(_, op)| *op)
    }

    fn link(&mut self, level: usize, op: BinaryOperator) -> Res<Link> {
        let at = Span::at(self.advance());
        Ok(Link { op, at, right: self.chain(level + 1, None)? })
    }

    fn unary(&mut self, seed: Option<Seed>) -> Res<Expr> {
        let sign = self.at_symbol(Symbol::Minus) || self.at_symbol(Symbol::Plus);
        // `-1` is a literal: the grammar's `number` takes the minus.
        let literal = self.at_symbol(Symbol::Minus)
            && matches!(self.kind_at(1), TokenKind::Integer | TokenKind::Decimal | TokenKind::Double);
        if seed.is_none() && sign && !literal {
            let minus = self.at_symbol(Symbol::Minus);
            let first = self.advance();
            let operand = Box::new(self.nest(|parser| parser.unary(None))?);
            return Ok(Expr { kind: ExprKind::Unary { minus, operand }, span: self.span_from(first) });
        }
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let value = self.postfix(seed)?;
        self.at_time_zone(first, value)
    }

    fn at_time_zone(&mut self, first: TokenIx, value: Expr) -> Res<Expr> {
        let mut zones = Vec::new();
        let mut point = first;
        loop {
            if self.at_words(&[Keyword::At, Keyword::Time, Keyword::Zone]) {
                point = self.at;
                self.at += 3;
                zones.push(if self.at_word(Keyword::Interval) {
                    let start = self.at;
                    match self.interval()? {
                        Some(interval) => TimeZone::Offset(interval, self.span_from(start)),
                        None => return Err(self.unexpected("<interval>, <string>")),
                    }
                } else {
                    TimeZone::Name(self.string()?)
                });
            } else if self.at_words(&[Keyword::At, Keyword::Local]) {
                point = self.at;
                self.at += 2;
                let span = self.span_from(point);
                self.note_newer("AT LOCAL", span);
                zones.push(TimeZone::Local(span));
            } else {
                break;
            }
        }
        if zones.is_empty() {
            return Ok(value);
        }
        let span = self.span_from(first).pointing(point);
        Ok(Expr { kind: ExprKind::AtTimeZone { value: Box::new(value), zones }, span })
    }
}
