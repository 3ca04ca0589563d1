//! Primary expressions and what may follow them: `[i]`, `.field`.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{AccessStep, Current, Expr, ExprKind, Ident, Literal, Query, QueryBody, RowField, WhenClause};
use super::expr::Seed;
use super::{Declared, Parser, Res};

/// What parentheses hold.
pub(super) enum Content {
    /// A query; `wrapped` if it is nothing but a query in parentheses, which could be an expression too.
    Query { query: Query, wrapped: bool },
    /// An expression, possibly the first of several.
    Expr(Expr),
}

impl Parser<'_> {
    /// A primary expression with its postfixes. Stops before `.*`.
    pub(super) fn postfix(&mut self, seed: Option<Seed>) -> Res<Expr> {
        let (first, base) = match seed {
            Some(seed) => (seed.first, seed.expr),
            None => (self.at, self.primary()?),
        };
        let mut steps = Vec::new();
        loop {
            if self.at_symbol(Symbol::LeftBracket) {
                let open = self.advance();
                let index = self.value()?;
                self.expect_symbol(Symbol::RightBracket, "']'")?;
                steps.push(AccessStep::Index(index, self.span_from(open)));
            } else if self.at_symbol(Symbol::Dot) && !self.symbol_at(1, Symbol::Asterisk) {
                self.advance();
                steps.push(self.field_or_method()?);
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Ok(base);
        }
        // A name in parentheses goes on as a name: `(a).b` is `a.b` to the server too.
        if let ExprKind::Name(mut parts) = base.kind {
            let fields = steps.iter().take_while(|step| matches!(step, AccessStep::Field(_))).count();
            let rest = steps.split_off(fields);
            parts.extend(steps.into_iter().filter_map(|step| match step {
                AccessStep::Field(name) => Some(name),
                _ => None,
            }));
            let last = parts.last().map_or(base.span.last, |part| part.token);
            let name = Expr { kind: ExprKind::Name(parts), span: Span::new(first, last) };
            if rest.is_empty() {
                return Ok(name);
            }
            return Ok(Expr { kind: ExprKind::Access { base: Box::new(name), steps: rest }, span: self.span_from(first) });
        }
        Ok(Expr { kind: ExprKind::Access { base: Box::new(base), steps }, span: self.span_from(first) })
    }

    fn field_or_method(&mut self) -> Res<AccessStep> {
        // A method may have any word for its name.
        let method = self.symbol_at(1, Symbol::LeftParen) && (self.at_name() || matches!(self.kind(), TokenKind::Word(_)));
        if !method {
            return Ok(AccessStep::Field(self.ident()?));
        }
        let name = self.method_name()?;
        self.note_newer("method call", name.span());
        Ok(AccessStep::Method(name, self.method_arguments()?))
    }

    pub(super) fn method_name(&mut self) -> Res<Ident> {
        if let TokenKind::Word(_) = self.kind() {
            let token = self.advance();
            return Ok(Ident { text: Box::from(self.tokens.written(token)), quoted: false, token });
        }
        self.ident()
    }

    pub(super) fn method_arguments(&mut self) -> Res<Vec<Expr>> {
        self.open()?;
        let arguments = if self.at_symbol(Symbol::RightParen) { Vec::new() } else { self.list(Self::argument)? };
        self.close()?;
        Ok(arguments)
    }

    fn primary(&mut self) -> Res<Expr> {
        let first = self.at;
        let kind = match self.kind() {
            TokenKind::Integer | TokenKind::Decimal | TokenKind::Double | TokenKind::Symbol(Symbol::Minus) => {
                ExprKind::Literal(self.number()?)
            }
            TokenKind::String | TokenKind::UnicodeString => ExprKind::Literal(Literal::String(self.string()?.text)),
            TokenKind::Binary => ExprKind::Literal(Literal::Binary(self.binary()?)),
            TokenKind::Symbol(Symbol::Question) => {
                self.advance();
                ExprKind::Placeholder
            }
            TokenKind::Symbol(Symbol::LeftParen) => return self.parenthesized(),
            TokenKind::Symbol(Symbol::LeftBracket) => {
                self.note_newer("array without ARRAY", Span::at(first));
                ExprKind::Array(self.elements()?)
            }
            TokenKind::Symbol(Symbol::Colon) => return self.bound_parameter(),
            TokenKind::Word(word) if word.is_reserved() => return self.reserved(word),
            _ if self.at_name() => return self.named(),
            _ => return Err(self.unexpected("<expression>")),
        };
        Ok(Expr { kind, span: self.span_from(first) })
    }

    fn bound_parameter(&mut self) -> Res<Expr> {
        let first = self.at;
        match self.parameter() {
            Some(Declared::One) => {
                let kind = ExprKind::Parameter(self.parameter_name());
                Ok(Expr { kind, span: self.span_from(first) })
            }
            Some(Declared::Value(value)) => {
                self.parameter_name();
                Ok(value.clone())
            }
            Some(Declared::Many | Declared::Values(_)) => {
                self.refused(first, "a list parameter stands after IN, without parentheses: x IN :names")
            }
            None => Err(self.unexpected("<expression>")),
        }
    }

    /// `[a, b]`.
    pub(super) fn elements(&mut self) -> Res<Vec<Expr>> {
        self.expect_symbol(Symbol::LeftBracket, "'['")?;
        let elements = if self.at_symbol(Symbol::RightBracket) { Vec::new() } else { self.list(Self::expr)? };
        self.expect_symbol(Symbol::RightBracket, "']'")?;
        Ok(elements)
    }

    /// A reserved word that starts an expression.
    fn reserved(&mut self, word: Keyword) -> Res<Expr> {
        let first = self.at;
        let kind = match word {
            Keyword::Null => self.literal(Literal::Null),
            Keyword::True => self.literal(Literal::Boolean(true)),
            Keyword::False => self.literal(Literal::Boolean(false)),
            Keyword::Case => self.case()?,
            Keyword::Cast => self.cast(false)?,
            Keyword::Exists => {
                self.advance();
                ExprKind::Exists(Box::new(self.query_in_parens()?))
            }
            Keyword::Extract => self.extract()?,
            Keyword::Trim => self.trim()?,
            Keyword::Normalize => self.normalize()?,
            Keyword::Grouping => self.grouping()?,
            Keyword::Listagg => self.list_agg()?,
            Keyword::JsonExists | Keyword::JsonValue | Keyword::JsonQuery | Keyword::JsonObject | Keyword::JsonArray => {
                self.json_call(word)?
            }
            Keyword::CurrentDate => self.current(Current::Date, false)?,
            Keyword::CurrentTime => self.current(Current::Time, true)?,
            Keyword::CurrentTimestamp => self.current(Current::Timestamp, true)?,
            Keyword::Localtime => self.current(Current::LocalTime, true)?,
            Keyword::Localtimestamp => self.current(Current::LocalTimestamp, true)?,
            Keyword::CurrentUser => self.current(Current::User, false)?,
            Keyword::CurrentCatalog => self.current(Current::Catalog, false)?,
            Keyword::CurrentSchema => self.current(Current::Schema, false)?,
            Keyword::CurrentPath => self.current(Current::Path, false)?,
            _ => return Err(self.unexpected("<expression>")),
        };
        Ok(Expr { kind, span: self.span_from(first) })
    }

    fn literal(&mut self, literal: Literal) -> ExprKind {
        self.advance();
        ExprKind::Literal(literal)
    }

    fn current(&mut self, what: Current, precise: bool) -> Res<ExprKind> {
        self.advance();
        let mut precision = None;
        if precise && self.take_symbol(Symbol::LeftParen) {
            precision = Some(self.unsigned()?);
            self.close()?;
        }
        Ok(ExprKind::Current { what, precision })
    }

    pub(super) fn query_in_parens(&mut self) -> Res<Query> {
        self.open()?;
        let query = self.query()?;
        self.close()?;
        Ok(query)
    }

    fn case(&mut self) -> Res<ExprKind> {
        self.advance();
        let operand = if self.at_word(Keyword::When) { None } else { Some(Box::new(self.expr()?)) };
        let mut branches = Vec::new();
        while self.take_word(Keyword::When) {
            let condition = if operand.is_some() { self.case_condition()? } else { self.expr()? };
            self.expect_word(Keyword::Then)?;
            branches.push(WhenClause { condition, result: self.expr()? });
        }
        if branches.is_empty() {
            return Err(self.unexpected("'WHEN'"));
        }
        let otherwise = if self.take_word(Keyword::Else) { Some(Box::new(self.expr()?)) } else { None };
        self.expect_word(Keyword::End)?;
        Ok(ExprKind::Case { operand, branches, otherwise })
    }

    /// `(…)`: a lambda's arguments, a query, a row, or an expression.
    fn parenthesized(&mut self) -> Res<Expr> {
        let first = self.at;
        if self.lambda_opens() {
            return self.lambda();
        }
        self.advance();
        let content = self.nest(Self::content)?;
        self.close_content(first, content)
    }

    /// What follows the content of parentheses that opened at `first`.
    fn close_content(&mut self, first: TokenIx, content: Content) -> Res<Expr> {
        let value = match content {
            Content::Query { query, .. } => {
                self.close()?;
                return Ok(Expr { kind: ExprKind::Subquery(Box::new(query)), span: self.span_from(first) });
            }
            Content::Expr(value) => value,
        };
        if !self.at_symbol(Symbol::Comma) {
            self.close()?;
            return Ok(value);
        }
        let mut fields = vec![RowField { value, name: None }];
        while self.take_symbol(Symbol::Comma) {
            fields.push(RowField { value: self.expr()?, name: None });
        }
        self.close()?;
        Ok(Expr { kind: ExprKind::Row(fields), span: self.span_from(first) })
    }

    /// What stands after an opening parenthesis: a query, or an expression (the first, if several follow). Each token is read
    /// once: `((` reads the inner parentheses, and what follows them tells whether a query goes on or an expression.
    pub(super) fn content(&mut self) -> Res<Content> {
        match self.kind() {
            TokenKind::Word(Keyword::Select | Keyword::With | Keyword::Values | Keyword::Table) => {
                Ok(Content::Query { query: self.query()?, wrapped: false })
            }
            TokenKind::Symbol(Symbol::LeftParen) if !self.lambda_opens() => {
                let first = self.advance();
                let inner = self.nest(Self::content)?;
                if let Content::Query { query, .. } = inner {
                    self.close()?;
                    if query.with.is_none() && (self.at_symbol(Symbol::RightParen) || self.query_goes_on()) {
                        let wrapped = self.at_symbol(Symbol::RightParen);
                        let body = QueryBody::Parenthesized(Box::new(query));
                        return Ok(Content::Query { query: self.query_from(first, None, Some(body))?, wrapped });
                    }
                    let expr = Expr { kind: ExprKind::Subquery(Box::new(query)), span: self.span_from(first) };
                    return Ok(Content::Expr(self.expr_from(Some(Seed { expr, first }))?));
                }
                let expr = self.close_content(first, inner)?;
                Ok(Content::Expr(self.expr_from(Some(Seed { expr, first }))?))
            }
            _ => Ok(Content::Expr(self.expr()?)),
        }
    }

    /// Whether `(a, b) ->` or `() ->` stands here.
    pub(super) fn lambda_opens(&self) -> bool {
        let mut ahead = 1;
        if !self.symbol_at(ahead, Symbol::RightParen) {
            loop {
                if !self.name_at(ahead) {
                    return false;
                }
                ahead += 1;
                if !self.symbol_at(ahead, Symbol::Comma) {
                    break;
                }
                ahead += 1;
            }
        }
        self.symbol_at(ahead, Symbol::RightParen) && self.symbol_at(ahead + 1, Symbol::Arrow)
    }

    /// `(a, b) -> body`, or `a -> body`.
    pub(super) fn lambda(&mut self) -> Res<Expr> {
        let first = self.at;
        let mut arguments = Vec::new();
        if self.take_symbol(Symbol::LeftParen) {
            if !self.at_symbol(Symbol::RightParen) {
                arguments = self.list(Self::ident)?;
            }
            self.close()?;
        } else {
            arguments.push(self.ident()?);
        }
        self.expect_symbol(Symbol::Arrow, "'->'")?;
        let body = Box::new(self.expr()?);
        Ok(Expr { kind: ExprKind::Lambda { arguments, body }, span: self.span_from(first) })
    }
}
