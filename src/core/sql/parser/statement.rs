//! Statements: queries, SHOW, DESCRIBE, EXPLAIN; the rest by name.

use super::super::keyword::Keyword;
use super::super::kind::{StatementKind, kind_of};
use super::super::token::{Span, Symbol, TokenIx, TokenKind};
use super::super::tree::{
    CreateObject, Describe, Explain, ExplainOption, Other, Pattern, RootQuery, SessionProperty, Show, ShowKind, Statement,
};
use super::{Parser, Res};

impl Parser<'_> {
    /// One statement, possibly a semicolon, and the end. More than one is [`StatementKind::Several`].
    pub(super) fn whole_statement(&mut self) -> Res<Statement> {
        let kind = kind_of(self.tokens, 0);
        if !matches!(
            kind,
            StatementKind::Select
                | StatementKind::Show
                | StatementKind::ShowStats
                | StatementKind::Describe
                | StatementKind::Explain
                | StatementKind::ExplainAnalyze
        ) {
            return self.other_statement(kind);
        }
        let statement = self.statement()?;
        if self.at_symbol(Symbol::Semicolon) {
            if self.kind_at(1) != TokenKind::End {
                return Ok(several(self.at + 1));
            }
            self.advance();
        }
        self.end()?;
        Ok(statement)
    }

    /// A statement that is not read. Bodies of functions have semicolons of their own.
    fn other_statement(&mut self, kind: StatementKind) -> Res<Statement> {
        if matches!(kind, StatementKind::Unknown | StatementKind::Empty) {
            return Err(self.unexpected("<statement>"));
        }
        let tokens = self.tokens.all();
        let separator = tokens.iter().position(|token| token.kind == TokenKind::Symbol(Symbol::Semicolon));
        if let Some(at) = separator
            && kind != StatementKind::Ddl
            && tokens.get(at + 1).is_some_and(|next| next.kind != TokenKind::End)
        {
            return Ok(several(TokenIx::try_from(at + 1).unwrap_or(0)));
        }
        Ok(Statement::Other(Other { kind, span: Span::at(self.at) }))
    }

    fn statement(&mut self) -> Res<Statement> {
        match kind_of(self.tokens, self.at) {
            StatementKind::Select => Ok(Statement::Query(Box::new(self.root_query()?))),
            StatementKind::Show | StatementKind::ShowStats => Ok(Statement::Show(Box::new(self.show()?))),
            StatementKind::Describe => {
                let first = self.advance();
                let table = self.qualified_name()?;
                Ok(Statement::Describe(Describe { table, span: self.span_from(first) }))
            }
            StatementKind::Explain | StatementKind::ExplainAnalyze => Ok(Statement::Explain(Box::new(self.nest(Self::explain)?))),
            StatementKind::Unknown | StatementKind::Empty => Err(self.unexpected("<statement>")),
            kind => {
                let first = self.at;
                while !matches!(self.kind(), TokenKind::End | TokenKind::Symbol(Symbol::Semicolon)) {
                    self.advance();
                }
                Ok(Statement::Other(Other { kind, span: Span::at(first) }))
            }
        }
    }

    /// A query after WITH SESSION and WITH FUNCTION. SESSION and FUNCTION may be names of WITH queries: before AS or a parenthesis.
    pub(super) fn root_query(&mut self) -> Res<RootQuery> {
        let (mut session, mut functions) = (Vec::new(), Vec::new());
        if self.root_with(Keyword::Session) {
            let first = self.advance();
            self.advance();
            session = self.list(Self::session_property)?;
            self.note_newer("inline session", self.span_from(first));
        }
        if self.root_with(Keyword::Function) {
            self.advance();
            functions = self.list(Self::inline_function)?;
        }
        Ok(RootQuery { session, functions, query: self.query()? })
    }

    fn root_with(&self, word: Keyword) -> bool {
        self.at_word(Keyword::With)
            && self.word_at(1, word)
            && !self.word_at(2, Keyword::As)
            && !self.symbol_at(2, Symbol::LeftParen)
    }

    fn session_property(&mut self) -> Res<SessionProperty> {
        let name = self.qualified_name()?;
        self.expect_symbol(Symbol::Equal, "'='")?;
        Ok(SessionProperty { name, value: self.expr()? })
    }

    fn explain(&mut self) -> Res<Explain> {
        let first = self.expect_word(Keyword::Explain)?;
        let analyze = self.take_word(Keyword::Analyze);
        let verbose = analyze && self.take_word(Keyword::Verbose);
        let mut options = Vec::new();
        let query = matches!(
            self.kind_at(1),
            TokenKind::Symbol(Symbol::LeftParen)
                | TokenKind::Word(Keyword::Select | Keyword::With | Keyword::Values | Keyword::Table)
        );
        if !analyze && self.at_symbol(Symbol::LeftParen) && !query {
            self.advance();
            options = self.list(Self::explain_option)?;
            self.close()?;
        }
        let statement = self.statement()?;
        Ok(Explain { analyze, verbose, options, statement, span: self.span_from(first) })
    }

    fn explain_option(&mut self) -> Res<ExplainOption> {
        let format = self.take_word(Keyword::Format);
        if !format {
            self.expect_word(Keyword::Type)?;
        }
        let option = match (self.kind(), format) {
            (TokenKind::Word(Keyword::Text), true) => ExplainOption::Text,
            (TokenKind::Word(Keyword::Graphviz), true) => ExplainOption::Graphviz,
            (TokenKind::Word(Keyword::Json), true) => ExplainOption::Json,
            (TokenKind::Word(Keyword::Logical), false) => ExplainOption::Logical,
            (TokenKind::Word(Keyword::Distributed), false) => ExplainOption::Distributed,
            (TokenKind::Word(Keyword::Validate), false) => ExplainOption::Validate,
            (TokenKind::Word(Keyword::Io), false) => ExplainOption::Io,
            (_, true) => return Err(self.unexpected("'GRAPHVIZ', 'JSON', 'TEXT'")),
            (_, false) => return Err(self.unexpected("'DISTRIBUTED', 'IO', 'LOGICAL', 'VALIDATE'")),
        };
        self.advance();
        Ok(option)
    }

    fn show(&mut self) -> Res<Show> {
        let first = self.expect_word(Keyword::Show)?;
        let what = self.show_kind()?;
        Ok(Show { what, span: self.span_from(first) })
    }

    fn show_kind(&mut self) -> Res<ShowKind> {
        let TokenKind::Word(word) = self.kind() else { return Err(self.unexpected("<what to show>")) };
        self.advance();
        match word {
            Keyword::Tables | Keyword::Views => {
                let schema = if self.take_from() { Some(self.qualified_name()?) } else { None };
                Ok(ShowKind::Tables { views: word == Keyword::Views, schema, like: self.show_like()? })
            }
            Keyword::Schemas | Keyword::Databases => {
                let catalog = if self.take_from() { Some(self.ident()?) } else { None };
                Ok(ShowKind::Schemas { catalog, like: self.show_like()? })
            }
            Keyword::Catalogs => Ok(ShowKind::Catalogs { like: self.show_like()? }),
            Keyword::Columns => {
                let table = self.show_from()?;
                Ok(ShowKind::Columns { table, like: self.show_like()? })
            }
            Keyword::Create => {
                let object = self.create_object()?;
                Ok(ShowKind::Create { object, name: self.qualified_name()? })
            }
            Keyword::Stats => {
                self.expect_word(Keyword::For)?;
                if !self.take_symbol(Symbol::LeftParen) {
                    return Ok(ShowKind::Stats(self.qualified_name()?));
                }
                let query = Box::new(self.root_query()?);
                self.close()?;
                Ok(ShowKind::StatsFor(query))
            }
            Keyword::Partitions => Ok(ShowKind::Partitions(self.qualified_name()?)),
            Keyword::Tblproperties => {
                let table = self.qualified_name()?;
                let mut property = None;
                if self.take_symbol(Symbol::LeftParen) {
                    property = Some(self.string()?);
                    self.close()?;
                }
                Ok(ShowKind::Properties { table, property })
            }
            Keyword::Functions => {
                let schema = if self.take_from() { Some(self.qualified_name()?) } else { None };
                Ok(ShowKind::Functions { schema, like: self.show_like()? })
            }
            Keyword::Session => Ok(ShowKind::Session { like: self.show_like()? }),
            Keyword::Current => {
                self.expect_word(Keyword::Roles)?;
                self.show_roles()
            }
            Keyword::Roles => self.show_roles(),
            Keyword::Role => {
                self.expect_word(Keyword::Grants)?;
                self.show_roles()
            }
            Keyword::Grants => self.show_grants(),
            Keyword::Branches => {
                if !self.take_from() {
                    return Err(self.unexpected("'FROM', 'IN'"));
                }
                self.expect_word(Keyword::Table)?;
                Ok(ShowKind::Branches(self.qualified_name()?))
            }
            _ => {
                self.at -= 1;
                Err(self.unexpected("<what to show>"))
            }
        }
    }

    fn take_from(&mut self) -> bool {
        self.take_word(Keyword::From) || self.take_word(Keyword::In)
    }

    fn show_from(&mut self) -> Res<super::QualifiedName> {
        if self.take_from() { self.qualified_name() } else { Err(self.unexpected("'FROM', 'IN'")) }
    }

    fn show_roles(&mut self) -> Res<ShowKind> {
        Ok(ShowKind::Roles { catalog: if self.take_from() { Some(self.ident()?) } else { None } })
    }

    /// SHOW GRANTS (ON (BRANCH b IN)? kind? name)?.
    fn show_grants(&mut self) -> Res<ShowKind> {
        if !self.take_word(Keyword::On) {
            return Ok(ShowKind::Grants { object: None });
        }
        if self.at_name() && self.name_at(1) && self.word_at(2, Keyword::In) {
            self.at += 3;
        }
        let kind = self.at_word(Keyword::Table) || (self.at_name() && self.name_at(1));
        self.at += u32::from(kind);
        Ok(ShowKind::Grants { object: Some(self.qualified_name()?) })
    }

    fn create_object(&mut self) -> Res<CreateObject> {
        let object = match self.kind() {
            TokenKind::Word(Keyword::Table) => CreateObject::Table,
            TokenKind::Word(Keyword::View) => CreateObject::View,
            TokenKind::Word(Keyword::Schema) => CreateObject::Schema,
            TokenKind::Word(Keyword::Function) => CreateObject::Function,
            TokenKind::Word(Keyword::Materialized) if self.word_at(1, Keyword::View) => {
                self.advance();
                CreateObject::MaterializedView
            }
            _ => return Err(self.unexpected("'FUNCTION', 'MATERIALIZED', 'SCHEMA', 'TABLE', 'VIEW'")),
        };
        self.advance();
        Ok(object)
    }

    fn show_like(&mut self) -> Res<Option<Pattern>> {
        if !self.take_word(Keyword::Like) {
            return Ok(None);
        }
        let pattern = self.string()?;
        let escape = if self.take_word(Keyword::Escape) { Some(self.string()?) } else { None };
        Ok(Some(Pattern { pattern, escape }))
    }
}

fn several(second: TokenIx) -> Statement {
    Statement::Other(Other { kind: StatementKind::Several, span: Span::at(second) })
}
