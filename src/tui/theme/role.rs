//! What a piece of text means; themes say what that looks like.

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $name:literal,)*) => {
        /// What a piece of text means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role {
            $($(#[$doc])* $role,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: [Self; [$(Self::$role),*].len()] = [$(Self::$role),*];

            /// The name in theme files. A role that a theme does not style looks like the part of its name before the last dot.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$role => $name,)*
                }
            }
        }
    };
}

roles! {
    /// Ordinary text.
    Text = "text",
    /// Less important.
    Muted = "text.muted",
    /// More important.
    Strong = "text.strong",
    /// Names and values in a runbook's prose.
    Code = "text.code",
    /// Where an escaped character, or none at all (NULL), is shown.
    Null = "text.null",
    /// The program's name.
    Brand = "frame.brand",
    /// Where one is: runbook and step.
    Crumb = "frame.crumb",
    /// Rules and separators.
    Rule = "frame.rule",
    /// Who one is.
    Person = "frame.person",
    /// The word UNENFORCED, and a foreign endpoint.
    Unenforced = "frame.unenforced",
    /// The countdown with time to spare, or without access.
    Calm = "countdown.calm",
    /// The countdown under ten minutes.
    Soon = "countdown.soon",
    /// The countdown under two minutes, and after the end.
    Last = "countdown.last",
    /// A key in the hint bar.
    Key = "hint.key",
    /// What a key does.
    Label = "hint.label",
    /// Allowed, succeeded, clean.
    Ok = "state.ok",
    /// A warning.
    Warn = "state.warn",
    /// Blocked, failed, denied.
    Block = "state.block",
    /// Running, waiting.
    Busy = "state.busy",
    /// A notice that is no error.
    Info = "state.info",
    /// The selected row.
    Selected = "list.selected",
    /// Characters that matched a filter.
    Match = "list.match",
    /// A heading.
    Heading = "text.heading",
    /// Name of a field.
    FieldName = "field.name",
    /// What was typed.
    FieldValue = "field.value",
    /// What is wrong with it.
    FieldError = "field.error",
    /// The field that takes the keys.
    FieldFocus = "field.focus",
    /// Column heads of a table.
    Head = "table.head",
    /// SQL keywords.
    SqlKeyword = "sql.keyword",
    /// SQL names.
    SqlName = "sql.name",
    /// SQL functions.
    SqlFunction = "sql.function",
    /// SQL strings.
    SqlString = "sql.string",
    /// SQL numbers.
    SqlNumber = "sql.number",
    /// SQL operators and punctuation.
    SqlOperator = "sql.operator",
    /// SQL comments.
    SqlComment = "sql.comment",
    /// A typed hole of an open step.
    SqlHole = "sql.hole",
    /// Text that a blocking finding is about.
    MarkBlock = "mark.block",
    /// Text that a warning is about.
    MarkWarn = "mark.warn",
    /// The filled part of a gauge within the limits.
    GaugeOk = "gauge.ok",
    /// The filled part of a gauge above a warning.
    GaugeWarn = "gauge.warn",
    /// The filled part of a gauge above a limit.
    GaugeBlock = "gauge.block",
    /// The rest of a gauge.
    GaugeRest = "gauge.rest",
}
