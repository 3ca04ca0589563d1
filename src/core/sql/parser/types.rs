//! Types.

use super::super::keyword::Keyword;
use super::super::token::{Span, Symbol, TokenKind};
use super::super::tree::{RowTypeField, TypeKind, TypeName, TypeParameter};
use super::number::interval_field;
use super::{Parser, Res};

/// How often ARRAY may follow a type. Nobody writes more than three; the limit keeps trees flat.
const MAX_ARRAY_SUFFIXES: u32 = 8;

impl Parser<'_> {
    /// `type` of the grammar.
    pub(super) fn type_name(&mut self) -> Res<TypeName> {
        self.nest(Self::type_with_suffixes)
    }

    fn type_with_suffixes(&mut self) -> Res<TypeName> {
        let first = self.at;
        let kind = self.base_type()?;
        let mut type_name = TypeName { kind, span: self.span_from(first) };
        for suffix in 0.. {
            if !self.at_word(Keyword::Array) {
                break;
            }
            if suffix == MAX_ARRAY_SUFFIXES {
                return Err(self.error_at(self.at, super::Reason::TooDeep));
            }
            self.advance();
            if self.at_symbol(Symbol::LeftBracket) && self.kind_at(1) == TokenKind::Integer {
                self.at += 2;
                self.expect_symbol(Symbol::RightBracket, "']'")?;
            }
            type_name = TypeName { kind: TypeKind::Array(Box::new(type_name)), span: self.span_from(first) };
        }
        Ok(type_name)
    }

    fn base_type(&mut self) -> Res<TypeKind> {
        match self.kind() {
            TokenKind::Word(Keyword::Row) if self.symbol_at(1, Symbol::LeftParen) => {
                self.at += 2;
                let fields = self.list(Self::row_type_field)?;
                self.close()?;
                Ok(TypeKind::Row(fields))
            }
            TokenKind::Word(Keyword::Interval) if interval_field(self.kind_at(1)).is_some() => {
                self.advance();
                Ok(TypeKind::Interval(self.interval_fields()?))
            }
            TokenKind::Word(Keyword::Timestamp) => self.date_time_type(true),
            TokenKind::Word(Keyword::Time) => self.date_time_type(false),
            TokenKind::Word(Keyword::Double) if self.word_at(1, Keyword::Precision) => {
                self.at += 2;
                Ok(TypeKind::DoublePrecision)
            }
            TokenKind::Word(Keyword::Array) if self.symbol_at(1, Symbol::Less) => {
                self.at += 2;
                let element = self.type_name()?;
                self.expect_symbol(Symbol::Greater, "'>'")?;
                Ok(TypeKind::Array(Box::new(element)))
            }
            TokenKind::Word(Keyword::Map) if self.symbol_at(1, Symbol::Less) => {
                self.at += 2;
                let key = self.type_name()?;
                self.expect_symbol(Symbol::Comma, "','")?;
                let value = self.type_name()?;
                self.expect_symbol(Symbol::Greater, "'>'")?;
                Ok(TypeKind::Map(Box::new(key), Box::new(value)))
            }
            _ => self.generic_type(),
        }
    }

    fn generic_type(&mut self) -> Res<TypeKind> {
        if !self.at_name() {
            return Err(self.unexpected("<type>"));
        }
        let name = self.ident()?;
        let mut parameters = Vec::new();
        if self.take_symbol(Symbol::LeftParen) {
            parameters = self.list(Self::type_parameter)?;
            self.close()?;
        }
        Ok(TypeKind::Generic { name, parameters })
    }

    /// TIME or TIMESTAMP. With a second parameter it is a generic type, which the server knows none of.
    fn date_time_type(&mut self, timestamp: bool) -> Res<TypeKind> {
        let name = self.ident()?;
        let mut precision = None;
        if self.take_symbol(Symbol::LeftParen) {
            let first = self.type_parameter()?;
            if self.at_symbol(Symbol::Comma) {
                let mut parameters = vec![first];
                while self.take_symbol(Symbol::Comma) {
                    parameters.push(self.type_parameter()?);
                }
                self.close()?;
                return Ok(TypeKind::Generic { name, parameters });
            }
            self.close()?;
            precision = Some(Box::new(first));
        }
        let zoned = self.take_words(&[Keyword::With, Keyword::Time, Keyword::Zone]);
        if !zoned {
            self.take_words(&[Keyword::Without, Keyword::Time, Keyword::Zone]);
        }
        Ok(TypeKind::DateTime { timestamp, precision, zoned })
    }

    fn type_parameter(&mut self) -> Res<TypeParameter> {
        if self.kind() == TokenKind::Integer {
            let token = self.at;
            return Ok(TypeParameter::Number(self.unsigned()?, Span::at(token)));
        }
        Ok(TypeParameter::Type(self.type_name()?))
    }

    /// `type`, or `identifier type`. The grammar has the first before the second: `ROW(double precision)` has no names.
    fn row_type_field(&mut self) -> Res<RowTypeField> {
        let unnamed = self.attempt(|parser| {
            let type_name = parser.type_name()?;
            match parser.kind() {
                TokenKind::Symbol(Symbol::Comma | Symbol::RightParen) => Ok(type_name),
                _ => Err(parser.unexpected("')', ','")),
            }
        });
        if let Some(type_name) = unnamed {
            return Ok(RowTypeField { name: None, type_name });
        }
        let name = self.ident()?;
        Ok(RowTypeField { name: Some(name), type_name: self.type_name()? })
    }
}
