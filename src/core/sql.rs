//! SQL as Trino reads it: lexer, tree, parser, literals, name resolution, lineage, highlight tokens.
