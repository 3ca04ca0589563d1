//! The words of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A terminal runbook executor for looking into production data during an incident.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, disable_help_subcommand = true, disable_help_flag = true, max_term_width = 100)]
pub struct Cli {
    /// Options that every command has.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing opens the app.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The book: a folder with tollgate.yaml and runbooks [default: ./runbooks, then .]
    #[arg(long, global = true, env = "TOLLGATE_BOOK", value_name = "DIR", help_heading = "Global options")]
    pub book: Option<PathBuf>,
    /// Where private state lives [default: $XDG_STATE_HOME/tollgate]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub state_dir: Option<PathBuf>,
    /// The journal's file [default: the book's `store`, then journal.db in the state directory]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub store: Option<PathBuf>,
    /// Act as this person (sandbox only)
    #[arg(long = "as", global = true, value_name = "NAME", help_heading = "Global options")]
    pub act_as: Option<String>,
    /// Endpoint of all services, for targets on AWS
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint_url, help_heading = "Global options")]
    pub endpoint_url: Option<String>,
    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, help_heading = "Global options")]
    help: Option<bool>,
    /// Colour theme of the app
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true, help_heading = "Global options")]
    pub ascii: bool,
    /// Write a log to this file (never holds keys or rows)
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub log: Option<PathBuf>,
}

/// A URL that services can answer at.
///
/// # Errors
/// What is wrong with it, in plain words.
pub fn endpoint_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("an endpoint begins with http:// or https:// and names a host, as in http://127.0.0.1:4566".to_owned()),
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Walk a runbook without a terminal
    Run(RunArgs),
    /// Show what a request would hold, with verdicts and estimates; sends nothing
    Plan(PlanArgs),
    /// Check every runbook of a book
    Check(CheckArgs),
    /// Judge statements
    Guard(crate::cli::guard::GuardArgs),
    /// List, show and vote on requests
    Requests {
        /// What to do; nothing lists
        #[command(subcommand)]
        command: Option<RequestsCommand>,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
        format: Format,
    },
    /// List, show and verify runs
    Runs {
        /// What to do; nothing lists
        #[command(subcommand)]
        command: Option<RunsCommand>,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
        format: Format,
    },
    /// Take a run up again
    Resume(ResumeArgs),
    /// Stop what runs, from anywhere
    Stop {
        /// The run, by any unique end of its id [default: the only one that runs something]
        id: Option<String>,
    },
    /// End a run's access and close it
    Close {
        /// The run, by any unique end of its id [default: my only open one]
        id: Option<String>,
    },
    /// Write a commented skeleton of a runbook into the book
    New {
        /// Its id: lower-case letters, digits and dashes
        runbook: String,
    },
    /// Write down what is known of a target's tables
    Catalog {
        /// What to do
        #[command(subcommand)]
        command: CatalogCommand,
    },
    /// Say who you are here, and how that is known
    Whoami {
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Look for what would go wrong, and say what to do
    Doctor {
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Print the roles, trust policies and workgroups that the book needs
    Iam,
    /// Serve the sandbox's endpoints in the foreground
    Sandbox(SandboxArgs),
    /// Print a JSON Schema
    Schema {
        /// Of what
        of: SchemaOf,
    },
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The runbook's id
    pub runbook: String,
    /// What it asks for
    #[command(flatten)]
    pub ask: AskArgs,
    /// How it is answered
    #[command(flatten)]
    pub walk: WalkArgs,
}

/// What a request is made of.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// An input; repeat for each
    #[arg(long = "input", value_name = "NAME=VALUE")]
    pub inputs: Vec<String>,
    /// Why you need to look
    #[arg(long)]
    pub reason: Option<String>,
    /// The incident
    #[arg(long)]
    pub incident: Option<String>,
    /// How long access should last, at most the runbook's
    #[arg(long)]
    pub duration: Option<String>,
}

/// How a walk without a terminal is answered.
#[derive(Debug, Clone, Args)]
pub struct WalkArgs {
    /// Answer a question or choice: yes, no, or what to choose (its label or number)
    #[arg(long = "answer", value_name = "STEP=ANSWER")]
    pub answers: Vec<String>,
    /// Run this step in spite of its warnings
    #[arg(long = "accept-warn", value_name = "STEP")]
    pub accept_warn: Vec<String>,
    /// Wait this long for votes [default: until the request lapses]
    #[arg(long, value_name = "DURATION")]
    pub wait: Option<String>,
    /// Write each step's rows as JSON Lines into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// text: rows on stdout; json: the journal's events
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The runbook's id
    pub runbook: String,
    /// What it asks for
    #[command(flatten)]
    pub ask: AskArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Books (folders) to check [default: --book]
    pub paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
}

/// Formats of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// `requests …`.
#[derive(Debug, Subcommand)]
pub enum RequestsCommand {
    /// List open requests
    List,
    /// Show a request with its plan
    Show {
        /// The request, by any unique end of its id
        id: String,
    },
    /// Approve a request
    Approve {
        /// The request, by any unique end of its id
        id: String,
        /// The plan's digest; without a terminal at least its first 12 digits
        #[arg(long)]
        digest: Option<String>,
        /// A comment
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Deny a request
    Deny {
        /// The request, by any unique end of its id
        id: String,
        /// The plan's digest; without a terminal at least its first 12 digits
        #[arg(long)]
        digest: Option<String>,
        /// Why
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Take your own request back
    Cancel {
        /// The request, by any unique end of its id
        id: String,
    },
}

/// `runs …`.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs
    List,
    /// Show a run with its events
    Show {
        /// The run, by any unique end of its id
        id: String,
    },
    /// Check the hash chains
    Verify {
        /// The run, by any unique end of its id [default: all]
        id: Option<String>,
    },
}

/// `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run, by any unique end of its id [default: my only open one]
    pub id: Option<String>,
    /// Take it from the terminal that drives it
    #[arg(long)]
    pub takeover: bool,
    /// How it is answered
    #[command(flatten)]
    pub walk: WalkArgs,
}

/// `catalog …`.
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Look at a target with your own rights, and write catalog.yaml: tables, partitions, sizes
    Snapshot(SnapshotArgs),
}

/// `catalog snapshot`.
#[derive(Debug, Args)]
pub struct SnapshotArgs {
    /// The target [default: the only one that has tables]
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Only this database; repeat for more [default: all]
    #[arg(long = "database", value_name = "DB")]
    pub databases: Vec<String>,
    /// Only this table; repeat for more
    #[arg(long = "table", value_name = "DB.TABLE")]
    pub tables: Vec<String>,
    /// Take sizes from the catalog's own statistics, without listing files
    #[arg(long)]
    pub statistics_only: bool,
    /// Where to write; `-` is stdout [default: catalog.yaml in the book]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// What to do; nothing serves
    #[command(subcommand)]
    pub command: Option<SandboxCommand>,
    /// The port on 127.0.0.1 [default: a free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Where its data lives [default: `sandbox` in the state directory]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// `off`: queries run as fast as they can
    #[arg(long, value_parser = ["on", "off"], default_value = "on", value_name = "on|off")]
    pub pace: String,
    /// How much data is generated: full, or tiny for tests
    #[arg(long, value_parser = ["full", "tiny"], default_value = "full", hide = true)]
    pub scale: String,
}

/// `sandbox …`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SandboxCommand {
    /// Stop it
    Stop,
    /// Say whether it answers, and how far its data is
    Status,
    /// Remove its state and data
    Reset,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SchemaOf {
    Runbook,
    Book,
    Catalog,
    Guard,
    Plan,
    Event,
}
