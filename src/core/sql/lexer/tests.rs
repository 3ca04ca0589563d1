//! Tables of tokens.

use super::*;

/// The kinds and texts of a text's tokens, without the end.
fn tokens(text: &str) -> Vec<(TokenKind, String)> {
    let tokens = lex(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut out = Vec::new();
    for index in 0..tokens.all().len() as u32 - 1 {
        out.push((tokens.get(index).kind, tokens.written(index).to_owned()));
    }
    out
}

fn kinds(text: &str) -> Vec<TokenKind> {
    tokens(text).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn numbers_take_the_longest_rule() {
    use TokenKind::{Decimal, DigitName, Double, Integer, Name};
    for (text, expected) in [
        ("123", vec![Integer]),
        ("1_000", vec![Integer]),
        ("1__0", vec![DigitName]),
        ("1_", vec![DigitName]),
        ("0xFf", vec![Integer]),
        ("0x_F_f", vec![Integer]),
        ("0x", vec![DigitName]),
        ("0xg", vec![DigitName]),
        ("0o17", vec![Integer]),
        ("0o18", vec![DigitName]),
        ("0b01", vec![Integer]),
        ("1x", vec![DigitName]),
        ("1e5", vec![Double]),
        ("1E+5", vec![Double]),
        ("1e", vec![DigitName]),
        ("1e5x", vec![DigitName]),
        ("1.", vec![Decimal]),
        ("1.5", vec![Decimal]),
        ("1_0.5_0", vec![Decimal]),
        (".5", vec![Decimal]),
        (".5e3", vec![Double]),
        ("1.e3", vec![Double]),
        ("1.5e", vec![Decimal, Name]),
        ("1.x", vec![Decimal, Name]),
        ("1..2", vec![Decimal, Decimal]),
        ("1_0e5", vec![DigitName]),
        ("a.5", vec![Name, Decimal]),
    ] {
        assert_eq!(kinds(text), expected, "{text}");
    }
}

#[test]
fn strings_know_no_backslash() {
    assert_eq!(
        tokens(r"'\' , x"),
        [
            (TokenKind::String, r"'\'".to_owned()),
            (TokenKind::Symbol(Symbol::Comma), ",".to_owned()),
            (TokenKind::Name, "x".to_owned()),
        ]
    );
    assert_eq!(kinds("'it''s'"), [TokenKind::String]);
    assert_eq!(kinds("''''"), [TokenKind::String]);
    assert_eq!(kinds("u&'x' U&'y'"), [TokenKind::UnicodeString; 2]);
    assert_eq!(kinds("x'00' X'1 2'"), [TokenKind::Binary; 2]);
    assert_eq!(kinds("ax'00'"), [TokenKind::Name, TokenKind::String]);
    assert_eq!(kinds("\"a\"\"b\" `c``d`"), [TokenKind::QuotedName, TokenKind::BackquotedName]);
    assert_eq!(kinds("$$ 'a' $$ $"), [TokenKind::Foreign, TokenKind::Symbol(Symbol::Dollar)]);
}

#[test]
fn what_is_open_is_unrecognized() {
    assert_eq!(kinds("'abc x"), [TokenKind::Unrecognized]);
    assert_eq!(kinds("\"abc x"), [TokenKind::Unrecognized]);
    assert_eq!(kinds("U&'abc"), [TokenKind::Name, TokenKind::Unrecognized]);
    assert_eq!(kinds("X'abc"), [TokenKind::Name, TokenKind::Unrecognized]);
    assert_eq!(
        kinds("1 /* a"),
        [TokenKind::Integer, TokenKind::Symbol(Symbol::Slash), TokenKind::Symbol(Symbol::Asterisk), TokenKind::Name]
    );
    assert_eq!(kinds("a # b"), [TokenKind::Name, TokenKind::Unrecognized]);
    assert_eq!(kinds("a ! b"), [TokenKind::Name, TokenKind::Unrecognized]);
}

#[test]
fn comments_do_not_nest() {
    assert_eq!(kinds("a /* /* */ b -- */ c\nd"), [TokenKind::Name; 3]);
    assert_eq!(kinds("/**/ a --"), [TokenKind::Name]);
    assert_eq!(kinds("a --b\r\n c"), [TokenKind::Name; 2]);
    assert_eq!(kinds("4 //* x */ 2"), [TokenKind::Integer, TokenKind::Symbol(Symbol::Slash), TokenKind::Integer]);
}

#[test]
fn signs_take_the_longest() {
    use Symbol::*;
    let symbols = |text: &str| {
        kinds(text).into_iter().map(|kind| if let TokenKind::Symbol(symbol) = kind { symbol } else { At }).collect::<Vec<_>>()
    };
    assert_eq!(
        symbols("-> => >= <= <> != || | :: : {- -} { }"),
        [
            Arrow,
            FatArrow,
            GreaterOrEqual,
            LessOrEqual,
            NotEqual,
            NotEqual,
            Concat,
            Bar,
            DoubleColon,
            Colon,
            LeftBraceMinus,
            MinusRightBrace,
            LeftBrace,
            RightBrace
        ]
    );
    assert_eq!(symbols("<>="), [NotEqual, Equal]);
    assert_eq!(symbols("*/"), [Asterisk, Slash]);
}

#[test]
fn places_count_code_points() {
    let tokens = lex("é").unwrap();
    assert_eq!(tokens.position(2).column, 2);
    let tokens = lex("'é' a\r\n  b").unwrap();
    let at = |index| {
        let place = tokens.position(tokens.get(index).start as usize);
        (place.line, place.column)
    };
    assert_eq!((at(0), at(1), at(2), at(3)), ((1, 1), (1, 5), (2, 3), (2, 4)));
}
