//! Functions with a grammar of their own: CAST, EXTRACT, TRIM, SUBSTRING, POSITION, LISTAGG and their kin.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenKind};
use super::super::tree::{Arguments, Call, ExprKind, ListAgg, ListAggOverflow, NormalForm, TrimSide};
use super::super::tree::{Expr, QualifiedName};
use super::expr::Seed;
use super::{Parser, Res};

impl Parser<'_> {
    /// CAST(x AS type).
    pub(super) fn cast(&mut self, safe: bool) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let value = Box::new(self.expr()?);
        self.expect_word(Keyword::As)?;
        let type_name = Box::new(self.type_name()?);
        self.close()?;
        Ok(ExprKind::Cast { value, type_name, safe })
    }

    /// TRY_CAST(x AS type); without AS it is a call like any other.
    pub(super) fn try_cast(&mut self) -> Res<Option<ExprKind>> {
        if self.symbol_at(2, Symbol::RightParen) || self.symbol_at(2, Symbol::Asterisk) {
            return Ok(None);
        }
        self.at_first_argument(|parser, name, value| {
            if !parser.take_word(Keyword::As) {
                return parser.other_arguments(name, None, Some(value));
            }
            let type_name = Box::new(parser.type_name()?);
            parser.close()?;
            Ok(ExprKind::Cast { value: Box::new(value), type_name, safe: true })
        })
    }

    /// Reads the name, the parenthesis and the first argument of a call, then what `rest` makes of it.
    fn at_first_argument(&mut self, rest: impl FnOnce(&mut Self, QualifiedName, Expr) -> Res<ExprKind>) -> Res<Option<ExprKind>> {
        let name = self.one_word_name()?;
        self.open()?;
        let value = self.expr()?;
        rest(self, name, value).map(Some)
    }

    fn one_word_name(&mut self) -> Res<QualifiedName> {
        let name = self.ident()?;
        let span = name.span();
        Ok(QualifiedName { parts: vec![name], span })
    }

    /// A call whose first argument was read: either a value that may go on (`operand`), or a whole expression (`first`).
    fn other_arguments(&mut self, name: QualifiedName, operand: Option<Seed>, first: Option<Expr>) -> Res<ExprKind> {
        let first = match first {
            Some(first) => first,
            None => self.expr_from(operand)?,
        };
        let mut arguments = vec![first];
        while self.take_symbol(Symbol::Comma) {
            arguments.push(self.expr()?);
        }
        let order_by = self.order_by()?;
        self.close()?;
        let mut call = Call {
            name,
            running: None,
            distinct: false,
            arguments: Arguments::List(arguments),
            order_by,
            filter: self.filter()?,
            ignore_nulls: None,
            over: None,
        };
        call.over = self.optional_over()?;
        Ok(ExprKind::Call(Box::new(call)))
    }

    /// Whether the argument of a special form is a plain call's: none, a star, DISTINCT or ALL.
    fn plain_call(&self) -> bool {
        matches!(
            self.kind_at(2),
            TokenKind::Symbol(Symbol::RightParen | Symbol::Asterisk) | TokenKind::Word(Keyword::Distinct | Keyword::Order)
        )
    }

    /// POSITION(x IN y). The grammar has this form before calls, so that `position(x IN (y))` is it, too.
    pub(super) fn position(&mut self) -> Res<Option<ExprKind>> {
        if self.plain_call() {
            return Ok(None);
        }
        let name = self.one_word_name()?;
        self.open()?;
        let first = self.at;
        let needle = self.argument_value()?;
        if !self.take_word(Keyword::In) {
            let seed = Seed { expr: needle, first };
            return self.other_arguments(name, Some(seed), None).map(Some);
        }
        let haystack = self.value()?;
        self.close()?;
        Ok(Some(ExprKind::Position { needle: Box::new(needle), haystack: Box::new(haystack) }))
    }

    /// A value, or, for the sake of `f(NOT a)` and `f(x -> y)`, an expression that is none.
    fn argument_value(&mut self) -> Res<Expr> {
        if self.at_word(Keyword::Not) { self.expr() } else { self.value() }
    }

    /// SUBSTRING(x FROM 1 FOR 2).
    pub(super) fn substring(&mut self) -> Res<Option<ExprKind>> {
        if self.plain_call() {
            return Ok(None);
        }
        let name = self.one_word_name()?;
        self.open()?;
        let first = self.at;
        let source = self.argument_value()?;
        if !self.take_word(Keyword::From) {
            let seed = Seed { expr: source, first };
            return self.other_arguments(name, Some(seed), None).map(Some);
        }
        let from = Box::new(self.value()?);
        let length = if self.take_word(Keyword::For) { Some(Box::new(self.value()?)) } else { None };
        self.close()?;
        Ok(Some(ExprKind::Substring { source: Box::new(source), from, length }))
    }

    /// OVERLAY(x PLACING y FROM 1 FOR 2).
    pub(super) fn overlay(&mut self) -> Res<Option<ExprKind>> {
        if self.plain_call() {
            return Ok(None);
        }
        let name = self.one_word_name()?;
        let at = name.span;
        self.open()?;
        let first = self.at;
        let source = self.argument_value()?;
        if !self.take_word(Keyword::Placing) {
            let seed = Seed { expr: source, first };
            return self.other_arguments(name, Some(seed), None).map(Some);
        }
        self.note_newer("OVERLAY", at);
        let replacement = Box::new(self.value()?);
        self.expect_word(Keyword::From)?;
        let from = Box::new(self.value()?);
        let length = if self.take_word(Keyword::For) { Some(Box::new(self.value()?)) } else { None };
        self.close()?;
        Ok(Some(ExprKind::Overlay { source: Box::new(source), replacement, from, length }))
    }

    /// EXTRACT(YEAR FROM x).
    pub(super) fn extract(&mut self) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let field = self.ident()?;
        self.expect_word(Keyword::From)?;
        let source = Box::new(self.value()?);
        self.close()?;
        Ok(ExprKind::Extract { field, source })
    }

    /// TRIM(BOTH 'x' FROM y), TRIM(y, 'x'), TRIM(y).
    pub(super) fn trim(&mut self) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let mut side = match self.kind() {
            TokenKind::Word(Keyword::Leading) => Some(TrimSide::Leading),
            TokenKind::Word(Keyword::Trailing) => Some(TrimSide::Trailing),
            TokenKind::Word(Keyword::Both) => Some(TrimSide::Both),
            _ => None,
        };
        // LEADING and its kin are names unless FROM follows within these parentheses.
        if side.is_some() && self.follows_from() {
            self.advance();
        } else {
            side = None;
        }
        if self.take_word(Keyword::From) {
            let source = Box::new(self.value()?);
            self.close()?;
            return Ok(ExprKind::Trim { side, characters: None, source });
        }
        let value = Box::new(self.value()?);
        let (characters, source) = if self.take_word(Keyword::From) {
            (Some(value), Box::new(self.value()?))
        } else if side.is_none() && self.take_symbol(Symbol::Comma) {
            (Some(Box::new(self.value()?)), value)
        } else if side.is_none() {
            (None, value)
        } else {
            return Err(self.unexpected("'FROM'"));
        };
        self.close()?;
        Ok(ExprKind::Trim { side, characters, source })
    }

    /// Whether FROM follows before the parentheses close.
    fn follows_from(&self) -> bool {
        let mut open = 0u32;
        for ahead in 1.. {
            match self.kind_at(ahead) {
                TokenKind::Symbol(Symbol::LeftParen) => open += 1,
                TokenKind::Symbol(Symbol::RightParen) if open == 0 => return false,
                TokenKind::Symbol(Symbol::RightParen) => open -= 1,
                TokenKind::Word(Keyword::From) if open == 0 => return true,
                TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }

    /// NORMALIZE(x, NFC).
    pub(super) fn normalize(&mut self) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let source = Box::new(self.value()?);
        let mut form = None;
        if self.take_symbol(Symbol::Comma) {
            form = Some(match self.kind() {
                TokenKind::Word(Keyword::Nfd) => NormalForm::Nfd,
                TokenKind::Word(Keyword::Nfc) => NormalForm::Nfc,
                TokenKind::Word(Keyword::Nfkd) => NormalForm::Nfkd,
                TokenKind::Word(Keyword::Nfkc) => NormalForm::Nfkc,
                _ => return Err(self.unexpected("'NFC', 'NFD', 'NFKC', 'NFKD'")),
            });
            self.advance();
        }
        self.close()?;
        Ok(ExprKind::Normalize { source, form })
    }

    /// GROUPING(a, b.c).
    pub(super) fn grouping(&mut self) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let names = if self.at_symbol(Symbol::RightParen) { Vec::new() } else { self.list(Self::qualified_name)? };
        self.close()?;
        Ok(ExprKind::Grouping(names))
    }

    /// LISTAGG(x, ',' ON OVERFLOW …) WITHIN GROUP (ORDER BY …).
    pub(super) fn list_agg(&mut self) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let distinct = self.set_quantifier() == Some(true);
        let value = self.expr()?;
        let separator = if self.take_symbol(Symbol::Comma) { Some(self.string()?) } else { None };
        let overflow = if self.take_words(&[Keyword::On, Keyword::Overflow]) { Some(self.overflow()?) } else { None };
        self.close()?;
        self.expect_words(&[Keyword::Within, Keyword::Group])?;
        self.open()?;
        if !self.at_word(Keyword::Order) {
            return Err(self.unexpected("'ORDER'"));
        }
        let order_by = self.order_by()?;
        self.close()?;
        let filter = self.filter()?;
        let at = self.at;
        let over = self.optional_over()?;
        if over.is_some() {
            self.note_newer("LISTAGG OVER", Span::at(at));
        }
        Ok(ExprKind::ListAgg(Box::new(ListAgg { distinct, value, separator, overflow, order_by, filter, over })))
    }

    fn overflow(&mut self) -> Res<ListAggOverflow> {
        if self.take_word(Keyword::Error) {
            return Ok(ListAggOverflow::Error);
        }
        self.expect_word(Keyword::Truncate)?;
        let filler = match self.kind() {
            TokenKind::String | TokenKind::UnicodeString => Some(self.string()?),
            _ => None,
        };
        let counted = self.take_word(Keyword::With);
        if !counted {
            self.expect_word(Keyword::Without)?;
        }
        self.expect_word(Keyword::Count)?;
        Ok(ListAggOverflow::Truncate(filler, counted))
    }
}
