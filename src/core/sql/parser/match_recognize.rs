//! MATCH_RECOGNIZE and row patterns.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{
    MatchRecognize, PatternQuantifier, PatternSearch, Relation, RelationKind, RowPattern, RowsPerMatch, SkipTo,
};
use super::relation::RelationSeed;
use super::{Parser, Res};

impl Parser<'_> {
    /// MATCH_RECOGNIZE may be an alias, with column aliases even: `t MATCH_RECOGNIZE (a, b)`.
    pub(super) fn at_match_recognize(&self) -> bool {
        self.at_word(Keyword::MatchRecognize)
            && self.symbol_at(1, Symbol::LeftParen)
            && !(self.name_at(2) && matches!(self.kind_at(3), TokenKind::Symbol(Symbol::Comma | Symbol::RightParen)))
    }

    /// `patternRecognition` of the grammar.
    pub(super) fn pattern_recognition(&mut self, seed: Option<RelationSeed>) -> Res<Relation> {
        let first = Self::first_of(seed.as_ref(), self.at);
        let relation = self.aliased(seed)?;
        if !self.at_match_recognize() {
            return Ok(relation);
        }
        self.at += 2;
        let mut recognize = self.nest(|parser| parser.match_body(relation))?;
        self.close()?;
        (recognize.alias, recognize.columns) = self.relation_alias()?;
        Ok(Relation { kind: RelationKind::Match(Box::new(recognize)), span: self.span_from(first) })
    }

    fn match_body(&mut self, relation: Relation) -> Res<MatchRecognize> {
        let partition_by = self.partition_by()?;
        let order_by = self.order_by()?;
        let measures = self.measures()?;
        let rows = self.rows_per_match()?;
        let skip = self.skip_to()?;
        let search = self.pattern_search();
        let pattern = self.pattern_clause()?;
        let subsets = self.subsets()?;
        self.expect_word(Keyword::Define)?;
        let definitions = self.list(Self::variable_definition)?;
        Ok(MatchRecognize {
            relation,
            partition_by,
            order_by,
            measures,
            rows,
            skip,
            search,
            pattern,
            subsets,
            definitions,
            alias: None,
            columns: None,
        })
    }

    fn rows_per_match(&mut self) -> Res<Option<RowsPerMatch>> {
        if self.take_word(Keyword::One) {
            self.expect_words(&[Keyword::Row, Keyword::Per, Keyword::Match])?;
            return Ok(Some(RowsPerMatch::One));
        }
        if !self.take_word(Keyword::All) {
            return Ok(None);
        }
        self.expect_words(&[Keyword::Rows, Keyword::Per, Keyword::Match])?;
        Ok(Some(if self.take_words(&[Keyword::Show, Keyword::Empty, Keyword::Matches]) {
            RowsPerMatch::AllShowEmpty
        } else if self.take_words(&[Keyword::Omit, Keyword::Empty, Keyword::Matches]) {
            RowsPerMatch::AllOmitEmpty
        } else if self.take_words(&[Keyword::With, Keyword::Unmatched, Keyword::Rows]) {
            RowsPerMatch::AllWithUnmatched
        } else {
            RowsPerMatch::All
        }))
    }

    /// AFTER MATCH SKIP ….
    pub(super) fn skip_to(&mut self) -> Res<Option<SkipTo>> {
        if !self.take_words(&[Keyword::After, Keyword::Match]) {
            return Ok(None);
        }
        let first = self.expect_word(Keyword::Skip)?;
        if self.take_words(&[Keyword::Past, Keyword::Last, Keyword::Row]) {
            return Ok(Some(SkipTo::PastLastRow(self.span_from(first))));
        }
        self.expect_word(Keyword::To)?;
        if self.take_words(&[Keyword::Next, Keyword::Row]) {
            return Ok(Some(SkipTo::NextRow(self.span_from(first))));
        }
        // FIRST and LAST may be variables themselves.
        if self.name_at(1) && self.take_word(Keyword::First) {
            return Ok(Some(SkipTo::First(self.ident()?)));
        }
        let last_of = self.at_word(Keyword::Last) && self.name_at(1) && !self.at_words(&[Keyword::Last, Keyword::Pattern]);
        self.at += u32::from(last_of);
        Ok(Some(SkipTo::Last(self.ident()?)))
    }

    pub(super) fn pattern_search(&mut self) -> Option<PatternSearch> {
        if self.take_word(Keyword::Initial) {
            return Some(PatternSearch::Initial);
        }
        self.take_word(Keyword::Seek).then_some(PatternSearch::Seek)
    }

    /// PATTERN (…).
    pub(super) fn pattern_clause(&mut self) -> Res<RowPattern> {
        self.expect_word(Keyword::Pattern)?;
        self.open()?;
        let pattern = self.row_pattern()?;
        self.close()?;
        Ok(pattern)
    }

    /// `rowPattern` of the grammar: choices of sequences of repetitions.
    fn row_pattern(&mut self) -> Res<RowPattern> {
        self.nest(|parser| {
            let mut choices = vec![parser.pattern_sequence()?];
            while parser.take_symbol(Symbol::Bar) {
                choices.push(parser.pattern_sequence()?);
            }
            Ok(one_or(choices, RowPattern::Choice))
        })
    }

    fn pattern_sequence(&mut self) -> Res<RowPattern> {
        let mut sequence = vec![self.repeated_pattern()?];
        while self.pattern_starts() {
            sequence.push(self.repeated_pattern()?);
        }
        Ok(one_or(sequence, RowPattern::Sequence))
    }

    fn pattern_starts(&self) -> bool {
        self.at_name()
            || matches!(
                self.kind(),
                TokenKind::Symbol(Symbol::LeftParen | Symbol::Caret | Symbol::Dollar | Symbol::LeftBraceMinus)
            )
    }

    fn repeated_pattern(&mut self) -> Res<RowPattern> {
        let first = self.at;
        let pattern = self.pattern_primary()?;
        let Some(quantifier) = self.pattern_quantifier()? else { return Ok(pattern) };
        Ok(RowPattern::Repeated { pattern: Box::new(pattern), quantifier, span: self.span_from(first) })
    }

    fn pattern_primary(&mut self) -> Res<RowPattern> {
        let first = self.at;
        match self.kind() {
            TokenKind::Symbol(Symbol::LeftParen) => {
                self.advance();
                if self.take_symbol(Symbol::RightParen) {
                    return Ok(RowPattern::Empty(self.span_from(first)));
                }
                let pattern = self.row_pattern()?;
                self.close()?;
                Ok(pattern)
            }
            TokenKind::Symbol(Symbol::Caret | Symbol::Dollar) => {
                let start = self.at_symbol(Symbol::Caret);
                self.advance();
                Ok(RowPattern::Anchor(start, self.span_from(first)))
            }
            TokenKind::Symbol(Symbol::LeftBraceMinus) => {
                self.advance();
                let pattern = self.row_pattern()?;
                self.expect_symbol(Symbol::MinusRightBrace, "'-}'")?;
                Ok(RowPattern::Excluded(Box::new(pattern), self.span_from(first)))
            }
            TokenKind::Word(Keyword::Permute) if self.symbol_at(1, Symbol::LeftParen) => {
                self.at += 2;
                let patterns = self.list(Self::row_pattern)?;
                self.close()?;
                Ok(RowPattern::Permute(patterns, self.span_from(first)))
            }
            _ => Ok(RowPattern::Variable(self.ident()?)),
        }
    }

    fn pattern_quantifier(&mut self) -> Res<Option<PatternQuantifier>> {
        let (at_least, at_most) = match self.kind() {
            TokenKind::Symbol(Symbol::Asterisk) => ("0".into(), None),
            TokenKind::Symbol(Symbol::Plus) => ("1".into(), None),
            TokenKind::Symbol(Symbol::Question) => ("0".into(), Some("1".into())),
            TokenKind::Symbol(Symbol::LeftBrace) => {
                self.advance();
                let exact = if self.at_symbol(Symbol::Comma) { None } else { Some(self.unsigned()?) };
                let range = if self.take_symbol(Symbol::Comma) {
                    let at_most = if self.at_symbol(Symbol::RightBrace) { None } else { Some(self.unsigned()?) };
                    (exact.unwrap_or_else(|| "0".into()), at_most)
                } else {
                    (exact.clone().unwrap_or_else(|| "0".into()), exact)
                };
                if !self.at_symbol(Symbol::RightBrace) {
                    return Err(self.unexpected("'}'"));
                }
                range
            }
            _ => return Ok(None),
        };
        self.advance();
        let reluctant = self.take_symbol(Symbol::Question);
        Ok(Some(PatternQuantifier { at_least, at_most, reluctant }))
    }
}

/// One pattern as it is, several as `many`.
fn one_or(mut patterns: Vec<RowPattern>, many: fn(Vec<RowPattern>) -> RowPattern) -> RowPattern {
    match patterns.pop() {
        Some(only) if patterns.is_empty() => only,
        Some(last) => {
            patterns.push(last);
            many(patterns)
        }
        None => many(patterns),
    }
}
