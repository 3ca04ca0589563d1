//! Tokens and where they stand.

/// Index of a token in its statement; comments and blanks are no tokens.
pub type TokenIx = u32;

/// The tokens of one node: from `first` to `last`, both included, and the one at which the server points when it rejects the node.
///
/// Any two spans are equal: trees compare by what they say, not by where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The node's first token.
    pub first: TokenIx,
    /// The node's last token.
    pub last: TokenIx,
    /// The token whose line and column Trino gives as the node's location: an operator for a comparison, NOT or the predicate's
    /// word for BETWEEN, IN, LIKE and IS, `||`, `AT`; the first token for everything else.
    pub point: TokenIx,
}

impl Span {
    /// A span that Trino locates at its first token.
    pub fn new(first: TokenIx, last: TokenIx) -> Self {
        Self { first, last, point: first }
    }

    /// One token.
    pub fn at(token: TokenIx) -> Self {
        Self::new(token, token)
    }

    /// The same tokens, located at `point`.
    pub fn pointing(self, point: TokenIx) -> Self {
        Self { point, ..self }
    }

    /// From the first token of this to the last of `end`.
    pub fn to(self, end: Span) -> Self {
        Self { last: end.last, ..self }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}
