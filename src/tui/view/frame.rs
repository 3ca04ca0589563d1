//! The frame: where one is, who one is, the countdown, notices and keys.

use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::canvas::{Canvas, below};
use crate::tui::countdown::{Countdown, Urgency};
use crate::tui::live;
use crate::tui::rich::Rich;
use crate::tui::state::{Screen, State, Tone};
use crate::tui::theme::Role;

/// Lower screens have no rules, so that something is left for what matters.
const RULES_FROM: u16 = 16;
/// Keys take at most this many lines.
const HINT_LINES: usize = 3;
/// Narrower screens get the short form of the countdown.
const NARROW: u16 = 60;

/// Draws the frame; gives what is left of `area` for the screen.
pub(super) fn draw(state: &State, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
    let ruled = area.height >= RULES_FROM;
    let right = right(state, area.width, canvas);
    let left = left(state, usize::from(area.width).saturating_sub(right.width() + 1), canvas);
    canvas.both(area, area.y, left, &right);
    let hints = hints(state, usize::from(area.width));
    let notices = notices(state, usize::from(area.width), canvas);
    let hint_lines = u16::try_from(hints.len()).unwrap_or(1);
    // Notices never take the last lines of the screen away.
    let room = area.height.saturating_sub(1 + hint_lines + 2 * u16::from(ruled) + 3);
    let shown = notices.len().min(usize::from(room));
    let notice_lines = u16::try_from(shown).unwrap_or(0);
    let foot = hint_lines + notice_lines + u16::from(ruled);
    let body = below(Rect { height: area.height.saturating_sub(foot), ..area }, 1 + u16::from(ruled));
    if ruled {
        canvas.rule(area, area.y + 1);
        canvas.rule(area, area.bottom().saturating_sub(foot));
    }
    let top = area.bottom().saturating_sub(hint_lines + notice_lines);
    for (y, line) in (top..).zip(notices.iter().skip(notices.len() - shown).chain(&hints)) {
        canvas.line(area, y, line);
    }
    body
}

/// Who, enforced or not, and the countdown: never cut.
fn right(state: &State, width: u16, canvas: &Canvas<'_>) -> Rich {
    let now = state.wall();
    let countdown = state.run.as_ref().map_or(Countdown::None, |run| Countdown::of(&run.state, now));
    let role = match countdown.urgency(now) {
        Urgency::Calm => Role::Calm,
        Urgency::Soon => Role::Soon,
        Urgency::Last | Urgency::Over => Role::Last,
    };
    let mut line = Rich::new();
    if width >= NARROW {
        let acting = match state.screen() {
            Some(Screen::Review(review)) => review.as_name.as_ref(),
            _ => None,
        };
        line.push(Role::Person, acting.unwrap_or(&state.seat.name));
        line.push(Role::Text, "  ");
    }
    if let Some(endpoint) = &state.seat.endpoint {
        line.push(Role::Unenforced, &format!("{} {endpoint} ", canvas.glyphs().to));
    }
    if state.seat.unenforced.is_some() {
        line.push(Role::Unenforced, "UNENFORCED");
        line.push(Role::Text, " ");
    }
    line.add(role, &countdown.words(now, width < NARROW)).add(Role::Text, " ")
}

/// Where one is. What does not fit is cut, then dropped, from the end of the list: the step's title, its number, the runbook.
fn left(state: &State, room: usize, canvas: &Canvas<'_>) -> Rich {
    let crumb = format!(" {} ", canvas.glyphs().crumb);
    let brand = Rich::of(Role::Brand, " tollgate");
    let (name, number, title) = place(state);
    let mut line = Rich::new().join(brand.clone());
    let mut fits = |next: Rich| {
        let ok = next.width() <= room;
        if ok {
            line = next;
        }
        ok
    };
    let Some(name) = name else { return line };
    let named = brand.add(Role::Text, "  ").add(Role::Crumb, &name);
    // A long name is cut rather than dropped while something of it can be read.
    if !fits(named.clone()) {
        if room >= 24 {
            fits(named.cut(room, canvas.glyphs().ellipsis));
        }
        return line;
    }
    let Some(number) = number else { return line };
    let numbered = named.add(Role::Rule, &crumb).add(Role::Crumb, &number);
    if fits(numbered.clone())
        && let Some(title) = title
    {
        let titled = numbered.clone().add(Role::Crumb, " ").add(Role::Crumb, &title);
        // Some of a title is better than none, a letter or two is not.
        if !fits(titled.clone()) && room >= numbered.width() + 8 {
            fits(titled.cut(room, canvas.glyphs().ellipsis));
        }
    }
    line
}

/// The runbook's title, the step's number, the step's title.
fn place(state: &State) -> (Option<String>, Option<String>, Option<String>) {
    let book = || state.library.ready().and_then(|library| library.book.as_ref()).map(|book| book.name.raw().to_owned());
    let word = |word: &str| Some(word.to_owned());
    match state.screen() {
        Some(Screen::Pick(_)) | None => (book(), None, None),
        Some(Screen::Problems(_)) => (book(), word("problems"), None),
        Some(Screen::Runs(_)) => (book(), word("runs"), None),
        Some(Screen::Inbox(_)) => (book(), word("inbox"), None),
        Some(Screen::Review(review)) => {
            let title = review.pending.state.walk.as_ref().map(|walk| walk.runbook.title.raw().to_owned());
            let whom = review.as_name.as_ref().map_or_else(|| "review".to_owned(), |name| format!("review as {name}"));
            (title, Some(whom), None)
        }
        Some(Screen::Inputs(inputs)) => (Some(inputs.runbook.title.raw().to_owned()), word("inputs"), None),
        Some(Screen::Request(request)) => {
            let what = if request.again.is_some() { "plan for the rest" } else { "plan" };
            (Some(request.runbook.title.raw().to_owned()), word(what), None)
        }
        Some(Screen::Run) => {
            let Some(run) = &state.run else { return (None, None, None) };
            let title = run.state.walk.as_ref().map(|walk| walk.runbook.title.raw().to_owned());
            let stage = run.stage(state.wall());
            let Some(step) = stage.step() else { return (title, None, None) };
            let number = run.number(step).map(|(at, of)| format!("{at} of {of}"));
            (title, number, run.step(step).map(|step| step.title.raw().to_owned()))
        }
    }
}

fn notices(state: &State, width: usize, canvas: &Canvas<'_>) -> Vec<Rich> {
    let mut lines = Vec::new();
    if let Some(progress) = &state.progress {
        let text = format!(" {}: {} of {} {}", progress.what, progress.done, progress.total, progress.unit);
        lines.push(Rich::of(Role::Muted, &text).cut(width, canvas.glyphs().ellipsis));
    }
    if let Some(run) = &state.run
        && let Some(busy) = &run.busy
    {
        lines.push(Rich::of(Role::Busy, " busy: ").add(Role::Text, busy).cut(width, canvas.glyphs().ellipsis));
    }
    for notice in &state.notices {
        let (role, word) = match notice.tone {
            Tone::Info => (Role::Info, ""),
            Tone::Warn => (Role::Warn, "note: "),
            Tone::Alarm => (Role::Block, ""),
            Tone::Error => (Role::Block, "error: "),
        };
        let mut line =
            Rich::of(Role::Text, " ").add(role, word).add(if word.is_empty() { role } else { Role::Text }, &notice.text);
        if let Some(hint) = &notice.hint {
            line = line.add(Role::Muted, " hint: ").add(Role::Text, hint);
        }
        lines.extend(line.wrap(width, 2).into_iter().take(3));
    }
    lines
}

/// The keys that work now, in as few lines as they need.
fn hints(state: &State, width: usize) -> Vec<Rich> {
    let hints = live::hints(state);
    let total: usize = hints.iter().map(|(key, label)| key.to_string().width() + label.width() + 4).sum();
    let gap = if total <= width { "   " } else { "  " };
    let mut lines = vec![Rich::of(Role::Text, " ")];
    for (key, label) in hints {
        let hint = Rich::of(Role::Key, &key.to_string()).add(Role::Label, " ").add(Role::Label, label);
        let count = lines.len();
        let Some(line) = lines.last_mut() else { break };
        let fresh = line.width() <= 1;
        let wanted = hint.width() + if fresh { 0 } else { gap.len() };
        if line.width() + wanted > width && !fresh {
            if count == HINT_LINES {
                break;
            }
            lines.push(Rich::of(Role::Text, " ").join(hint));
            continue;
        }
        let before = if fresh { "" } else { gap };
        *line = std::mem::take(line).add(Role::Text, before).join(hint);
    }
    lines
}
