//! Windows and their frames.

use super::super::keyword::Keyword;
use super::super::token::Span;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{
    FrameBound, FrameBoundKind, FrameUnit, Measure, Subset, VariableDefinition, WindowFrame, WindowSpecification,
};
use super::{Parser, Res};

impl Parser<'_> {
    /// What stands in the parentheses of a window.
    pub(super) fn window_specification(&mut self) -> Res<WindowSpecification> {
        let first = self.at;
        let base = if self.at_name() && !self.at_window_clause() { Some(self.ident()?) } else { None };
        let partition_by = self.partition_by()?;
        let order_by = self.order_by()?;
        let frame = match self.kind() {
            TokenKind::Word(Keyword::Measures | Keyword::Rows | Keyword::Range | Keyword::Groups) => {
                Some(Box::new(self.window_frame()?))
            }
            _ => None,
        };
        let span = if self.at == first { Span::at(first) } else { self.span_from(first) };
        Ok(WindowSpecification { base, partition_by, order_by, frame, span })
    }

    /// Whether a word that may be the name of a window starts a clause: only before what a clause goes on with.
    fn at_window_clause(&self) -> bool {
        match self.kind() {
            TokenKind::Word(Keyword::Partition) => self.word_at(1, Keyword::By),
            TokenKind::Word(Keyword::Rows | Keyword::Range | Keyword::Groups) => {
                self.word_at(1, Keyword::Between) || (self.expression_may_start(1) && !self.frame_at(1) && !self.clause_at(1))
            }
            TokenKind::Word(Keyword::Measures) => !self.symbol_at(1, Symbol::RightParen) && !self.clause_at(1),
            _ => false,
        }
    }

    /// Whether a frame starts some tokens ahead: then the word before it was a name.
    fn frame_at(&self, ahead: u32) -> bool {
        matches!(self.kind_at(ahead), TokenKind::Word(Keyword::Rows | Keyword::Range | Keyword::Groups))
            && !matches!(self.kind_at(ahead + 1), TokenKind::Word(Keyword::Preceding | Keyword::Following))
    }

    fn clause_at(&self, ahead: u32) -> bool {
        self.word_at(ahead, Keyword::Order) || (self.word_at(ahead, Keyword::Partition) && self.word_at(ahead + 1, Keyword::By))
    }

    pub(super) fn partition_by(&mut self) -> Res<Vec<super::Expr>> {
        if !self.take_words(&[Keyword::Partition, Keyword::By]) {
            return Ok(Vec::new());
        }
        self.list(Self::expr)
    }

    fn window_frame(&mut self) -> Res<WindowFrame> {
        let first = self.at;
        let measures = self.measures()?;
        let unit = match self.kind() {
            TokenKind::Word(Keyword::Rows) => FrameUnit::Rows,
            TokenKind::Word(Keyword::Range) => FrameUnit::Range,
            TokenKind::Word(Keyword::Groups) => FrameUnit::Groups,
            _ => return Err(self.unexpected("'GROUPS', 'RANGE', 'ROWS'")),
        };
        self.advance();
        let (start, end) = if self.take_word(Keyword::Between) {
            let start = self.frame_bound()?;
            self.expect_word(Keyword::And)?;
            (start, Some(self.frame_bound()?))
        } else {
            (self.frame_bound()?, None)
        };
        let skip = self.skip_to()?;
        let search = self.pattern_search();
        let pattern = if self.at_word(Keyword::Pattern) { Some(self.pattern_clause()?) } else { None };
        let subsets = self.subsets()?;
        let definitions = if self.take_word(Keyword::Define) { self.list(Self::variable_definition)? } else { Vec::new() };
        let span = self.span_from(first);
        Ok(WindowFrame { measures, unit, start, end, skip, search, pattern, subsets, definitions, span })
    }

    fn frame_bound(&mut self) -> Res<FrameBound> {
        let first = self.at;
        let kind = if self.take_words(&[Keyword::Unbounded, Keyword::Preceding]) {
            FrameBoundKind::UnboundedPreceding
        } else if self.take_words(&[Keyword::Unbounded, Keyword::Following]) {
            FrameBoundKind::UnboundedFollowing
        } else if self.take_words(&[Keyword::Current, Keyword::Row]) {
            FrameBoundKind::CurrentRow
        } else {
            let expr = self.expr()?;
            if self.take_word(Keyword::Preceding) {
                FrameBoundKind::Preceding(expr)
            } else if self.take_word(Keyword::Following) {
                FrameBoundKind::Following(expr)
            } else {
                return Err(self.unexpected("'FOLLOWING', 'PRECEDING'"));
            }
        };
        Ok(FrameBound { kind, span: self.span_from(first) })
    }

    pub(super) fn measures(&mut self) -> Res<Vec<Measure>> {
        if self.take_word(Keyword::Measures) { self.list(Self::measure) } else { Ok(Vec::new()) }
    }

    fn measure(&mut self) -> Res<Measure> {
        let first = self.at;
        let expr = self.expr()?;
        self.expect_word(Keyword::As)?;
        let name = self.ident()?;
        Ok(Measure { expr, name, span: self.span_from(first) })
    }

    pub(super) fn subsets(&mut self) -> Res<Vec<Subset>> {
        if !self.take_word(Keyword::Subset) {
            return Ok(Vec::new());
        }
        self.list(|parser| {
            let name = parser.ident()?;
            parser.expect_symbol(Symbol::Equal, "'='")?;
            Ok(Subset { name, variables: parser.column_names()? })
        })
    }

    pub(super) fn variable_definition(&mut self) -> Res<VariableDefinition> {
        let first = self.at;
        let name = self.ident()?;
        self.expect_word(Keyword::As)?;
        let condition = self.expr()?;
        Ok(VariableDefinition { name, condition, span: self.span_from(first) })
    }
}
