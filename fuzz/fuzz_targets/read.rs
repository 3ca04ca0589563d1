//! Any bytes: reading ends, and what is read is re-emitted as text that reads as the same tokens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::core::sql::emit::emit;
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::syntax::syntax;

fuzz_target!(|bytes: &[u8]| {
    let Ok(sql) = std::str::from_utf8(bytes) else { return };
    let _ = syntax(sql);
    let Ok(first) = parse(sql) else { return };
    let sent = emit(&first.tokens);
    let second = parse(&sent).expect("what is sent must be readable");
    assert_eq!(emit(&second.tokens), sent);
});
