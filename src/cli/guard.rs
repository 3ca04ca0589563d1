//! `guard`: judge statements against a book and catalogs, one or a batch.

use std::io::{BufRead, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::Global;
use super::assembly;
use super::error::Error;
use crate::adapters::aws::{Aws, Patience};
use crate::adapters::books;
use crate::adapters::clock::{Skew, SystemClock};
use crate::adapters::objects::S3Objects;
use crate::core::book::{Book, Classification, Guardrails, Target, read_book};
use crate::core::catalog::{Catalog, read_catalog};
use crate::core::estimate::ScanModel;
use crate::core::guard::{Ground, Judgement, Params, Verdict, World, judge_dynamodb, judge_sql_on, needs};
use crate::core::plan::{Endpoint, PlanTarget};
use crate::core::runbook::{Today, read_dynamodb};
use crate::core::sql::lexer::MAX_BYTES;
use crate::core::sql::syntax::{Syntax, syntax};
use crate::core::units::Timestamp;
use crate::engine::looking::plan_target;
use crate::engine::ports::{Clock as _, Objects};

mod batch;
mod look;
mod param;
mod sarif;
mod text;

pub use param::param;
pub use sarif::{SarifLog, SarifResult};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum GuardFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a statement.
    Json,
    /// SARIF 2.1.0, for code review.
    Sarif,
}

/// Which reading model `expected` follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ModelWord {
    /// The chunks of the columns read.
    Chunks,
    /// What a Trino server's reader fetches.
    Trino,
}

/// What may be looked at besides the catalog files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LookWord {
    /// Nothing.
    None,
    /// Listings.
    Metadata,
    /// Footers of files, too.
    Footers,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// `guard`.
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("statement").required(true).args(["sql", "dynamodb"]))]
pub struct GuardArgs {
    /// Facts about tables; repeat for several files, later ones win [default: those of the book]
    #[arg(long = "catalog", value_name = "FILE")]
    pub catalogs: Vec<PathBuf>,
    /// The target whose price and model count [default: the book's first]
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// The data catalog of two-part names [default: the target's, else that of the first catalog file]
    #[arg(long, value_name = "NAME")]
    pub catalog_name: Option<String>,
    /// The database of one-part names
    #[arg(long, value_name = "DB")]
    pub database: Option<String>,
    /// A statement, or a batch of JSON Lines {"id","sql","catalog"?,"database"?,"params"?}; - is stdin
    #[arg(long, value_name = "FILE")]
    pub sql: Option<PathBuf>,
    /// A DynamoDB step, as YAML or JSON: {"get": …} or {"query": …}; - is stdin
    #[arg(long, value_name = "FILE")]
    pub dynamodb: Option<PathBuf>,
    /// A typed parameter, such as day:date=2026-11-20 or statuses:list(int)=200,502; repeat for each
    #[arg(long = "param", value_name = "NAME:TYPE=VALUE")]
    pub params: Vec<String>,
    /// Which reading model `expected` follows [default: the target's, else chunks]
    #[arg(long, value_enum)]
    pub model: Option<ModelWord>,
    /// What may be looked at besides the catalog files
    #[arg(long, value_enum)]
    pub look: Option<LookWord>,
    /// Whether a second parser is asked; off is only for measuring
    #[arg(long, value_enum, default_value = "on")]
    pub second_opinion: Switch,
    /// How results are written; a batch gives one JSON line a statement, or SARIF
    #[arg(long, value_enum, default_value = "text")]
    pub format: GuardFormat,
    /// Only read: say what a statement names; needs no catalog
    #[arg(long, conflicts_with = "dynamodb")]
    pub syntax: bool,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A file cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// Its name.
        file: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file was read and is not what it should be.
    #[error("{file} cannot be used:\n{problems}")]
    Unusable {
        /// Its name.
        file: String,
        /// Every problem, one after the other.
        problems: String,
    },
    /// An option has a value that it cannot have.
    #[error("{message}")]
    Option {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The results cannot be written.
    #[error("the results cannot be written")]
    Unwritable(#[source] std::io::Error),
}

/// What a judgement needs besides the statement, as the command line gives it.
struct Setting {
    catalog: Catalog,
    catalog_name: String,
    guardrails: Guardrails,
    classification: Classification,
    target: Option<Target>,
    model: ScanModel,
    second_opinion: bool,
    now: Timestamp,
    looker: look::Looker,
}

impl Setting {
    /// Looks at the files that the statement's estimate would rest on, and judges it.
    fn judge(&mut self, ground: &Ground, catalog_name: &str, sql: &str, database: Option<&str>, params: &Params) -> Judgement {
        if self.looker.looks {
            let needs = needs(ground, &self.world(catalog_name), sql, database, params);
            self.looker.look(needs, &mut self.catalog);
        }
        judge_sql_on(ground, &self.world(catalog_name), sql, database, params)
    }

    fn world<'a>(&'a self, catalog_name: &'a str) -> World<'a> {
        World {
            catalog: &self.catalog,
            catalog_name,
            guardrails: &self.guardrails,
            classification: &self.classification,
            price: self.target.as_ref().map(|target| &target.price),
            model: self.model,
            now: self.now,
            second_opinion: self.second_opinion,
        }
    }
}

/// Judges: the exit code.
///
/// # Errors
/// Usage and files (exit 2).
pub fn command(global: &Global, args: GuardArgs) -> Result<u8, Error> {
    let facts = |folder: &Path, book: &Book| {
        let sandbox = assembly::state_dir(global).map(|dir| super::sandbox::folder(&dir).join("data")).unwrap_or_default();
        books::catalog_paths(folder, book, &sandbox)
    };
    let now = SystemClock::default().now();
    let (mut stdin, mut stdout, mut stderr) = (std::io::stdin().lock(), std::io::stdout().lock(), std::io::stderr());
    // Requests to S3 are driven by the runtime that this command runs on.
    let runtime = tokio::runtime::Handle::current();
    let remote = |target: &PlanTarget| -> Option<Box<dyn Objects>> {
        let state_dir = assembly::state_dir(global).ok()?;
        let skew = Arc::new(Skew::default());
        let aws = Aws::new(super::sandbox::endpoint(&state_dir), Arc::clone(&skew), Patience::default());
        let clock = SystemClock::new(skew);
        Some(Box::new(S3Objects::new(Arc::new(aws), target.clone(), None, clock, runtime.clone())))
    };
    let around = Around { facts: &facts, remote: &remote, endpoint: assembly::endpoint(global) };
    match run(&args, global.book.as_deref(), &around, now, &mut stdin, &mut stdout, &mut stderr) {
        // The reader has what it wanted.
        Err(GuardError::Unwritable(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        Err(GuardError::Unwritable(error)) => Err(error.into()),
        Err(error) => {
            let hint = match &error {
                GuardError::Option { hint, .. } => hint.clone(),
                _ => None,
            };
            let told = Error::usage(error.to_string()).because(&error);
            Err(hint.map_or(told.clone(), |hint| told.hint(hint)))
        }
        Ok(code) => Ok(code),
    }
}

/// What the command needs of its surroundings.
pub struct Around<'a> {
    /// Finds the catalog files of a book in a folder.
    pub facts: &'a dyn Fn(&Path, &Book) -> Vec<PathBuf>,
    /// Gives the objects of a target, with the operator's own rights.
    pub remote: &'a dyn Fn(&PlanTarget) -> Option<Box<dyn Objects>>,
    /// The endpoint that stands in for AWS, from the command line or the environment.
    pub endpoint: Option<Endpoint>,
}

/// Runs the command: the exit code. `book` is the folder of the book, if one is named.
///
/// # Errors
/// [`GuardError`]: usage or files (exit 2).
pub fn run(
    args: &GuardArgs,
    book: Option<&Path>,
    around: &Around<'_>,
    now: Timestamp,
    stdin: &mut dyn BufRead,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<u8, GuardError> {
    let mut stdout = std::io::BufWriter::new(stdout);
    let code = match (&args.sql, &args.dynamodb) {
        (Some(file), None) => with_input(file, stdin, &mut |input| {
            let is_batch = first_byte(input).map_err(|source| unreadable(file, source))? == Some(b'{');
            let params = params(args, now)?;
            match (args.syntax, is_batch) {
                (true, true) => batch::syntax(input, &mut stdout),
                (true, false) => syntax_of(&statement(file, input)?, &mut stdout),
                (false, true) => {
                    let mut setting = setting(args, book, around, now, stderr)?;
                    batch::judge(args, &mut setting, &params, &shown(file), input, &mut stdout)
                }
                (false, false) => {
                    let mut setting = setting(args, book, around, now, stderr)?;
                    let name = setting.catalog_name.clone();
                    let ground = Ground::new(&setting.world(&name));
                    let sql = statement(file, input)?;
                    let judgement = setting.judge(&ground, &name, &sql, args.database.as_deref(), &params);
                    one(args, &judgement, Some(&sql), &shown(file), &mut stdout)
                }
            }
        }),
        (None, Some(file)) => with_input(file, stdin, &mut |input| {
            let setting = setting(args, book, around, now, stderr)?;
            let text = statement(file, input)?;
            let name = shown(file);
            let step = read_dynamodb(&name, text.as_bytes()).whole().map_err(|problems| unusable(&name, &problems))?;
            let judgement = judge_dynamodb(&setting.world(&setting.catalog_name), &step, &params(args, now)?);
            one(args, &judgement, None, &name, &mut stdout)
        }),
        _ => Err(option("name a statement: --sql FILE or --dynamodb FILE", Some("`-` reads stdin"))),
    }?;
    stdout.flush().map_err(GuardError::Unwritable)?;
    Ok(code)
}

fn option(message: impl Into<String>, hint: Option<&str>) -> GuardError {
    GuardError::Option { message: message.into(), hint: hint.map(str::to_owned) }
}

fn unreadable(file: &Path, source: std::io::Error) -> GuardError {
    GuardError::Unreadable { file: shown(file), source }
}

fn unusable(file: &str, problems: &[crate::core::book::Problem]) -> GuardError {
    let problems: Vec<String> = problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    GuardError::Unusable { file: file.to_owned(), problems: problems.join("\n") }
}

/// A file's name as messages show it; `-` is stdin.
fn shown(file: &Path) -> String {
    if file.as_os_str() == "-" { "stdin".to_owned() } else { file.display().to_string() }
}

fn with_input(
    file: &Path,
    stdin: &mut dyn BufRead,
    act: &mut dyn FnMut(&mut dyn BufRead) -> Result<u8, GuardError>,
) -> Result<u8, GuardError> {
    if file.as_os_str() == "-" {
        return act(stdin);
    }
    let opened = std::fs::File::open(file).map_err(|source| unreadable(file, source))?;
    act(&mut std::io::BufReader::with_capacity(1 << 16, opened))
}

fn first_byte(input: &mut dyn BufRead) -> std::io::Result<Option<u8>> {
    Ok(input.fill_buf()?.first().copied())
}

/// One statement: the whole of the input. Longer than any service takes is an error before it is read.
fn statement(file: &Path, input: &mut dyn BufRead) -> Result<String, GuardError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_mul(4);
    input.take(most + 1).read_to_end(&mut bytes).map_err(|source| unreadable(file, source))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(option(format!("{} is too long for one statement", shown(file)), Some("a batch begins with `{`")));
    }
    String::from_utf8(bytes).map_err(|_| option(format!("{} is not UTF-8 text", shown(file)), None))
}

fn params(args: &GuardArgs, now: Timestamp) -> Result<Params, GuardError> {
    let today = Today::at(now, "UTC");
    args.params
        .iter()
        .map(|text| {
            param(text, &today).map_err(|why| option(format!("--param {}: {why}", crate::core::text::visible(text)), None))
        })
        .collect()
}

fn setting(
    args: &GuardArgs,
    folder: Option<&Path>,
    around: &Around<'_>,
    now: Timestamp,
    stderr: &mut dyn Write,
) -> Result<Setting, GuardError> {
    let book = folder.map(load_book).transpose()?;
    let files = match (&book, folder, args.catalogs.as_slice()) {
        (Some(book), Some(folder), []) => (around.facts)(folder, book),
        _ => args.catalogs.clone(),
    };
    let mut catalog: Option<Catalog> = None;
    for file in &files {
        if args.catalogs.is_empty() && !file.exists() {
            // A notice that nobody can read is no reason to stop.
            let _ = writeln!(stderr, "{} is not there; its facts are missing", shown(file));
            continue;
        }
        let read = load_catalog(file)?;
        match &mut catalog {
            Some(catalog) => catalog.merge(read),
            None => catalog = Some(read),
        }
    }
    let catalog = catalog.unwrap_or_default();
    let target = match (&book, &args.target) {
        (Some(book), Some(name)) => Some(book.targets.get(name.as_str()).cloned().ok_or_else(|| {
            let known: Vec<String> = book.targets.keys().map(ToString::to_string).collect();
            let name = crate::core::text::visible(name);
            option(format!("the book has no target `{name}`"), Some(&format!("it has {}", known.join(", "))))
        })?),
        (None, Some(_)) => return Err(option("--target needs --book", None)),
        (Some(book), None) => book.targets.values().next().cloned(),
        (None, None) => None,
    };
    let athena = target.as_ref().and_then(|target| target.athena.as_ref());
    let catalog_name = args
        .catalog_name
        .clone()
        .or_else(|| athena.map(|athena| athena.catalog.clone()))
        .unwrap_or_else(|| catalog.name.clone())
        .to_lowercase();
    let model = match args.model {
        Some(ModelWord::Chunks) => ScanModel::Chunks,
        Some(ModelWord::Trino) => ScanModel::Trino,
        None => athena.map(|athena| athena.scan_model).unwrap_or_default(),
    };
    let named = book.as_ref().and_then(|book| match &args.target {
        Some(name) => Some(name.clone()),
        None => book.targets.keys().next().map(ToString::to_string),
    });
    let remote = match (&book, named, &target) {
        // The target says what the operator's own rights may add; asked for is only what was named.
        (Some(book), Some(name), Some(target)) if args.look.is_some_and(|word| word != LookWord::None) => {
            let endpoint = around.endpoint.as_ref().filter(|_| target.endpoint == Endpoint::Aws);
            let place = plan_target(book, &name, endpoint).ok();
            place.and_then(|place| (around.remote)(&place)).map(|objects| (objects, target.look))
        }
        _ => None,
    };
    let (guardrails, classification) = match book {
        Some(book) => (book.guardrails, book.classification),
        None => (every_tag_blocked(&catalog), Classification::default()),
    };
    let looker = look::Looker::new(args.look, &catalog, remote);
    let second_opinion = args.second_opinion == Switch::On;
    Ok(Setting { catalog, catalog_name, guardrails, classification, target, model, second_opinion, now, looker })
}

/// Without a book every tag of the catalog files is blocked and there are no limits (CONTRACTS §4).
fn every_tag_blocked(catalog: &Catalog) -> Guardrails {
    let mut guardrails = Guardrails::default();
    let tables = catalog.catalogs.values().flat_map(|data| data.tables.values());
    let columns = tables.flat_map(|table| table.all_columns()).map(|column| &column.tags.value);
    let attributes = catalog.dynamodb.values().flat_map(|table| &table.attributes).map(|attribute| &attribute.tags.value);
    let tags = &mut guardrails.blocked_tags.value;
    tags.extend(columns.chain(attributes).flatten().cloned());
    tags.sort();
    tags.dedup();
    guardrails
}

fn load_book(folder: &Path) -> Result<Book, GuardError> {
    let file = folder.join("tollgate.yaml");
    let bytes = std::fs::read(&file).map_err(|source| unreadable(&file, source))?;
    read_book("tollgate.yaml", &bytes).whole().map_err(|problems| unusable(&shown(&file), &problems))
}

fn load_catalog(file: &Path) -> Result<Catalog, GuardError> {
    let bytes = std::fs::read(file).map_err(|source| unreadable(file, source))?;
    let base = file.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    read_catalog(&shown(file), &bytes, &base).whole().map_err(|problems| unusable(&shown(file), &problems))
}

fn one(args: &GuardArgs, judgement: &Judgement, sql: Option<&str>, file: &str, out: &mut dyn Write) -> Result<u8, GuardError> {
    match args.format {
        GuardFormat::Text => text::write(judgement, sql, file, out),
        GuardFormat::Json => serde_json::to_writer(&mut *out, judgement).map_err(Into::into).and_then(|()| writeln!(out)),
        GuardFormat::Sarif => {
            let mut log = SarifLog::begin(&mut *out)?;
            for finding in &judgement.findings {
                log.push(&SarifResult::of(finding, file, None))?;
            }
            log.end()
        }
    }
    .map_err(GuardError::Unwritable)?;
    Ok(exit(judgement))
}

fn exit(judgement: &Judgement) -> u8 {
    if judgement.verdict == Verdict::Block { 4 } else { 0 }
}

fn syntax_of(sql: &str, out: &mut dyn Write) -> Result<u8, GuardError> {
    let syntax = syntax(sql);
    serde_json::to_writer(&mut *out, &syntax).map_err(Into::into).and_then(|()| writeln!(out)).map_err(GuardError::Unwritable)?;
    Ok(u8::from(!matches!(syntax, Syntax::Parsed(_))))
}

impl From<std::io::Error> for GuardError {
    fn from(error: std::io::Error) -> Self {
        Self::Unwritable(error)
    }
}
