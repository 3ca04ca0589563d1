//! The table itself.

macro_rules! faces {
    ($($(#[$doc:meta])* $face:ident,)*) => {
        /// What the keys mean something to: a screen, a part of one, or what lies over it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Face {
            $($(#[$doc])* $face,)*
        }

        impl Face {
            /// Every face.
            pub const ALL: [Self; [$(Self::$face),*].len()] = [$(Self::$face),*];
        }
    };
}

faces! {
    /// The list of runbooks.
    Pick,
    /// Typing its filter.
    PickFilter,
    /// Problems of the book.
    Problems,
    /// The runs.
    Runs,
    /// Requests to vote on.
    Inbox,
    /// One of them.
    Review,
    /// The form of inputs.
    Inputs,
    /// The plan before it is asked, its steps in focus.
    Request,
    /// The same, a field in focus.
    RequestField,
    /// Waiting for votes.
    Waiting,
    /// Approved, not started.
    Approved,
    /// Denied, lapsed or cancelled.
    Refused,
    /// A step that is not entered yet.
    Ahead,
    /// A note step.
    Note,
    /// A question.
    Confirm,
    /// A choice.
    Choose,
    /// Before an execution.
    Preview,
    /// During one.
    Running,
    /// Rows.
    Results,
    /// A step that ended without rows.
    Outcome,
    /// The walk is over.
    Over,
    /// A run that cannot be followed, or was closed.
    Closed,
    /// The steps, over the walk.
    Steps,
    /// A whole cell.
    Cell,
    /// A list of values for a field.
    Values,
    /// The help.
    Help,
    /// The palette.
    Palette,
    /// A word, digits, a comment or a search to be typed.
    Prompt,
    /// Leaving while a query runs.
    LeaveAsk,
    /// Cancelling a request.
    CancelAsk,
    /// Opening a run that another process drives.
    TakeAsk,
    /// Which format to export.
    ExportAsk,
}

impl Face {
    /// Whether keys that type are text here.
    pub fn is_typing(self) -> bool {
        matches!(self, Self::PickFilter | Self::Inputs | Self::RequestField | Self::Help | Self::Palette | Self::Prompt)
    }

    /// Whether the walk is on screen.
    pub fn is_walk(self) -> bool {
        WALK.contains(&self)
    }
}

macro_rules! verbs {
    ($($verb:ident = $name:literal,)*) => {
        /// What a key asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table says what each does")]
        pub enum Verb {
            $($verb,)*
        }

        impl Verb {
            /// The name in the palette and in `config.toml`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$verb => $name,)*
                }
            }
        }
    };
}

verbs! {
    Open = "open",
    Accept = "accept",
    Start = "start",
    GoOn = "go-on",
    Pick = "pick",
    Finish = "finish",
    Filter = "filter",
    Problems = "problems",
    Runs = "runs",
    Inbox = "inbox",
    NextField = "next-field",
    PrevField = "previous-field",
    Values = "values",
    LastRun = "last-run",
    Fix = "fix",
    Cancel = "cancel",
    See = "see",
    Again = "again",
    Yes = "yes",
    No = "no",
    Run = "run",
    Look = "look",
    Stop = "stop",
    Approve = "approve",
    Deny = "deny",
    Sort = "sort",
    Search = "search",
    NextHit = "next",
    PrevHit = "previous",
    Cell = "cell",
    Export = "export",
    Csv = "csv",
    JsonLines = "json-lines",
    Note = "note",
    Steps = "steps",
    Close = "close",
    StopAndLeave = "stop-and-leave",
    KeepAndLeave = "keep-and-leave",
    Confirmed = "do-it",
    Up = "up",
    Down = "down",
    Left = "left",
    Right = "right",
    PageUp = "page-up",
    PageDown = "page-down",
    Top = "top",
    Bottom = "bottom",
    Palette = "command",
    Help = "help",
    Back = "back",
    Leave = "leave",
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// What it does.
    pub verb: Verb,
    /// Where.
    pub faces: &'static [Face],
    /// Its keys, the one to show first.
    pub keys: &'static [&'static str],
    /// In the hint bar; empty: not shown there.
    pub label: &'static str,
    /// In the help.
    pub help: &'static str,
    /// Whether it does something that cannot be looked away from: ignored right after a change of screen.
    pub acts: bool,
}

use Face as F;

const WALK: &[Face] = &[
    F::Waiting,
    F::Approved,
    F::Refused,
    F::Ahead,
    F::Note,
    F::Confirm,
    F::Choose,
    F::Preview,
    F::Running,
    F::Results,
    F::Outcome,
    F::Over,
    F::Closed,
];
const LISTS: &[Face] = &[
    F::Pick,
    F::Problems,
    F::Runs,
    F::Inbox,
    F::Review,
    F::Request,
    F::Choose,
    F::Steps,
    F::Values,
    F::Results,
    F::Preview,
    F::Note,
    F::Confirm,
    F::Outcome,
    F::Over,
    F::Waiting,
    F::Approved,
    F::Refused,
    F::Running,
    F::Cell,
    F::Closed,
    F::Ahead,
];
/// Faces where a letter is a command.
const COMMANDS: &[Face] = &[
    F::Pick,
    F::Problems,
    F::Runs,
    F::Inbox,
    F::Review,
    F::Request,
    F::Waiting,
    F::Approved,
    F::Refused,
    F::Ahead,
    F::Note,
    F::Confirm,
    F::Choose,
    F::Preview,
    F::Running,
    F::Results,
    F::Outcome,
    F::Over,
    F::Closed,
];
const TYPING: &[Face] = &[F::PickFilter, F::Inputs, F::RequestField];
const ASKING: &[Face] = &[F::Ahead, F::Note, F::Confirm, F::Choose, F::Preview, F::Results, F::Outcome, F::Refused, F::Over];
/// Faces on which an older grant may still run while a new one was asked for.
const WITH_GRANT: &[Face] = &[F::Ahead, F::Note, F::Confirm, F::Choose, F::Preview, F::Results, F::Outcome, F::Over];
const SEEING: &[Face] = &[F::Waiting, F::Ahead, F::Note, F::Confirm, F::Choose, F::Preview, F::Results, F::Outcome, F::Over];
const NOTING: &[Face] =
    &[F::Ahead, F::Note, F::Confirm, F::Choose, F::Preview, F::Running, F::Results, F::Outcome, F::Waiting, F::Over];

const CLOSING: &[Face] = &[
    F::Ahead,
    F::Note,
    F::Confirm,
    F::Choose,
    F::Preview,
    F::Running,
    F::Results,
    F::Outcome,
    F::Waiting,
    F::Approved,
    F::Refused,
    F::Over,
];

const fn row(verb: Verb, faces: &'static [Face], keys: &'static [&'static str], label: &'static str, help: &'static str) -> Row {
    Row { verb, faces, keys, label, help, acts: false }
}

const fn act(verb: Verb, faces: &'static [Face], keys: &'static [&'static str], label: &'static str, help: &'static str) -> Row {
    Row { verb, faces, keys, label, help, acts: true }
}

/// Every command with its keys. The order is that of the hint bar.
pub static TABLE: &[Row] = &[
    // What Enter does.
    act(Verb::Open, &[F::Pick, F::Runs, F::Inbox, F::Steps], &["enter"], "open", "Opens the selected line."),
    row(Verb::Accept, &[F::PickFilter, F::Values, F::Help], &["enter"], "take", "Takes what is typed or selected."),
    act(
        Verb::Accept,
        &[F::Inputs, F::RequestField, F::Prompt, F::Palette],
        &["enter"],
        "go on",
        "Goes on; from the last field to the next screen.",
    ),
    act(Verb::Accept, &[F::Request], &["enter"], "fill in", "Goes to the fields; from the last one the request is sent."),
    act(Verb::Start, &[F::Approved], &["enter"], "start access", "Starts the access: from here on the clock runs."),
    act(
        Verb::Start,
        WITH_GRANT,
        &["S"],
        "start new access",
        "Starts the access that was asked for anew; the old one ends with it.",
    ),
    act(
        Verb::GoOn,
        &[F::Note, F::Results, F::Outcome, F::Ahead],
        &["enter"],
        "go on",
        "Goes on to the next step's preview, never through it.",
    ),
    act(Verb::Pick, &[F::Choose], &["enter"], "choose", "Chooses the selected row."),
    act(Verb::Finish, &[F::Over, F::Closed], &["enter"], "finish", "Ends the app and prints the summary."),
    // What a screen is for.
    act(Verb::Run, &[F::Preview], &["r"], "run", "Runs the statement as shown; a warning wants the word `run`."),
    row(Verb::Look, &[F::Preview], &["R"], "", "Looks again: estimate, workgroup and drift."),
    act(Verb::Stop, &[F::Running], &["s"], "stop", "Stops the query, also in AWS; press it twice."),
    act(Verb::Yes, &[F::Confirm], &["y"], "yes", "Answers yes."),
    act(Verb::No, &[F::Confirm], &["n"], "no", "Answers no."),
    act(Verb::Approve, &[F::Review], &["a"], "approve", "Approves; wants the first four digits of the plan."),
    act(Verb::Deny, &[F::Review], &["d"], "deny", "Denies; wants a comment."),
    act(Verb::Cancel, &[F::Waiting, F::Approved], &["c"], "cancel", "Cancels the request; asks once."),
    row(
        Verb::See,
        SEEING,
        &["v"],
        "see it as reviewer",
        "Shows the request as a reviewer sees it, who may then vote (sandbox only).",
    ),
    row(Verb::Filter, &[F::Pick], &["/"], "filter", "Filters the list by letters."),
    row(Verb::Runs, &[F::Pick], &["r"], "runs", "Lists the runs: orphaned, waiting and mine first."),
    row(Verb::Inbox, &[F::Pick], &["i"], "inbox", "Lists the requests that I may vote on."),
    row(Verb::Problems, &[F::Pick], &["e"], "problems", "Lists the problems of the book."),
    row(Verb::NextField, &[F::Inputs, F::RequestField, F::Request], &["tab"], "next", "Goes to the next field."),
    row(Verb::PrevField, &[F::Inputs, F::RequestField, F::Request], &["shift-tab"], "", "Goes to the field before."),
    row(Verb::NextField, &[F::Inputs], &["down"], "", "Goes to the next field."),
    row(Verb::PrevField, &[F::Inputs], &["up"], "", "Goes to the field before."),
    row(Verb::Values, &[F::Inputs], &["ctrl-e", "f2"], "values", "Lists the values that the field may have."),
    row(Verb::LastRun, &[F::Inputs], &["ctrl-r"], "last run", "Offers the values of the last run of this runbook."),
    row(Verb::Fix, &[F::Request], &["f", "ctrl-f"], "fix", "Applies the offered fix to the plan."),
    row(Verb::Fix, &[F::RequestField], &["ctrl-f"], "fix", "Applies the offered fix to the plan."),
    row(Verb::Fix, &[F::Preview], &["f"], "fix", "Asks again for the plan with the offered fix."),
    row(Verb::Sort, &[F::Results], &["o"], "sort", "Sorts by the column: rising, falling, as it came."),
    row(Verb::Search, &[F::Results], &["/"], "search", "Searches all cells."),
    row(Verb::NextHit, &[F::Results], &["n"], "next hit", "Goes to the next hit."),
    row(Verb::PrevHit, &[F::Results], &["p"], "", "Goes to the hit before."),
    row(Verb::Cell, &[F::Results], &["space"], "cell", "Shows the whole cell."),
    act(Verb::Export, &[F::Results], &["x"], "export", "Writes all rows to a new private file."),
    act(Verb::Csv, &[F::ExportAsk], &["c"], "CSV", "Writes comma-separated values."),
    act(Verb::JsonLines, &[F::ExportAsk], &["j"], "JSON Lines", "Writes one JSON object a line."),
    act(Verb::Again, ASKING, &["a"], "ask again", "Asks again for the remaining steps; the old grant stays until it ends."),
    row(Verb::Note, NOTING, &["N"], "note", "Writes a note into the journal."),
    row(Verb::Steps, WALK, &["b"], "steps", "Lists the steps, with what was answered and skipped."),
    act(Verb::StopAndLeave, &[F::LeaveAsk], &["s"], "stop it and leave", "Stops the query and leaves."),
    act(Verb::KeepAndLeave, &[F::LeaveAsk], &["k"], "leave it running", "Leaves the query running and leaves."),
    act(Verb::Confirmed, &[F::CancelAsk], &["y"], "cancel it", "Cancels the request."),
    act(Verb::Confirmed, &[F::TakeAsk], &["y"], "take it over", "Takes the run over from the other terminal."),
    act(Verb::Close, CLOSING, &[], "", "Ends the access and closes the run."),
    // Moving.
    row(Verb::Down, LISTS, &["down", "j"], "", "Goes down."),
    row(Verb::Up, LISTS, &["up", "k"], "", "Goes up."),
    row(Verb::Down, &[F::PickFilter, F::RequestField, F::Palette, F::Help], &["down"], "", "Goes down."),
    row(Verb::Up, &[F::PickFilter, F::RequestField, F::Palette, F::Help], &["up"], "", "Goes up."),
    row(Verb::PageDown, LISTS, &["pgdn", "ctrl-d"], "", "Goes a page down."),
    row(Verb::PageUp, LISTS, &["pgup", "ctrl-u"], "", "Goes a page up."),
    row(Verb::PageDown, TYPING, &["pgdn"], "", "Goes a page down."),
    row(Verb::PageUp, TYPING, &["pgup"], "", "Goes a page up."),
    row(Verb::Top, LISTS, &["g", "home"], "", "Goes to the first line."),
    row(Verb::Bottom, LISTS, &["G", "end"], "", "Goes to the last line."),
    row(Verb::Right, &[F::Results], &["l", "right"], "", "Goes a column to the right."),
    row(Verb::Left, &[F::Results], &["h", "left"], "", "Goes a column to the left."),
    // Everywhere.
    row(Verb::Back, &[F::LeaveAsk], &["esc"], "stay", "Stays."),
    row(Verb::Back, &[F::CancelAsk, F::TakeAsk, F::ExportAsk], &["esc"], "no", "Does not."),
    row(
        Verb::Back,
        &[
            F::Problems,
            F::Runs,
            F::Inbox,
            F::Review,
            F::Inputs,
            F::Request,
            F::RequestField,
            F::Steps,
            F::Cell,
            F::Values,
            F::Help,
            F::Palette,
            F::Prompt,
            F::PickFilter,
        ],
        &["esc"],
        "back",
        "Goes back; never ends anything.",
    ),
    row(Verb::Back, WALK, &["esc"], "", "Goes back; never ends anything."),
    row(Verb::Back, &[F::Pick], &["esc"], "", "Clears the filter."),
    row(Verb::Palette, COMMANDS, &[":", "ctrl-p"], "command", "Opens the palette: commands, runbooks, runs, columns."),
    row(Verb::Palette, TYPING, &["ctrl-p"], "", "Opens the palette: commands, runbooks, runs, columns."),
    row(Verb::Help, COMMANDS, &["?", "f1"], "help", "Lists the keys that work now."),
    row(Verb::Help, TYPING, &["f1"], "help", "Lists the keys that work now."),
    act(Verb::Leave, COMMANDS, &["q"], "leave", "Leaves the app; the run stays and `tollgate resume` comes back to it."),
];
