//! SQL/JSON: functions and JSON_TABLE.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenKind};
use super::super::tree::{
    ExprKind, JsonArgument, JsonCall, JsonExistsOnError, JsonFormat, JsonMember, JsonPath, JsonPlan, JsonQueryBehavior,
    JsonQueryOptions, JsonReturning, JsonTable, JsonTableColumn, JsonValueBehavior, JsonValueExpr, JsonWrapper, Text,
};
use super::{Parser, Res};

impl Parser<'_> {
    /// A call of one of the five functions.
    pub(super) fn json_call(&mut self, word: Keyword) -> Res<ExprKind> {
        self.advance();
        self.open()?;
        let call = match word {
            Keyword::JsonExists => self.json_exists()?,
            Keyword::JsonValue => self.json_value()?,
            Keyword::JsonQuery => {
                let path = self.json_path()?;
                let returning = self.json_returning()?;
                JsonCall::Query { path, returning, options: self.json_query_options()? }
            }
            Keyword::JsonObject => self.json_object()?,
            _ => self.json_array()?,
        };
        self.close()?;
        Ok(ExprKind::Json(Box::new(call)))
    }

    fn json_exists(&mut self) -> Res<JsonCall> {
        let path = self.json_path()?;
        let on_error = match self.kind() {
            TokenKind::Word(Keyword::True) => Some(JsonExistsOnError::True),
            TokenKind::Word(Keyword::False) => Some(JsonExistsOnError::False),
            TokenKind::Word(Keyword::Unknown) => Some(JsonExistsOnError::Unknown),
            TokenKind::Word(Keyword::Error) => Some(JsonExistsOnError::Error),
            _ => None,
        };
        if on_error.is_some() {
            self.advance();
            self.expect_words(&[Keyword::On, Keyword::Error])?;
        }
        Ok(JsonCall::Exists { path, on_error })
    }

    fn json_value(&mut self) -> Res<JsonCall> {
        let path = self.json_path()?;
        let returning = if self.take_word(Keyword::Returning) { Some(self.type_name()?) } else { None };
        let (on_empty, on_error) = self.json_value_behaviors()?;
        Ok(JsonCall::Value { path, returning, on_empty, on_error })
    }

    fn json_object(&mut self) -> Res<JsonCall> {
        let mut members = Vec::new();
        let mut absent_on_null = None;
        let mut unique_keys = None;
        if !self.at_symbol(Symbol::RightParen) && !self.at_returning() {
            members = self.list(Self::json_member)?;
            absent_on_null = self.json_null_treatment();
            if matches!(self.kind(), TokenKind::Word(Keyword::With | Keyword::Without)) {
                unique_keys = Some(self.at_word(Keyword::With));
                self.advance();
                self.expect_word(Keyword::Unique)?;
                self.take_word(Keyword::Keys);
            }
        }
        Ok(JsonCall::Object { members, absent_on_null, unique_keys, returning: self.json_returning()? })
    }

    fn json_array(&mut self) -> Res<JsonCall> {
        let mut elements = Vec::new();
        let mut absent_on_null = None;
        if !self.at_symbol(Symbol::RightParen) && !self.at_returning() {
            elements = self.list(Self::json_value_expr)?;
            absent_on_null = self.json_null_treatment();
        }
        Ok(JsonCall::Array { elements, absent_on_null, returning: self.json_returning()? })
    }

    /// RETURNING may be a name; it is a clause before a type.
    fn at_returning(&self) -> bool {
        self.at_word(Keyword::Returning) && self.name_at(1) && !self.word_at(1, Keyword::Value)
    }

    /// `KEY? key VALUE value` or `key : value`. KEY is a name only where no key can follow it.
    fn json_member(&mut self) -> Res<JsonMember> {
        let keyword = self.at_word(Keyword::Key)
            && self.expression_may_start(1)
            && !self.symbol_at(1, Symbol::Colon)
            && (!self.word_at(1, Keyword::Value) || self.word_at(2, Keyword::Value));
        self.at += u32::from(keyword);
        let key = self.expr()?;
        if keyword || !self.take_symbol(Symbol::Colon) {
            self.expect_word(Keyword::Value)?;
        }
        Ok(JsonMember { key, value: self.json_value_expr()? })
    }

    fn json_null_treatment(&mut self) -> Option<bool> {
        if self.take_words(&[Keyword::Null, Keyword::On, Keyword::Null]) {
            return Some(false);
        }
        self.take_words(&[Keyword::Absent, Keyword::On, Keyword::Null]).then_some(true)
    }

    fn json_value_expr(&mut self) -> Res<JsonValueExpr> {
        Ok(JsonValueExpr { expr: self.expr()?, format: self.json_format()? })
    }

    fn json_format(&mut self) -> Res<Option<JsonFormat>> {
        if !self.take_word(Keyword::Format) {
            return Ok(None);
        }
        self.expect_word(Keyword::Json)?;
        if !self.take_word(Keyword::Encoding) {
            return Ok(Some(JsonFormat::Json));
        }
        let format = match self.kind() {
            TokenKind::Word(Keyword::Utf8) => JsonFormat::Utf8,
            TokenKind::Word(Keyword::Utf16) => JsonFormat::Utf16,
            TokenKind::Word(Keyword::Utf32) => JsonFormat::Utf32,
            _ => return Err(self.unexpected("'UTF16', 'UTF32', 'UTF8'")),
        };
        self.advance();
        Ok(Some(format))
    }

    /// `jsonPathInvocation` of the grammar.
    fn json_path(&mut self) -> Res<JsonPath> {
        let input = self.json_value_expr()?;
        self.expect_symbol(Symbol::Comma, "','")?;
        let path = self.string()?;
        let name = if self.take_word(Keyword::As) { Some(self.ident()?) } else { None };
        let passing = if self.take_word(Keyword::Passing) { self.list(Self::json_argument)? } else { Vec::new() };
        Ok(JsonPath { input, path, name, passing })
    }

    fn json_argument(&mut self) -> Res<JsonArgument> {
        let value = self.json_value_expr()?;
        self.expect_word(Keyword::As)?;
        Ok(JsonArgument { value, name: self.ident()? })
    }

    fn json_returning(&mut self) -> Res<Option<JsonReturning>> {
        if !self.take_word(Keyword::Returning) {
            return Ok(None);
        }
        Ok(Some(JsonReturning { type_name: self.type_name()?, format: self.json_format()? }))
    }

    /// `… ON EMPTY`, `… ON ERROR` of JSON_VALUE, each optional, in this order.
    fn json_value_behaviors(&mut self) -> Res<(Option<JsonValueBehavior>, Option<JsonValueBehavior>)> {
        let Some(first) = self.json_value_behavior()? else { return Ok((None, None)) };
        self.expect_word(Keyword::On)?;
        if self.take_word(Keyword::Error) {
            return Ok((None, Some(first)));
        }
        self.expect_word(Keyword::Empty)?;
        let on_error = self.json_value_behavior()?;
        if on_error.is_some() {
            self.expect_words(&[Keyword::On, Keyword::Error])?;
        }
        Ok((Some(first), on_error))
    }

    fn json_value_behavior(&mut self) -> Res<Option<JsonValueBehavior>> {
        let behavior = match self.kind() {
            TokenKind::Word(Keyword::Error) => JsonValueBehavior::Error,
            TokenKind::Word(Keyword::Null) => JsonValueBehavior::Null,
            TokenKind::Word(Keyword::Default) => {
                self.advance();
                return Ok(Some(JsonValueBehavior::Default(Box::new(self.expr()?))));
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(behavior))
    }

    fn json_query_options(&mut self) -> Res<JsonQueryOptions> {
        let mut options = JsonQueryOptions { wrapper: self.json_wrapper()?, ..JsonQueryOptions::default() };
        if matches!(self.kind(), TokenKind::Word(Keyword::Keep | Keyword::Omit)) {
            options.keep_quotes = Some(self.at_word(Keyword::Keep));
            self.advance();
            self.expect_word(Keyword::Quotes)?;
            if self.at_words(&[Keyword::On, Keyword::Scalar]) {
                self.at += 2;
                self.expect_word(Keyword::String)?;
                options.on_scalar_string = true;
            }
        }
        let Some(first) = self.json_query_behavior()? else { return Ok(options) };
        self.expect_word(Keyword::On)?;
        if self.take_word(Keyword::Error) {
            options.on_error = Some(first);
            return Ok(options);
        }
        self.expect_word(Keyword::Empty)?;
        options.on_empty = Some(first);
        options.on_error = self.json_query_behavior()?;
        if options.on_error.is_some() {
            self.expect_words(&[Keyword::On, Keyword::Error])?;
        }
        Ok(options)
    }

    fn json_wrapper(&mut self) -> Res<Option<JsonWrapper>> {
        let wrapper = if self.take_word(Keyword::Without) {
            JsonWrapper::Without
        } else if self.take_word(Keyword::With) {
            if self.take_word(Keyword::Conditional) {
                JsonWrapper::Conditional
            } else {
                self.take_word(Keyword::Unconditional);
                JsonWrapper::Unconditional
            }
        } else {
            return Ok(None);
        };
        self.take_word(Keyword::Array);
        self.expect_word(Keyword::Wrapper)?;
        Ok(Some(wrapper))
    }

    fn json_query_behavior(&mut self) -> Res<Option<JsonQueryBehavior>> {
        let behavior = match self.kind() {
            TokenKind::Word(Keyword::Error) => JsonQueryBehavior::Error,
            TokenKind::Word(Keyword::Null) => JsonQueryBehavior::Null,
            TokenKind::Word(Keyword::Empty) => {
                self.advance();
                if self.take_word(Keyword::Array) {
                    return Ok(Some(JsonQueryBehavior::EmptyArray));
                }
                self.expect_word(Keyword::Object)?;
                return Ok(Some(JsonQueryBehavior::EmptyObject));
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(behavior))
    }

    /// JSON_TABLE(…).
    pub(super) fn json_table(&mut self) -> Res<JsonTable> {
        self.expect_word(Keyword::JsonTable)?;
        self.open()?;
        let path = self.json_path()?;
        let columns = self.json_columns()?;
        let plan = if self.at_word(Keyword::Plan) { Some(self.json_plan()?) } else { None };
        let error_on_error = match self.kind() {
            TokenKind::Word(Keyword::Error | Keyword::Empty) => {
                let error = self.at_word(Keyword::Error);
                self.advance();
                self.expect_words(&[Keyword::On, Keyword::Error])?;
                Some(error)
            }
            _ => None,
        };
        self.close()?;
        Ok(JsonTable { path, columns, plan, error_on_error })
    }

    fn json_columns(&mut self) -> Res<Vec<JsonTableColumn>> {
        self.nest(|parser| {
            parser.expect_word(Keyword::Columns)?;
            parser.open()?;
            let columns = parser.list(Self::json_column)?;
            parser.close()?;
            Ok(columns)
        })
    }

    fn json_column(&mut self) -> Res<JsonTableColumn> {
        let nested = self.at_word(Keyword::Nested)
            && (matches!(self.kind_at(1), TokenKind::String | TokenKind::UnicodeString)
                || (self.word_at(1, Keyword::Path) && matches!(self.kind_at(2), TokenKind::String | TokenKind::UnicodeString)));
        if nested {
            self.advance();
            self.take_word(Keyword::Path);
            let path = self.string()?;
            let name = if self.take_word(Keyword::As) { Some(self.ident()?) } else { None };
            return Ok(JsonTableColumn::Nested { path, name, columns: self.json_columns()? });
        }
        let name = self.ident()?;
        if self.take_words(&[Keyword::For, Keyword::Ordinality]) {
            return Ok(JsonTableColumn::Ordinality(name));
        }
        let type_name = self.type_name()?;
        if let Some(format) = self.json_format()? {
            let path = self.json_column_path()?;
            return Ok(JsonTableColumn::Query { name, type_name, format, path, options: self.json_query_options()? });
        }
        let path = self.json_column_path()?;
        let (on_empty, on_error) = self.json_value_behaviors()?;
        Ok(JsonTableColumn::Value { name, type_name, path, on_empty, on_error })
    }

    fn json_column_path(&mut self) -> Res<Option<Text>> {
        if self.take_word(Keyword::Path) { Ok(Some(self.string()?)) } else { Ok(None) }
    }

    fn json_plan(&mut self) -> Res<JsonPlan> {
        let first = self.advance();
        if self.take_word(Keyword::Default) {
            self.open()?;
            let (mut inner, mut cross) = (None, None);
            self.json_plan_default(&mut inner, &mut cross)?;
            if self.take_symbol(Symbol::Comma) {
                self.json_plan_default(&mut inner, &mut cross)?;
            }
            self.close()?;
            return Ok(JsonPlan::Default { inner, cross });
        }
        self.open()?;
        let mut names = Vec::new();
        self.json_plan_part(&mut names)?;
        self.close()?;
        Ok(JsonPlan::Specific { names, span: self.span_from(first) })
    }

    fn json_plan_default(&mut self, inner: &mut Option<bool>, cross: &mut Option<bool>) -> Res<()> {
        let (slot, value) = match self.kind() {
            TokenKind::Word(Keyword::Outer) => (inner, false),
            TokenKind::Word(Keyword::Inner) => (inner, true),
            TokenKind::Word(Keyword::Union) => (cross, false),
            TokenKind::Word(Keyword::Cross) => (cross, true),
            _ => return Err(self.unexpected("'CROSS', 'INNER', 'OUTER', 'UNION'")),
        };
        if slot.is_some() {
            return Err(self.unexpected("'CROSS', 'INNER', 'OUTER', 'UNION'"));
        }
        *slot = Some(value);
        self.advance();
        Ok(())
    }

    /// A path name; a path name OUTER or INNER a part; or parts with UNION or CROSS between them.
    fn json_plan_part(&mut self, names: &mut Vec<super::super::tree::Ident>) -> Res<()> {
        self.nest(|parser| {
            let leaf = parser.at_name();
            parser.json_plan_primary(names)?;
            let word = match parser.kind() {
                TokenKind::Word(Keyword::Outer | Keyword::Inner) if leaf => {
                    parser.advance();
                    return parser.json_plan_primary(names);
                }
                TokenKind::Word(word @ (Keyword::Union | Keyword::Cross)) => word,
                _ if leaf => return Ok(()),
                _ => return Err(parser.unexpected("'CROSS', 'UNION'")),
            };
            while parser.take_word(word) {
                parser.json_plan_primary(names)?;
            }
            Ok(())
        })
    }

    fn json_plan_primary(&mut self, names: &mut Vec<super::super::tree::Ident>) -> Res<()> {
        if self.take_symbol(Symbol::LeftParen) {
            self.json_plan_part(names)?;
            self.close()?;
        } else {
            names.push(self.ident()?);
        }
        Ok(())
    }
}
