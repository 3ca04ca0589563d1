//! `TABLE(f(…))`.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{
    DescriptorField, QualifiedName, Relation, RelationKind, TableArgument, TableArgumentValue, TableFunction, TableInput,
};
use super::{Parser, Res};

impl Parser<'_> {
    pub(super) fn table_function(&mut self) -> Res<TableFunction> {
        let first = self.at;
        let name = self.qualified_name()?;
        self.open()?;
        let none = self.at_symbol(Symbol::RightParen) || self.at_copartition();
        let arguments = if none { Vec::new() } else { self.list(Self::table_argument)? };
        let copartition = if self.take_word(Keyword::Copartition) { self.list(Self::copartition_group)? } else { Vec::new() };
        self.close()?;
        Ok(TableFunction { name, arguments, copartition, span: self.span_from(first) })
    }

    fn at_copartition(&self) -> bool {
        self.at_word(Keyword::Copartition) && self.symbol_at(1, Symbol::LeftParen)
    }

    fn copartition_group(&mut self) -> Res<Vec<QualifiedName>> {
        self.open()?;
        let names = self.list(Self::qualified_name)?;
        if names.len() < 2 {
            return Err(self.unexpected("','"));
        }
        self.close()?;
        Ok(names)
    }

    fn table_argument(&mut self) -> Res<TableArgument> {
        let first = self.at;
        let name = if self.at_name() && self.symbol_at(1, Symbol::FatArrow) {
            let name = self.ident()?;
            self.advance();
            Some(name)
        } else {
            None
        };
        let value = self.table_argument_value()?;
        Ok(TableArgument { name, value, span: self.span_from(first) })
    }

    fn table_argument_value(&mut self) -> Res<TableArgumentValue> {
        match self.kind() {
            TokenKind::Word(Keyword::Table) => Ok(TableArgumentValue::Table(Box::new(self.table_input()?))),
            // The grammar has descriptors before calls.
            TokenKind::Word(Keyword::Descriptor) if self.symbol_at(1, Symbol::LeftParen) && self.name_at(2) => {
                self.at += 2;
                let fields = self.list(Self::descriptor_field)?;
                self.close()?;
                Ok(TableArgumentValue::Descriptor(Some(fields)))
            }
            TokenKind::Word(Keyword::Cast)
                if self.symbol_at(1, Symbol::LeftParen)
                    && self.word_at(2, Keyword::Null)
                    && self.word_at(3, Keyword::As)
                    && self.word_at(4, Keyword::Descriptor) =>
            {
                self.at += 5;
                self.close()?;
                Ok(TableArgumentValue::Descriptor(None))
            }
            _ => Ok(TableArgumentValue::Expr(self.expr()?)),
        }
    }

    fn descriptor_field(&mut self) -> Res<DescriptorField> {
        let name = self.ident()?;
        let untyped = matches!(self.kind(), TokenKind::Symbol(Symbol::Comma | Symbol::RightParen));
        let type_name = if untyped { None } else { Some(self.type_name()?) };
        Ok(DescriptorField { name, type_name })
    }

    /// `TABLE(t)` or `TABLE(query)` with its alias, partitioning and order.
    fn table_input(&mut self) -> Res<TableInput> {
        let first = self.expect_word(Keyword::Table)?;
        self.open()?;
        let kind = if self.at_name() {
            RelationKind::Table { name: self.qualified_name()?, version: None }
        } else {
            RelationKind::Subquery(Box::new(self.query()?))
        };
        self.close()?;
        let mut relation = Relation { kind, span: self.span_from(first) };
        if !self.at_input_clause() {
            relation = self.with_alias(first, relation)?;
        }
        let partition_by =
            if self.take_words(&[Keyword::Partition, Keyword::By]) { Some(self.parenthesized_or_one(Self::expr)?) } else { None };
        let prune_when_empty = if self.at_empty_treatment() {
            let prune = self.at_word(Keyword::Prune);
            self.at += 3;
            Some(prune)
        } else {
            None
        };
        let order_by = if self.take_word(Keyword::Order) {
            self.expect_word(Keyword::By)?;
            self.parenthesized_or_one(Self::sort_item)?
        } else {
            Vec::new()
        };
        Ok(TableInput { relation, partition_by, prune_when_empty, order_by })
    }

    /// Whether what may be an alias starts a clause of a table argument.
    fn at_input_clause(&self) -> bool {
        self.at_words(&[Keyword::Partition, Keyword::By]) || self.at_empty_treatment() || self.at_copartition()
    }

    fn at_empty_treatment(&self) -> bool {
        matches!(self.kind(), TokenKind::Word(Keyword::Prune | Keyword::Keep))
            && self.word_at(1, Keyword::When)
            && self.word_at(2, Keyword::Empty)
    }

    /// `(a, b)` or `a`. The grammar has the list first, but `(a) + 1` and `(a, b) IN …` are one expression.
    fn parenthesized_or_one<T>(&mut self, mut item: impl FnMut(&mut Self) -> Res<T>) -> Res<Vec<T>> {
        if self.at_symbol(Symbol::LeftParen) && self.list_closes() {
            self.advance();
            let items = if self.at_symbol(Symbol::RightParen) { Vec::new() } else { self.list(item)? };
            self.close()?;
            return Ok(items);
        }
        Ok(vec![item(self)?])
    }

    /// Whether, after the parentheses that open here, a clause or the next argument follows.
    fn list_closes(&self) -> bool {
        let mut open = 0u32;
        for ahead in 0.. {
            match self.kind_at(ahead) {
                TokenKind::Symbol(Symbol::LeftParen) => open += 1,
                TokenKind::Symbol(Symbol::RightParen) => {
                    open -= 1;
                    if open == 0 {
                        return matches!(
                            self.kind_at(ahead + 1),
                            TokenKind::Symbol(Symbol::Comma | Symbol::RightParen)
                                | TokenKind::Word(Keyword::Prune | Keyword::Keep | Keyword::Order | Keyword::Copartition)
                        );
                    }
                }
                TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }
}
