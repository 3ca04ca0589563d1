//! Expressions: OR, AND, NOT, predicates, `||`, `+`, `*`, unary signs, AT TIME ZONE, by climbing precedences in one function, so
//! that a level of nesting costs few frames of stack.
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

/// How tightly an operator binds; the loosest first. NOT binds like a predicate: it takes one, and AND does not enter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Predicate,
    Concat,
    Sum,
    Product,
    /// Tighter than any operator.
    Operand,
}

impl Level {
    /// The level of the right side of an operator of this level: all chains go from the left.
    fn tighter(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Predicate,
            Self::Predicate => Self::Concat,
            Self::Concat => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product | Self::Operand => Self::Operand,
        }
    }
}

impl Parser<'_> {
    /// `expression` of the grammar.
    pub(super) fn expr(&mut self) -> Res<Expr> {
        self.enter(1)?;
        let expr = self.operand(Level::Or);
        self.depth -= 1;
        expr
    }

    /// An expression whose first operand has been read.
    pub(super) fn expr_from(&mut self, seed: Seed) -> Res<Expr> {
        self.continued(Level::Or, seed)
    }

    /// `valueExpression` of the grammar.
    pub(super) fn value(&mut self) -> Res<Expr> {
        self.enter(1)?;
        let expr = self.operand(Level::Concat);
        self.depth -= 1;
        expr
    }

    /// A value whose first operand has been read.
    pub(super) fn value_from(&mut self, seed: Seed) -> Res<Expr> {
        self.continued(Level::Concat, seed)
    }

    fn continued(&mut self, least: Level, seed: Seed) -> Res<Expr> {
        self.enter(1)?;
        let operand = self.postfix(seed).and_then(|expr| self.at_time_zone(expr));
        let expr = operand.and_then(|operand| self.climb(least, true, operand));
        self.depth -= 1;
        expr
    }

    /// An operand and all operators after it that bind at least as tightly as `least`.
    fn operand(&mut self, least: Level) -> Res<Expr> {
        let first = self.at;
        if least <= Level::Predicate && self.at_word(Keyword::Not) {
            self.advance();
            self.enter(1)?;
            let operand = self.operand(Level::Predicate);
            self.depth -= 1;
            let kind = ExprKind::Not(Box::new(operand?));
            let expr = Expr { kind, span: self.span_from(first) };
            return self.climb(least, false, Seed { expr, first });
        }
        let expr = self.unary()?;
        if self.level().is_none_or(|level| level < least) {
            return Ok(expr);
        }
        self.climb(least, true, Seed { expr, first })
    }

    /// The level of the operator that stands here.
    fn level(&self) -> Option<Level> {
        match self.kind() {
            TokenKind::Symbol(symbol) => match symbol {
                Symbol::Concat => Some(Level::Concat),
                Symbol::Plus | Symbol::Minus => Some(Level::Sum),
                Symbol::Asterisk | Symbol::Slash | Symbol::Percent => Some(Level::Product),
                Symbol::Equal
                | Symbol::NotEqual
                | Symbol::Less
                | Symbol::LessOrEqual
                | Symbol::Greater
                | Symbol::GreaterOrEqual => Some(Level::Predicate),
                _ => None,
            },
            TokenKind::Word(Keyword::Or) => Some(Level::Or),
            TokenKind::Word(Keyword::And) => Some(Level::And),
            _ => self.at_predicate().then_some(Level::Predicate),
        }
    }

    /// Takes operators that bind at least as tightly as `least`. At most one predicate may follow a value, and none a predicate.
    fn climb(&mut self, least: Level, mut is_value: bool, left: Seed) -> Res<Expr> {
        let Seed { expr: mut left, first } = left;
        while let Some(level) = self.level() {
            if level < least || (level >= Level::Predicate && !is_value) {
                break;
            }
            left = match level {
                Level::Or | Level::And => self.logical(level, first, left)?,
                Level::Predicate => self.predicate_of(first, left)?,
                _ => self.chain(level, first, left)?,
            };
            is_value = level > Level::Predicate;
        }
        Ok(left)
    }

    fn logical(&mut self, level: Level, first: TokenIx, left: Expr) -> Res<Expr> {
        let or = level == Level::Or;
        let mut terms = vec![left];
        while self.take_word(if or { Keyword::Or } else { Keyword::And }) {
            terms.push(self.operand(level.tighter())?);
        }
        Ok(Expr { kind: ExprKind::Logical { or, terms }, span: self.span_from(first) })
    }

    fn chain(&mut self, level: Level, first: TokenIx, left: Expr) -> Res<Expr> {
        let mut rest: Vec<Link> = Vec::new();
        let mut point = first;
        while let Some(op) = self.operator(level) {
            point = self.advance();
            let right = self.operand(level.tighter())?;
            rest.push(Link { op, at: Span::at(point), right });
        }
        let span = self.span_from(first).pointing(point);
        Ok(Expr { kind: ExprKind::Chain { first: Box::new(left), rest }, span })
    }

    fn operator(&self, level: Level) -> Option<BinaryOperator> {
        let TokenKind::Symbol(symbol) = self.kind() else { return None };
        match (level, symbol) {
            (Level::Concat, Symbol::Concat) => Some(BinaryOperator::Concat),
            (Level::Sum, Symbol::Plus) => Some(BinaryOperator::Add),
            (Level::Sum, Symbol::Minus) => Some(BinaryOperator::Subtract),
            (Level::Product, Symbol::Asterisk) => Some(BinaryOperator::Multiply),
            (Level::Product, Symbol::Slash) => Some(BinaryOperator::Divide),
            (Level::Product, Symbol::Percent) => Some(BinaryOperator::Modulus),
            _ => None,
        }
    }

    fn unary(&mut self) -> Res<Expr> {
        let first = self.at;
        let TokenKind::Symbol(sign @ (Symbol::Minus | Symbol::Plus)) = self.kind() else { return self.operand_primary() };
        // `-1` is a literal: the grammar's `number` takes the minus.
        let number = matches!(self.kind_at(1), TokenKind::Integer | TokenKind::Decimal | TokenKind::Double);
        if sign == Symbol::Minus && number {
            return self.operand_primary();
        }
        self.advance();
        self.enter(1)?;
        let operand = self.unary();
        self.depth -= 1;
        let kind = ExprKind::Unary { minus: sign == Symbol::Minus, operand: Box::new(operand?) };
        Ok(Expr { kind, span: self.span_from(first) })
    }

    fn operand_primary(&mut self) -> Res<Expr> {
        let first = self.at;
        let expr = self.primary()?;
        if !matches!(self.kind(), TokenKind::Symbol(Symbol::LeftBracket | Symbol::Dot) | TokenKind::Word(Keyword::At)) {
            return Ok(expr);
        }
        let seed = self.postfix(Seed { expr, first })?;
        Ok(self.at_time_zone(seed)?.expr)
    }

    fn at_time_zone(&mut self, seed: Seed) -> Res<Seed> {
        let Seed { expr: value, first } = seed;
        let mut zones = Vec::new();
        let mut point = first;
        loop {
            if self.at_words(&[Keyword::At, Keyword::Time, Keyword::Zone]) {
                point = self.at;
                self.at += 3;
                zones.push(self.time_zone()?);
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
            return Ok(Seed { expr: value, first });
        }
        let span = self.span_from(first).pointing(point);
        Ok(Seed { expr: Expr { kind: ExprKind::AtTimeZone { value: Box::new(value), zones }, span }, first })
    }

    fn time_zone(&mut self) -> Res<TimeZone> {
        if !self.at_word(Keyword::Interval) {
            return Ok(TimeZone::Name(self.string()?));
        }
        let start = self.at;
        match self.interval()? {
            Some(interval) => Ok(TimeZone::Offset(interval, self.span_from(start))),
            None => Err(self.unexpected("<interval>, <string>")),
        }
    }
}
