//! Numbers and intervals.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{IntervalField, IntervalFields, IntervalLiteral, Literal, integer_value};
use super::{Parser, Res};

impl Parser<'_> {
    /// `MINUS? number`.
    pub(super) fn number(&mut self) -> Res<Literal> {
        let first = self.at;
        let negative = self.take_symbol(Symbol::Minus);
        let kind = self.kind();
        if !matches!(kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Double) {
            return Err(self.unexpected("<number>"));
        }
        let mut text = String::with_capacity(8);
        if negative {
            text.push('-');
        }
        text.extend(self.tokens.written(self.advance()).chars().filter(|c| *c != '_'));
        match kind {
            TokenKind::Integer if integer_value(&text).is_none() => self.refused(first, "Invalid numeric literal"),
            TokenKind::Integer => Ok(Literal::Integer(text.into())),
            TokenKind::Decimal => Ok(Literal::Decimal(text.into())),
            _ => Ok(Literal::Double(text.into())),
        }
    }

    /// An integer without a sign, as the precision of a type or the number of LIMIT.
    pub(super) fn unsigned(&mut self) -> Res<Box<str>> {
        if self.kind() != TokenKind::Integer {
            return Err(self.unexpected("<integer>"));
        }
        let token = self.advance();
        Ok(self.tokens.written(token).chars().filter(|c| *c != '_').collect::<String>().into())
    }

    /// `INTERVAL sign? string field (TO field)?`; nothing taken if INTERVAL is a name here.
    pub(super) fn interval(&mut self) -> Res<Option<IntervalLiteral>> {
        let signed = matches!(self.kind_at(1), TokenKind::Symbol(Symbol::Minus | Symbol::Plus));
        let string = 1 + u32::from(signed);
        let field = match self.kind_at(string) {
            TokenKind::String => string + 1,
            // UESCAPE and its string may follow.
            TokenKind::UnicodeString if self.word_at(string + 1, Keyword::Uescape) => string + 3,
            TokenKind::UnicodeString => string + 1,
            _ => return Ok(None),
        };
        if interval_field(self.kind_at(field)).is_none() {
            return Ok(None);
        }
        let negative = self.symbol_at(1, Symbol::Minus);
        self.at += string;
        let text = self.string()?.text;
        Ok(Some(IntervalLiteral { negative, text, fields: self.interval_fields()? }))
    }

    /// `DAY`, `DAY TO SECOND`, `DAY(3) TO SECOND(2)`, `SECOND(3, 2)`.
    pub(super) fn interval_fields(&mut self) -> Res<IntervalFields> {
        let first = self.at;
        let from = self.interval_field()?;
        let (precision, mut fraction) = self.interval_precision(from == IntervalField::Second)?;
        let mut to = None;
        if self.at_word(Keyword::To) && interval_field(self.kind_at(1)).is_some() {
            self.advance();
            let field = self.interval_field()?;
            to = Some(field);
            if field == IntervalField::Second {
                (fraction, _) = self.interval_precision(false)?;
            }
        }
        if precision > 0 || fraction > 0 {
            self.note_newer("interval precision", self.span_from(first));
        }
        Ok(IntervalFields { from, to, precision, fraction })
    }

    /// `(n)`, or `(n, m)` where two are allowed.
    fn interval_precision(&mut self, two: bool) -> Res<(u32, u32)> {
        if !self.at_symbol(Symbol::LeftParen) || self.kind_at(1) != TokenKind::Integer {
            return Ok((0, 0));
        }
        self.advance();
        let precision = self.small_number()?;
        let fraction = if two && self.take_symbol(Symbol::Comma) { self.small_number()? } else { 0 };
        self.close()?;
        Ok((precision, fraction))
    }

    fn small_number(&mut self) -> Res<u32> {
        let token = self.at;
        match self.unsigned()?.parse() {
            Ok(number) => Ok(number),
            Err(_) => self.refused(token, "Invalid interval precision"),
        }
    }

    fn interval_field(&mut self) -> Res<IntervalField> {
        let Some(field) = interval_field(self.kind()) else {
            return Err(self.unexpected("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'"));
        };
        self.advance();
        Ok(field)
    }
}

pub(super) fn interval_field(kind: TokenKind) -> Option<IntervalField> {
    Some(match kind {
        TokenKind::Word(Keyword::Year) => IntervalField::Year,
        TokenKind::Word(Keyword::Month) => IntervalField::Month,
        TokenKind::Word(Keyword::Day) => IntervalField::Day,
        TokenKind::Word(Keyword::Hour) => IntervalField::Hour,
        TokenKind::Word(Keyword::Minute) => IntervalField::Minute,
        TokenKind::Word(Keyword::Second) => IntervalField::Second,
        _ => return None,
    })
}
