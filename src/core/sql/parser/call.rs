//! Expressions that start with an identifier: names, calls, lambdas, typed literals.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{Arguments, Call, Expr, ExprKind, Ident, Literal, Over, QualifiedName, RowField};
use super::{Parser, Res};

impl Parser<'_> {
    /// An expression that starts with an identifier, or a word that may be one.
    pub(super) fn named(&mut self) -> Res<Expr> {
        let first = self.at;
        if self.symbol_at(1, Symbol::Arrow) {
            return self.lambda();
        }
        if let TokenKind::Word(word) = self.kind()
            && let Some(kind) = self.special(word)?
        {
            return Ok(Expr { kind, span: self.span_from(first) });
        }
        if matches!(self.kind_at(1), TokenKind::String | TokenKind::UnicodeString) {
            let type_name = self.ident()?;
            let text = self.string()?.text;
            let kind = ExprKind::Literal(Literal::Typed { type_name, text });
            return Ok(Expr { kind, span: self.span_from(first) });
        }
        // RUNNING LAST(x), FINAL LAST(x): the mode only before a call.
        let mode = matches!(self.kind(), TokenKind::Word(Keyword::Running | Keyword::Final)) && self.call_at(1);
        let running = mode.then(|| self.at_word(Keyword::Running));
        self.at += u32::from(mode);
        let start = self.at;
        let mut parts = vec![self.ident()?];
        while self.at_symbol(Symbol::Dot) && self.name_at(1) {
            // `f(x).g(y)` is a method, `a.b(y)` a function: here there are names only.
            self.advance();
            parts.push(self.ident()?);
        }
        let name = QualifiedName { parts, span: self.span_from(start) };
        if self.at_symbol(Symbol::LeftParen) {
            let call = self.call(name, running)?;
            return Ok(Expr { kind: ExprKind::Call(Box::new(call)), span: self.span_from(first) });
        }
        if self.at_symbol(Symbol::DoubleColon) {
            return self.static_call(first, name);
        }
        let mut parts = name.parts;
        if let (1, true) = (parts.len(), self.over_follows())
            && let Some(name) = parts.pop()
        {
            let over = Box::new(self.over()?);
            return Ok(Expr { kind: ExprKind::Measure { name, over }, span: self.span_from(first) });
        }
        Ok(Expr { kind: ExprKind::Name(parts), span: self.span_from(first) })
    }

    /// Whether a call starts some tokens ahead: names with dots, then a parenthesis.
    fn call_at(&self, ahead: u32) -> bool {
        let mut ahead = ahead;
        loop {
            if !self.name_at(ahead) {
                return false;
            }
            ahead += 1;
            if !self.symbol_at(ahead, Symbol::Dot) {
                return self.symbol_at(ahead, Symbol::LeftParen);
            }
            ahead += 1;
        }
    }

    /// The forms that the grammar has before calls and columns, for words that may also be names.
    fn special(&mut self, word: Keyword) -> Res<Option<ExprKind>> {
        let called = self.symbol_at(1, Symbol::LeftParen);
        Ok(match word {
            Keyword::Interval => self.interval()?.map(|interval| ExprKind::Literal(Literal::Interval(interval))),
            Keyword::Double
                if self.word_at(1, Keyword::Precision)
                    && matches!(self.kind_at(2), TokenKind::String | TokenKind::UnicodeString) =>
            {
                self.at += 2;
                Some(ExprKind::Literal(Literal::DoublePrecision(self.string()?.text)))
            }
            Keyword::Array if self.symbol_at(1, Symbol::LeftBracket) => {
                self.advance();
                Some(ExprKind::Array(self.elements()?))
            }
            Keyword::Row if called && !self.symbol_at(2, Symbol::RightParen) => {
                self.at += 2;
                let fields = self.list(Self::row_field)?;
                self.close()?;
                Some(ExprKind::Row(fields))
            }
            Keyword::Position if called => self.position()?,
            Keyword::Substring if called => self.substring()?,
            Keyword::Overlay if called => self.overlay()?,
            Keyword::TryCast if called => self.try_cast()?,
            Keyword::Unique if called && self.query_may_open(2) => {
                let at = self.advance();
                self.note_newer("UNIQUE", Span::at(at));
                Some(ExprKind::Unique(Box::new(self.query_in_parens()?)))
            }
            _ => None,
        })
    }

    fn row_field(&mut self) -> Res<RowField> {
        let value = self.expr()?;
        let name = self.alias()?;
        if let Some(name) = &name {
            self.note_newer("row field name", name.span());
        }
        Ok(RowField { value, name })
    }

    fn static_call(&mut self, first: TokenIx, type_name: QualifiedName) -> Res<Expr> {
        let colons = self.advance();
        self.note_newer("static method call", Span::at(colons));
        let method = self.method_name()?;
        let arguments = self.method_arguments()?;
        let call = super::super::tree::StaticCall { type_name, method, arguments };
        Ok(Expr { kind: ExprKind::StaticCall(Box::new(call)), span: self.span_from(first) })
    }

    /// What follows the name of a function: arguments, FILTER, OVER.
    pub(super) fn call(&mut self, name: QualifiedName, running: Option<bool>) -> Res<Call> {
        self.open()?;
        let mut call = Call {
            name,
            running,
            distinct: false,
            arguments: Arguments::List(Vec::new()),
            order_by: Vec::new(),
            filter: None,
            ignore_nulls: None,
            over: None,
        };
        if let Some(star) = self.star_argument()? {
            call.arguments = star;
            self.close()?;
        } else {
            self.call_arguments(&mut call)?;
        }
        self.call_suffix(call)
    }

    /// `*` or `t.*` as the only argument.
    fn star_argument(&mut self) -> Res<Option<Arguments>> {
        if self.at_symbol(Symbol::Asterisk) {
            let span = Span::at(self.advance());
            return Ok(Some(Arguments::Star { label: None, span }));
        }
        if self.at_name() && self.symbol_at(1, Symbol::Dot) && self.symbol_at(2, Symbol::Asterisk) {
            let label = Some(self.ident()?);
            self.advance();
            let span = Span::at(self.advance());
            return Ok(Some(Arguments::Star { label, span }));
        }
        Ok(None)
    }

    fn call_arguments(&mut self, call: &mut Call) -> Res<()> {
        if !self.at_symbol(Symbol::RightParen) && !self.at_word(Keyword::Order) {
            call.distinct = self.set_quantifier() == Some(true);
            call.arguments = Arguments::List(self.list(Self::argument)?);
        }
        call.order_by = self.order_by()?;
        self.close()?;
        Ok(())
    }

    /// `expression` or `name => expression`.
    pub(super) fn argument(&mut self) -> Res<Expr> {
        if !self.at_name() || !self.symbol_at(1, Symbol::FatArrow) {
            return self.expr();
        }
        let first = self.at;
        let name = self.ident()?;
        self.note_newer("named argument", name.span());
        self.advance();
        let value = Box::new(self.expr()?);
        Ok(Expr { kind: ExprKind::NamedArgument { name, value }, span: self.span_from(first) })
    }

    fn call_suffix(&mut self, mut call: Call) -> Res<Call> {
        call.filter = self.filter()?;
        if matches!(self.kind(), TokenKind::Word(Keyword::Ignore | Keyword::Respect))
            && self.word_at(1, Keyword::Nulls)
            && self.word_at(2, Keyword::Over)
        {
            call.ignore_nulls = Some(self.at_word(Keyword::Ignore));
            self.at += 2;
        }
        call.over = self.optional_over()?;
        Ok(call)
    }

    /// DISTINCT (true) or ALL (false). ALL is a name where no expression can follow it.
    pub(super) fn set_quantifier(&mut self) -> Option<bool> {
        if self.take_word(Keyword::Distinct) {
            return Some(true);
        }
        if self.at_word(Keyword::All) && (self.expression_may_start(1) || self.symbol_at(1, Symbol::Asterisk)) {
            self.advance();
            return Some(false);
        }
        None
    }

    /// FILTER (WHERE …).
    pub(super) fn filter(&mut self) -> Res<Option<Expr>> {
        if !self.at_word(Keyword::Filter) || !self.symbol_at(1, Symbol::LeftParen) {
            return Ok(None);
        }
        self.at += 2;
        self.expect_word(Keyword::Where)?;
        let condition = self.expr()?;
        self.close()?;
        Ok(Some(condition))
    }

    /// Whether OVER and a window follow; OVER alone is an alias.
    pub(super) fn over_follows(&self) -> bool {
        self.at_word(Keyword::Over) && (self.symbol_at(1, Symbol::LeftParen) || self.name_at(1))
    }

    pub(super) fn optional_over(&mut self) -> Res<Option<Over>> {
        if self.over_follows() { Ok(Some(self.over()?)) } else { Ok(None) }
    }

    fn over(&mut self) -> Res<Over> {
        self.expect_word(Keyword::Over)?;
        if !self.take_symbol(Symbol::LeftParen) {
            return Ok(Over::Named(self.ident()?));
        }
        let window = self.nest(Self::window_specification)?;
        self.close()?;
        Ok(Over::Inline(window))
    }

    /// An optional alias, with or without AS.
    pub(super) fn alias(&mut self) -> Res<Option<Ident>> {
        if self.take_word(Keyword::As) || self.alias_may_follow() { Ok(Some(self.ident()?)) } else { Ok(None) }
    }

    /// Whether an expression may start some tokens ahead.
    pub(super) fn expression_may_start(&self, ahead: u32) -> bool {
        match self.kind_at(ahead) {
            TokenKind::Word(word) if word.is_reserved() => matches!(
                word,
                Keyword::Not
                    | Keyword::Null
                    | Keyword::True
                    | Keyword::False
                    | Keyword::Case
                    | Keyword::Cast
                    | Keyword::Exists
                    | Keyword::Extract
                    | Keyword::Trim
                    | Keyword::Normalize
                    | Keyword::Grouping
                    | Keyword::Listagg
                    | Keyword::JsonExists
                    | Keyword::JsonValue
                    | Keyword::JsonQuery
                    | Keyword::JsonObject
                    | Keyword::JsonArray
                    | Keyword::CurrentDate
                    | Keyword::CurrentTime
                    | Keyword::CurrentTimestamp
                    | Keyword::Localtime
                    | Keyword::Localtimestamp
                    | Keyword::CurrentUser
                    | Keyword::CurrentCatalog
                    | Keyword::CurrentSchema
                    | Keyword::CurrentPath
            ),
            TokenKind::Symbol(symbol) => {
                matches!(symbol, Symbol::LeftParen | Symbol::Minus | Symbol::Plus | Symbol::Question | Symbol::Colon)
            }
            TokenKind::End | TokenKind::Unrecognized | TokenKind::Foreign => false,
            _ => true,
        }
    }
}
