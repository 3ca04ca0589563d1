//! WITH FUNCTION: inline functions.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{ControlStatement, Expr, Ident, InlineFunction, RoutineBody, Text, TypeName};
use super::{Parser, Res};

/// Conditions with what they lead to.
type Branches = Vec<(Expr, Vec<ControlStatement>)>;

impl Parser<'_> {
    /// `functionSpecification` of the grammar.
    pub(super) fn inline_function(&mut self) -> Res<InlineFunction> {
        let first = self.expect_word(Keyword::Function)?;
        let name = self.qualified_name()?;
        self.open()?;
        let parameters = if self.at_symbol(Symbol::RightParen) { Vec::new() } else { self.list(Self::routine_parameter)? };
        self.close()?;
        self.expect_word(Keyword::Returns)?;
        let returns = self.type_name()?;
        let (mut language, mut properties) = (None, Vec::new());
        while self.characteristic(&mut language, &mut properties)? {}
        let body = if self.take_word(Keyword::As) {
            let token = self.at;
            if self.kind() != TokenKind::Foreign {
                return Err(self.unexpected("<dollar string>"));
            }
            self.advance();
            RoutineBody::Foreign(Text { text: Box::from(self.tokens.written(token)), span: self.span_from(token) })
        } else {
            RoutineBody::Statement(self.control_statement()?)
        };
        let span = self.span_from(first);
        self.note_newer("inline function", span);
        Ok(InlineFunction { name, parameters, returns, language, properties, body, span })
    }

    /// `identifier? type`.
    fn routine_parameter(&mut self) -> Res<(Option<Ident>, TypeName)> {
        let unnamed = self.attempt(|parser| {
            let type_name = parser.type_name()?;
            match parser.kind() {
                TokenKind::Symbol(Symbol::Comma | Symbol::RightParen) => Ok(type_name),
                _ => Err(parser.unexpected("')', ','")),
            }
        });
        match unnamed {
            Some(type_name) => Ok((None, type_name)),
            None => Ok((Some(self.ident()?), self.type_name()?)),
        }
    }

    fn characteristic(&mut self, language: &mut Option<Ident>, properties: &mut Vec<(Ident, Option<Expr>)>) -> Res<bool> {
        match self.kind() {
            TokenKind::Word(Keyword::Language) => {
                self.advance();
                *language = Some(self.ident()?);
            }
            TokenKind::Word(Keyword::Not) => self.expect_words(&[Keyword::Not, Keyword::Deterministic])?,
            TokenKind::Word(Keyword::Deterministic) => {
                self.advance();
            }
            TokenKind::Word(Keyword::Returns) => {
                self.expect_words(&[Keyword::Returns, Keyword::Null, Keyword::On, Keyword::Null, Keyword::Input])?;
            }
            TokenKind::Word(Keyword::Called) => {
                self.expect_words(&[Keyword::Called, Keyword::On, Keyword::Null, Keyword::Input])?;
            }
            TokenKind::Word(Keyword::Security) => {
                self.advance();
                if !self.take_word(Keyword::Definer) {
                    self.expect_word(Keyword::Invoker)?;
                }
            }
            TokenKind::Word(Keyword::Comment) => {
                self.advance();
                self.string()?;
            }
            TokenKind::Word(Keyword::With) => {
                self.advance();
                self.open()?;
                properties.extend(self.list(Self::property)?);
                self.close()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn property(&mut self) -> Res<(Ident, Option<Expr>)> {
        let name = self.ident()?;
        self.expect_symbol(Symbol::Equal, "'='")?;
        let default =
            self.at_word(Keyword::Default) && matches!(self.kind_at(1), TokenKind::Symbol(Symbol::Comma | Symbol::RightParen));
        if default {
            self.advance();
            return Ok((name, None));
        }
        Ok((name, Some(self.expr()?)))
    }

    fn control_statement(&mut self) -> Res<ControlStatement> {
        self.nest(Self::control)
    }

    fn control(&mut self) -> Res<ControlStatement> {
        let label = if self.at_name() && self.symbol_at(1, Symbol::Colon) {
            let label = self.ident()?;
            self.advance();
            Some(label)
        } else {
            None
        };
        match self.kind() {
            TokenKind::Word(Keyword::Loop) => {
                self.advance();
                let statements = self.statements()?;
                self.expect_words(&[Keyword::End, Keyword::Loop])?;
                Ok(ControlStatement::Loop { label, condition: None, until: false, statements })
            }
            TokenKind::Word(Keyword::While) => {
                self.advance();
                let condition = Some(self.expr()?);
                self.expect_word(Keyword::Do)?;
                let statements = self.statements()?;
                self.expect_words(&[Keyword::End, Keyword::While])?;
                Ok(ControlStatement::Loop { label, condition, until: false, statements })
            }
            TokenKind::Word(Keyword::Repeat) => {
                self.advance();
                let statements = self.statements()?;
                self.expect_word(Keyword::Until)?;
                let condition = Some(self.expr()?);
                self.expect_words(&[Keyword::End, Keyword::Repeat])?;
                Ok(ControlStatement::Loop { label, condition, until: true, statements })
            }
            _ if label.is_some() => Err(self.unexpected("'LOOP', 'REPEAT', 'WHILE'")),
            _ => self.unlabelled(),
        }
    }

    fn unlabelled(&mut self) -> Res<ControlStatement> {
        let TokenKind::Word(word) = self.kind() else { return Err(self.unexpected("<control statement>")) };
        match word {
            Keyword::Return => {
                self.advance();
                Ok(ControlStatement::Return(self.value()?))
            }
            Keyword::Set => {
                self.advance();
                let name = self.ident()?;
                self.expect_symbol(Symbol::Equal, "'='")?;
                Ok(ControlStatement::Set(name, self.expr()?))
            }
            Keyword::Case => {
                self.advance();
                let operand = if self.at_word(Keyword::When) { None } else { Some(self.expr()?) };
                let branches = self.branches(Keyword::When)?;
                let otherwise = self.otherwise()?;
                self.expect_words(&[Keyword::End, Keyword::Case])?;
                Ok(ControlStatement::Case { operand, branches, otherwise })
            }
            Keyword::If => {
                let branches = self.if_branches()?;
                let otherwise = self.otherwise()?;
                self.expect_words(&[Keyword::End, Keyword::If])?;
                Ok(ControlStatement::If { branches, otherwise })
            }
            Keyword::Iterate => {
                self.advance();
                Ok(ControlStatement::Iterate(self.ident()?))
            }
            Keyword::Leave => {
                self.advance();
                Ok(ControlStatement::Leave(self.ident()?))
            }
            Keyword::Begin => self.block(),
            _ => Err(self.unexpected("<control statement>")),
        }
    }

    fn block(&mut self) -> Res<ControlStatement> {
        self.advance();
        let mut variables = Vec::new();
        while self.take_word(Keyword::Declare) {
            let names = self.list(Self::ident)?;
            let type_name = self.type_name()?;
            let default = if self.take_word(Keyword::Default) { Some(self.value()?) } else { None };
            self.expect_symbol(Symbol::Semicolon, "';'")?;
            variables.push((names, type_name, default));
        }
        let statements = if self.at_word(Keyword::End) { Vec::new() } else { self.statements()? };
        self.expect_word(Keyword::End)?;
        Ok(ControlStatement::Block { variables, statements })
    }

    fn branch(&mut self) -> Res<(Expr, Vec<ControlStatement>)> {
        let condition = self.expr()?;
        self.expect_word(Keyword::Then)?;
        Ok((condition, self.statements()?))
    }

    fn branches(&mut self, word: Keyword) -> Res<Branches> {
        let mut branches = Vec::new();
        while self.take_word(word) {
            branches.push(self.branch()?);
        }
        if branches.is_empty() {
            return Err(self.unexpected(word.text()));
        }
        Ok(branches)
    }

    fn if_branches(&mut self) -> Res<Branches> {
        self.advance();
        let mut branches = vec![self.branch()?];
        while self.take_word(Keyword::Elseif) {
            branches.push(self.branch()?);
        }
        Ok(branches)
    }

    fn otherwise(&mut self) -> Res<Vec<ControlStatement>> {
        if self.take_word(Keyword::Else) { self.statements() } else { Ok(Vec::new()) }
    }

    /// `(controlStatement SEMICOLON)+`.
    fn statements(&mut self) -> Res<Vec<ControlStatement>> {
        let mut statements = Vec::new();
        loop {
            statements.push(self.control_statement()?);
            self.expect_symbol(Symbol::Semicolon, "';'")?;
            let ends = matches!(
                self.kind(),
                TokenKind::Word(Keyword::End | Keyword::Else | Keyword::Elseif | Keyword::When | Keyword::Until)
            );
            if ends {
                return Ok(statements);
            }
        }
    }
}
