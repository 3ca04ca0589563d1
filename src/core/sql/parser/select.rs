//! SELECT: its list, its clauses, GROUP BY.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{Expr, ExprKind, GroupBy, GroupingElement, Select, SelectItem, WindowDefinition};
use super::expr::Seed;
use super::{Parser, Res};

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Res<Select> {
        let first = self.expect_word(Keyword::Select)?;
        let distinct = self.set_quantifier() == Some(true);
        let items = self.list(Self::select_item)?;
        let from = if self.take_word(Keyword::From) { self.list(Self::relation)? } else { Vec::new() };
        let filter = if self.take_word(Keyword::Where) { Some(self.expr()?) } else { None };
        let group_by = if self.at_word(Keyword::Group) { Some(self.group_by()?) } else { None };
        let having = if self.take_word(Keyword::Having) { Some(self.expr()?) } else { None };
        let windows = if self.at_window() {
            self.advance();
            self.list(Self::window_definition)?
        } else {
            Vec::new()
        };
        Ok(Select { distinct, items, from, filter, group_by, having, windows, span: self.span_from(first) })
    }

    /// WINDOW is a clause before `name AS (`.
    fn at_window(&self) -> bool {
        self.at_word(Keyword::Window) && self.name_at(1) && self.word_at(2, Keyword::As)
    }

    fn select_item(&mut self) -> Res<SelectItem> {
        let first = self.at;
        if self.take_symbol(Symbol::Asterisk) {
            return Ok(SelectItem::All(Span::at(first)));
        }
        // `primaryExpression '.' ASTERISK`: only a primary may stand before the star. Unary signs and NOT make no primary.
        let primary = !matches!(self.kind(), TokenKind::Word(Keyword::Not) | TokenKind::Symbol(Symbol::Plus | Symbol::Minus));
        let expr = if primary {
            let base = self.nest(|parser| parser.postfix(None))?;
            if self.at_symbol(Symbol::Dot) && self.symbol_at(1, Symbol::Asterisk) {
                self.at += 2;
                let aliases = if self.take_word(Keyword::As) { Some(self.column_names()?) } else { None };
                return Ok(SelectItem::AllFrom { base, aliases, span: self.span_from(first) });
            }
            self.expr_after_postfix(first, base)?
        } else {
            self.expr()?
        };
        let alias = self.alias()?;
        Ok(SelectItem::Expr { expr, alias, span: self.span_from(first) })
    }

    /// The rest of an expression whose first primary, postfixes included, has been read.
    fn expr_after_postfix(&mut self, first: TokenIx, expr: Expr) -> Res<Expr> {
        // Most items are no more than that.
        match self.kind() {
            TokenKind::Symbol(Symbol::Comma | Symbol::RightParen)
            | TokenKind::Word(Keyword::From | Keyword::As)
            | TokenKind::End => Ok(expr),
            _ => self.expr_from(Some(Seed { expr, first })),
        }
    }

    /// Whether an alias without AS may stand here: an identifier that starts no clause.
    pub(super) fn alias_may_follow(&self) -> bool {
        if !self.at_name() {
            return false;
        }
        match self.kind() {
            TokenKind::Word(Keyword::Limit) => !self.at_limit(),
            TokenKind::Word(Keyword::Offset) => !self.at_offset(),
            TokenKind::Word(Keyword::Fetch) => !self.at_fetch(),
            TokenKind::Word(Keyword::Window) => !self.at_window(),
            TokenKind::Word(Keyword::Tablesample) => !self.at_sample(),
            TokenKind::Word(Keyword::MatchRecognize) => !self.at_match_recognize(),
            TokenKind::Word(Keyword::Match) => !self.in_nearest,
            _ => true,
        }
    }

    fn window_definition(&mut self) -> Res<WindowDefinition> {
        let first = self.at;
        let name = self.ident()?;
        self.expect_word(Keyword::As)?;
        self.open()?;
        let window = self.nest(Self::window_specification)?;
        self.close()?;
        Ok(WindowDefinition { name, window, span: self.span_from(first) })
    }

    fn group_by(&mut self) -> Res<GroupBy> {
        let first = self.expect_word(Keyword::Group)?;
        self.expect_word(Keyword::By)?;
        let grouping =
            matches!(self.kind_at(1), TokenKind::Word(Keyword::Rollup | Keyword::Cube | Keyword::Grouping | Keyword::Auto));
        let distinct = if self.at_word(Keyword::All) && grouping {
            self.advance();
            false
        } else {
            self.set_quantifier() == Some(true)
        };
        let elements = self.list(Self::grouping_element)?;
        Ok(GroupBy { distinct, elements, span: self.span_from(first) })
    }

    fn grouping_element(&mut self) -> Res<GroupingElement> {
        let first = self.at;
        match self.kind() {
            TokenKind::Word(Keyword::Auto) => {
                self.advance();
                self.note_newer("GROUP BY AUTO", Span::at(first));
                Ok(GroupingElement::Auto(Span::at(first)))
            }
            TokenKind::Word(Keyword::Rollup) => {
                self.advance();
                let sets = self.grouping_sets(true)?;
                Ok(GroupingElement::Rollup(sets, self.span_from(first)))
            }
            TokenKind::Word(Keyword::Cube) => {
                self.advance();
                let sets = self.grouping_sets(true)?;
                Ok(GroupingElement::Cube(sets, self.span_from(first)))
            }
            TokenKind::Word(Keyword::Grouping) if self.word_at(1, Keyword::Sets) => {
                self.at += 2;
                let sets = self.grouping_sets(false)?;
                Ok(GroupingElement::Sets(sets, self.span_from(first)))
            }
            _ => {
                let set = self.grouping_set()?;
                Ok(GroupingElement::Set(set, self.span_from(first)))
            }
        }
    }

    fn grouping_sets(&mut self, may_be_empty: bool) -> Res<Vec<Vec<Expr>>> {
        self.open()?;
        let none = may_be_empty && self.at_symbol(Symbol::RightParen);
        let sets = if none { Vec::new() } else { self.list(Self::grouping_set)? };
        self.close()?;
        Ok(sets)
    }

    /// `(a, b)` or an expression. A row in parentheses, and nothing after it, is a set of its fields: the grammar has that first.
    fn grouping_set(&mut self) -> Res<Vec<Expr>> {
        let first = self.at;
        if self.at_symbol(Symbol::LeftParen) && self.symbol_at(1, Symbol::RightParen) && !self.lambda_opens() {
            self.at += 2;
            return Ok(Vec::new());
        }
        let expr = self.expr()?;
        let parenthesized = self.tokens.get(first).kind == TokenKind::Symbol(Symbol::LeftParen)
            && expr.span.first == first
            && expr.span.last == self.previous();
        match expr.kind {
            ExprKind::Row(fields) if parenthesized => Ok(fields.into_iter().map(|field| field.value).collect()),
            kind => Ok(vec![Expr { kind, span: expr.span }]),
        }
    }
}
