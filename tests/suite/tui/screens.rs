//! Every screen at both sizes, from the state alone: a recorded walk (`checkout-errors.jsonl`, as `tollgate runs show --format json`
//! printed it) is told to the app event by event, and what it draws goes through `vt100`. `INSTA_UPDATE=always` writes the
//! snapshots anew; read the difference before committing it.

use std::sync::Arc;

use ratatui::layout::{Rect, Size};
use ratatui::{TerminalOptions, Viewport};
use tollgate::core::book::read_book;
use tollgate::core::guard::{Finding, Fix, Level, Position, Rule, Span, Verdict};
use tollgate::core::plan::{PlanAction, PlanDigest, PlanStep};
use tollgate::core::run::command::{Check, Kind, Refusal};
use tollgate::core::run::event::{Actor, DriftField, EventBody, Voids};
use tollgate::core::run::{Event, RunState, fold_all};
use tollgate::core::runbook::read_runbook;
use tollgate::core::units::{Millis, Timestamp};
use tollgate::engine::desk::{Planned, Preview, RunSummary, Update};
use tollgate::engine::ports::{RowColumn, Rows};
use tollgate::tui::desk::{Library, Pending, Progress};
use tollgate::tui::keymap::Keymap;
use tollgate::tui::msg::{Effect, Moment, Msg, Ticket, What};
use tollgate::tui::state::{Seat, State};
use tollgate::tui::terminal::Paper;
use tollgate::tui::theme::{Depth, Theme};
use tollgate::tui::update::{begin, update};
use tollgate::tui::view::view;

use super::foreign_sequences;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

fn recorded() -> Vec<Event> {
    include_str!("checkout-errors.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The app without a terminal: messages in, a picture out.
struct Stage {
    state: State,
    theme: Theme,
    events: Vec<Event>,
    told: usize,
    effects: Vec<Effect>,
    wall: Timestamp,
    steady: u64,
}

impl Stage {
    fn new((width, height): (u16, u16)) -> Self {
        let events = recorded();
        let wall = events[0].at.minus(Millis::from_secs(60));
        let seat = Seat {
            name: "ana".to_owned(),
            unenforced: Some("whoever can write the journal could forge a vote".to_owned()),
            endpoint: None,
            themes: vec!["terminal".to_owned(), "dark".to_owned()],
        };
        let now = Moment { wall, steady: Millis(1) };
        let state = State::new(seat, Keymap::default(), now, (width, height));
        let mut stage = Self { state, theme: Theme::default(), events, told: 0, effects: Vec::new(), wall, steady: 1 };
        stage.effects = begin(&mut stage.state, None);
        let library = stage.library();
        stage.tell(What::Library(Ok(library)));
        stage.tell(What::Runs(Ok(Vec::new())));
        stage
    }

    /// The book and the runbook as the walk froze them.
    fn library(&self) -> Library {
        let EventBody::RunCreated { runbook_yaml, book_yaml, .. } = &self.events[0].body else { panic!() };
        let book = read_book("tollgate.yaml", book_yaml.as_bytes()).whole().unwrap();
        let runbook = read_runbook("checkout-errors.yaml", runbook_yaml.as_bytes(), Some(&book)).whole().unwrap();
        Library { me: "ana".to_owned(), book: Some(Arc::new(book)), runbooks: vec![Arc::new(runbook)], problems: Vec::new() }
    }

    /// Tells a message, and that what it brought was seen a second ago.
    fn tell(&mut self, what: What) {
        self.steady += 1000;
        let at = Moment { wall: self.wall, steady: Millis(self.steady) };
        let effects = update(&mut self.state, Msg { at, what });
        self.effects.extend(effects);
        update(&mut self.state, Msg { at, what: What::Shown });
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            self.tell(What::Key(key.parse().unwrap()));
        }
    }

    fn words(&mut self, text: &str) {
        self.tell(What::Paste(text.to_owned()));
    }

    /// The number of the question that is open, by what it asks.
    fn ticket(&self, of: impl Fn(&Effect) -> Option<Ticket>) -> Ticket {
        self.effects.iter().rev().find_map(of).expect("it was asked")
    }

    fn planned(&self) -> Planned {
        let EventBody::RequestSent { plan, digest, walk_from, .. } = &self.events[1].body else { panic!() };
        Planned { plan: (**plan).clone(), digest: PlanDigest(digest.clone()), walk_from: walk_from.clone(), notices: Vec::new() }
    }

    /// To the plan, as `planned` has it.
    fn plan(&mut self, planned: Planned) {
        self.keys("enter tab enter");
        let ticket = self.ticket(|effect| match effect {
            Effect::Plan(ticket, _) => Some(*ticket),
            _ => None,
        });
        self.tell(What::Planned(ticket, Ok(Arc::new(planned))));
    }

    /// Tells the walk up to and with the `nth` event of a kind.
    fn walk(&mut self, kind: &str, nth: usize) {
        let at = self.events.iter().enumerate().filter(|(_, event)| event.body.kind() == kind).nth(nth).unwrap().0 + 1;
        let events = self.events[self.told..at].to_vec();
        self.wall = self.events[at - 1].at.plus(Millis::from_secs(2));
        self.told = at;
        let state = Arc::new(fold_all(&self.events[..at]));
        self.tell(What::Update(Box::new(Update::State { state, events })));
        self.tell(What::Runs(Ok(Vec::new())));
        self.keys("f12");
    }

    /// Tells something else instead of how the walk went on.
    fn instead(&mut self, name: &str, bodies: Vec<EventBody>) {
        let mut events = self.events[..self.told].to_vec();
        let actor = Actor { name: name.to_owned(), uid: 1001, arn: None, host: "bastion-1".to_owned() };
        for body in bodies {
            let last = events.last().unwrap();
            let event = Event {
                run: last.run.clone(),
                seq: last.seq + 1,
                at: self.wall,
                actor: actor.clone(),
                body,
                prev: String::new(),
                hash: String::new(),
            };
            events.push(event);
        }
        let news = events[self.told..].to_vec();
        let state = Arc::new(fold_all(&events));
        assert!(state.corrupt.is_none(), "{:?}", state.corrupt);
        self.tell(What::Update(Box::new(Update::State { state, events: news })));
    }

    fn request(&self) -> String {
        self.state.run.as_ref().unwrap().state.request().unwrap().id.clone()
    }

    /// A look at the step at the cursor came back.
    fn look(&mut self, change: impl FnOnce(&mut PlanStep, &mut Check)) {
        let (ticket, step) = self
            .effects
            .iter()
            .rev()
            .find_map(|effect| match effect {
                Effect::Preview(ticket, step) => Some((*ticket, step.clone())),
                _ => None,
            })
            .expect("a look was asked for");
        let mut now = self.planned().plan.step(&step).unwrap().clone();
        let mut check = Check {
            low: None,
            expected: None,
            high: None,
            evidence: "catalog".to_owned(),
            verdict: "allow".to_owned(),
            warnings: Vec::new(),
            drift: Vec::new(),
            voids: None,
        };
        change(&mut now, &mut check);
        self.tell(What::Preview(ticket, step.clone(), Ok(Box::new(Preview { step, now, check }))));
    }

    /// Prose came for the step on screen.
    fn prose(&mut self, step: &str, text: &str) {
        self.tell(What::Prose(step.to_owned(), Ok(text.to_owned())));
    }

    fn rows(&mut self) {
        let execution = self.state.run.as_ref().unwrap().state.executions[0].id.clone();
        let cell = |text: &str| Some(text.to_owned());
        let columns = [("order_id", "varchar"), ("merchant", "varchar"), ("hits", "bigint")];
        let columns = columns.map(|(name, kind)| RowColumn { name: name.to_owned(), kind: kind.to_owned() }).to_vec();
        let rows = vec![
            vec![cell("ord_7f3k2m9q0a"), cell("acme"), cell("412")],
            vec![cell("ord_1b88c0zz1x"), None, cell("37")],
            vec![cell("ord_9qk20vb3ha"), cell(""), cell("6")],
            vec![cell("ord_e\u{1b}]0;x\u{7}vil"), cell("rtl\u{202e}"), cell("1")],
        ];
        let rows = Arc::new(Rows { columns, rows, truncated: true });
        self.tell(What::Update(Box::new(Update::Rows { execution, rows })));
    }

    /// What is drawn, as a terminal shows it. Only our own sequences may be in it.
    fn picture(&mut self) -> String {
        let (width, height) = self.state.size;
        let (screen, bytes) = drawn(&mut self.state, &self.theme, width, height);
        assert_eq!(foreign_sequences(&bytes), Vec::<String>::new());
        screen
    }
}

fn drawn(state: &mut State, theme: &Theme, width: u16, height: u16) -> (String, Vec<u8>) {
    let paper = Paper::new(Size { width, height });
    let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, width, height)) };
    let mut terminal = ratatui::Terminal::with_options(paper.clone(), options).unwrap();
    let mut reach = 0;
    terminal.draw(|frame| reach = view(state, theme, frame)).unwrap();
    state.reach = reach;
    let bytes = paper.take_frame().unwrap();
    let mut parser = vt100::Parser::new(height.try_into().unwrap(), width.try_into().unwrap(), 0);
    parser.process(&bytes);
    let lines: Vec<String> = parser.screen().contents().lines().map(|line| line.trim_end().to_owned()).collect();
    (lines.join("\n"), bytes)
}

fn blocked(mut planned: Planned) -> Planned {
    let mut finding =
        Finding::new(Rule::BlockedColumn, Level::Block, "merchant is tagged pii, and its values flow into the result");
    finding.set_in = Some("tollgate.yaml:38".to_owned());
    finding.span = Some(Span { start: Position { line: 1, column: 18 }, end: Position { line: 1, column: 26 } });
    finding.fix = Some(Fix { title: "drop the column".to_owned(), sql: "SELECT 1".to_owned(), scan: None });
    if let PlanAction::Athena(plan) = &mut planned.plan.steps[0].action {
        plan.findings.push(finding);
        plan.verdict = Verdict::Block;
    }
    planned
}

fn warned(step: &mut PlanStep, check: &mut Check) {
    let mut finding = Finding::new(Rule::MaxScan, Level::Warn, "310 MB is above the warning at 200 MB");
    finding.span = Some(Span { start: Position { line: 3, column: 7 }, end: Position { line: 3, column: 25 } });
    finding.set_in = Some("checkout-errors.yaml:23".to_owned());
    if let PlanAction::Athena(plan) = &mut step.action {
        plan.findings.push(finding);
        plan.verdict = Verdict::Warn;
    }
    check.verdict = "warn".to_owned();
    check.warnings = vec!["max-scan".to_owned()];
}

/// Every screen by name, and what leads to it.
const SCREENS: &[(&str, fn(&mut Stage))] = &[
    ("pick", |_| {}),
    ("pick-filter", |s| {
        s.keys("/");
        s.words("err");
        let progress = Progress { what: "sandbox data".to_owned(), done: 12, total: 60, unit: "days".to_owned() };
        s.tell(What::Progress(Some(progress)));
    }),
    ("pick-help", |s| s.keys("?")),
    ("palette", |s| {
        s.keys(":");
        s.words("er");
    }),
    ("book-problems", |s| {
        let read = read_runbook("broken.yaml", b"runbook: v1\nid: broken\ntitel: No\n", None);
        let mut library = s.library();
        library.problems = read.problems;
        s.tell(What::Library(Ok(library)));
        s.keys("e");
    }),
    ("book-unreadable", |s| {
        let refusal = Refusal::new(Kind::Usage, "there is no book here").hint("name one with `--book DIR`");
        s.tell(What::Library(Err(refusal)));
    }),
    ("runs", |s| {
        let at = s.events.last().unwrap().at.plus(Millis::from_secs(60));
        let closed = Arc::new(fold_all(&s.events));
        let waiting = Arc::new(fold_all(&s.events[..3]));
        s.keys("r");
        let run = |state: &Arc<RunState>, driven| RunSummary { state: Arc::clone(state), mine: true, driven, at };
        s.wall = at;
        s.tell(What::Runs(Ok(vec![run(&waiting, false), run(&closed, false)])));
    }),
    ("inputs", |s| s.keys("enter")),
    ("inputs-error", |s| {
        s.keys("enter tab ctrl-u");
        s.words("600");
    }),
    ("request", |s| {
        let planned = s.planned();
        s.plan(planned);
        s.words("spike since 14:00");
    }),
    ("request-open-step", |s| {
        let planned = s.planned();
        s.plan(planned);
        s.keys("down down down down");
    }),
    ("request-blocked", |s| {
        let planned = blocked(s.planned());
        s.plan(planned);
    }),
    ("waiting", |s| s.walk("driver.taken", 0)),
    ("review", |s| {
        s.walk("driver.taken", 0);
        let state = Arc::clone(&s.state.run.as_ref().unwrap().state);
        s.keys("v");
        let ticket = s.ticket(|effect| match effect {
            Effect::Inbox { ticket, .. } => Some(*ticket),
            _ => None,
        });
        let request = s.request();
        let since_last =
            Some(vec![DriftField { field: "day".to_owned(), approved: "2026/11/19".to_owned(), now: "2026/11/20".to_owned() }]);
        let pending = Pending { state, request, since_last, book_differs: Vec::new(), incident: None, may_not: None };
        s.tell(What::Inbox(ticket, Ok(vec![pending])));
    }),
    ("approved", |s| s.walk("request.approved", 0)),
    ("denied", |s| {
        s.walk("driver.taken", 0);
        let request = s.request();
        let digest = s.planned().digest.0;
        let vote =
            EventBody::VoteCast { request: request.clone(), digest, approve: false, comment: "freeze until 18:00".to_owned() };
        s.instead("lea", vec![vote, EventBody::RequestDenied { request, by: "lea".to_owned() }]);
    }),
    ("preview", |s| {
        s.walk("step.entered", 0);
        s.look(|_, _| {});
        s.prose("errors", "Look for one order that repeats.\nA single **merchant** means `their` gateway.");
    }),
    ("preview-warn", |s| {
        s.walk("step.entered", 0);
        s.look(warned);
        s.keys("r");
    }),
    ("preview-drift", |s| {
        s.walk("step.entered", 0);
        s.look(|_, check| {
            check.drift = vec![DriftField {
                field: "steps.errors.hard_stop".to_owned(),
                approved: "100000000".to_owned(),
                now: "none".to_owned(),
            }];
            check.voids = Some(Voids::Approval);
        });
    }),
    ("preview-dynamodb", |s| {
        s.walk("step.entered", 1);
        s.look(|_, _| {});
    }),
    ("running", |s| {
        s.walk("execution.started", 0);
        let execution = s.state.run.as_ref().unwrap().state.executions[0].id.clone();
        s.tell(What::Update(Box::new(Update::Progress { execution, phase: "running".to_owned(), bytes: Some(5_200) })));
        s.keys("s");
    }),
    ("leave-while-running", |s| {
        s.walk("execution.started", 0);
        s.keys("q");
    }),
    ("results", |s| {
        s.walk("step.finished", 0);
        s.rows();
        s.keys("b enter l l o o");
    }),
    ("results-cell", |s| {
        s.walk("step.finished", 0);
        s.rows();
        s.keys("b enter G space");
    }),
    ("results-export", |s| {
        s.walk("step.finished", 0);
        s.rows();
        s.keys("b enter x");
    }),
    ("question", |s| {
        s.walk("step.entered", 3);
        s.prose("stuck", "Is `lease_until` in the past, and is `lock_owner` a host that no longer exists?");
    }),
    ("note", |s| {
        s.walk("step.entered", 6);
        s.prose("done", "Post in the channel:\n\n- **A stuck lock**: page the\n  payments on-call.\n- Everybody.");
    }),
    ("steps", |s| {
        s.walk("step.entered", 4);
        s.keys("b");
    }),
    ("soon", |s| {
        s.walk("step.entered", 0);
        s.look(|_, _| {});
        s.wall = s.wall.plus(Millis::from_mins(9));
        s.tell(What::Tick);
    }),
    ("last", |s| {
        s.walk("step.entered", 0);
        s.look(|_, _| {});
        s.wall = s.wall.plus(Millis::from_secs(14 * 60));
        s.tell(What::Tick);
    }),
    ("ended", |s| {
        s.walk("step.entered", 0);
        s.look(|_, _| {});
        s.wall = s.wall.plus(Millis::from_mins(16));
        let request = s.request();
        s.instead("ana", vec![EventBody::AccessEnded { request, reason: "the deadline".to_owned() }]);
    }),
    ("rows-awaited", |s| s.walk("run.closed", 0)),
    ("closed", |s| {
        s.walk("run.closed", 0);
        s.keys("enter");
    }),
];

#[test]
fn every_screen_at_both_sizes() {
    for (name, lead) in SCREENS {
        let mut text = String::new();
        for size in SIZES {
            let mut stage = Stage::new(size);
            lead(&mut stage);
            text.push_str(&format!("{}x{}\n{}\n", size.0, size.1, stage.picture()));
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "snapshots" }, {
            insta::assert_snapshot!(*name, text);
        });
    }
}

/// 40x12 still shows where the access stands and the keys.
#[test]
fn the_smallest_screen_keeps_countdown_and_keys() {
    for (name, lead) in SCREENS {
        let mut stage = Stage::new((40, 12));
        lead(&mut stage);
        let picture = stage.picture();
        let first = picture.lines().next().unwrap_or_default();
        let counts = ["no access", "asked ", "start within", "left ", "ENDS ", "ENDED ", "queries stop"];
        assert!(counts.iter().any(|word| first.contains(word)), "{name}:\n{picture}");
        let hints = tollgate::tui::live::hints(&stage.state);
        let shown = hints.iter().filter(|(key, label)| picture.contains(&format!("{key} {label}"))).count();
        assert!(shown >= hints.len().min(3), "{name}: {shown} of {} keys:\n{picture}", hints.len());
    }
}

/// Without colour every state is still told apart by a word, and bold and reverse stay.
#[test]
fn without_colour_nothing_is_lost() {
    let (theme, _) = Theme::load("dark", &[], Depth::None, false).unwrap();
    let (ascii, _) = Theme::load("terminal", &[], Depth::Ansi16, true).unwrap();
    for (name, lead) in SCREENS {
        let mut stage = Stage::new((80, 24));
        lead(&mut stage);
        let picture = stage.picture();
        let (mono, bytes) = drawn(&mut stage.state, &theme, 80, 24);
        assert_eq!(picture, mono, "{name}");
        let text = String::from_utf8_lossy(&bytes);
        for sequence in text.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m')).map(|(codes, _)| codes) {
            let coloured = |code: &str| matches!(code.parse::<u16>(), Ok(30..=38 | 40..=48 | 90..=107));
            let codes: Vec<&str> = sequence.split(';').collect();
            assert!(!codes.iter().any(|code| coloured(code)), "{name}: {sequence}");
        }
        let (plain, _) = drawn(&mut stage.state, &ascii, 80, 24);
        assert!(plain.is_ascii(), "{name}: {:?}", plain.chars().find(|c| !c.is_ascii()));
    }
}

/// The same state and the same message give the same picture: drawing changes nothing.
#[test]
fn a_picture_can_be_drawn_twice() {
    for (name, lead) in SCREENS {
        let mut stage = Stage::new((80, 24));
        lead(&mut stage);
        assert_eq!(stage.picture(), stage.picture(), "{name}");
    }
}
