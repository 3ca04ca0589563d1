//! A statement with its words told apart, and findings marked where they are.

use crate::core::guard::{Finding, Level, Span};
use crate::core::plan::Hole;
use crate::core::runbook::ParamType;
use crate::core::sql::highlight::{self, highlight};
use crate::core::sql::parser::{Declared, Parameters};
use crate::tui::rich::Rich;
use crate::tui::theme::{Glyphs, Role};

use super::facts;

/// The statement, wrapped to `width`, each finding that has a place marked in the text and said below its line. `holes` are the
/// names whose values earlier steps give. `numbered` puts line numbers before.
pub(super) fn statement(
    sql: &str,
    findings: &[Finding],
    holes: &Parameters,
    width: usize,
    numbered: bool,
    glyphs: &Glyphs,
) -> Vec<Rich> {
    let mut roles = roles(sql, holes);
    for finding in findings.iter().filter(|finding| finding.level != Level::Off) {
        if let Some(span) = place(finding) {
            mark(sql, span, if finding.level == Level::Block { Role::MarkBlock } else { Role::MarkWarn }, &mut roles);
        }
    }
    let digits = sql.split('\n').count().to_string().len();
    let gutter = if numbered { digits + 3 } else { 1 };
    let mut out = Vec::new();
    let mut start = 0;
    for (number, line) in (1_u32..).zip(sql.split('\n')) {
        let text = line.strip_suffix('\r').unwrap_or(line);
        let lead = if numbered { format!(" {number:>digits$}  ") } else { " ".to_owned() };
        let body = styled(text, roles.get(start..start + text.len()).unwrap_or(&[]));
        start += line.len() + 1;
        let room = width.saturating_sub(gutter).max(8);
        let wrapped = body.wrap(room, 4);
        let broken = wrapped.len() > 1;
        for (at, piece) in wrapped.into_iter().enumerate() {
            let lead = if at == 0 { lead.clone() } else { " ".repeat(gutter) };
            out.push(Rich::of(Role::Muted, &lead).join(piece));
        }
        for finding in findings.iter().filter(|finding| finding.level != Level::Off) {
            if let Some(span) = place(finding).filter(|span| span.start.line == number) {
                out.extend(below(finding, span, text, gutter, width, broken, glyphs));
            }
        }
    }
    // A place that is not in this text must not hide its finding.
    let lines = u32::try_from(sql.split('\n').count()).unwrap_or(u32::MAX);
    let placed = |finding: &&Finding| place(finding).is_some_and(|span| (1..=lines).contains(&span.start.line));
    for finding in findings.iter().filter(|finding| finding.level != Level::Off && !placed(finding)) {
        out.extend(finding_lines(finding, 1, width));
    }
    out
}

/// Where a finding stands in the statement that is sent, which is the one on screen.
fn place(finding: &Finding) -> Option<Span> {
    finding.sent_span.or(finding.span)
}

/// A finding in words: level, rule, message, where it was set, and the way out.
pub(super) fn finding_lines(finding: &Finding, indent: usize, width: usize) -> Vec<Rich> {
    let (role, word) = facts::level(finding.level);
    let pad = " ".repeat(indent);
    let mut line = Rich::of(Role::Text, &pad).add(role, word).add(Role::Text, " ").add(Role::Strong, finding.rule.name());
    if let Some(code) = &finding.code {
        line = line.add(Role::Muted, &format!(" {code}"));
    }
    line = line.add(Role::Text, ": ").add(Role::Text, &finding.message);
    if let Some(set_in) = &finding.set_in {
        line = line.add(Role::Muted, &format!(" (set in {set_in})"));
    }
    let mut lines = line.wrap(width, indent + 2);
    if let Some(fix) = &finding.fix {
        let line = Rich::of(Role::Text, &format!("{pad}  ")).add(Role::Ok, "fix: ").add(Role::Text, &fix.title);
        lines.extend(line.wrap(width, indent + 4));
    }
    lines
}

/// What stands below a line with a finding.
fn below(finding: &Finding, span: Span, text: &str, gutter: usize, width: usize, broken: bool, glyphs: &Glyphs) -> Vec<Rich> {
    let columns = |from: u32, to: u32| -> String {
        text.chars().skip(from.saturating_sub(1) as usize).take(to.saturating_sub(from) as usize).collect()
    };
    let lead = Rich::plain(&columns(1, span.start.column)).width();
    let end = if span.end.line == span.start.line { span.end.column } else { u32::MAX };
    let length = Rich::plain(&columns(span.start.column, end)).width().max(1);
    let role = if finding.level == Level::Block { Role::Block } else { Role::Warn };
    let at = gutter + lead;
    // Where the line was broken or the mark stands far right, there is no room beside it.
    let beside = !broken && at + length + 24 <= width;
    if beside {
        let marks = Rich::of(Role::Text, &" ".repeat(at)).add(role, &glyphs.underline.repeat(length)).add(Role::Text, " ");
        let said = finding_lines(finding, 0, width.saturating_sub(at + length + 1));
        let mut said = said.into_iter();
        let first = marks.join(said.next().unwrap_or_default());
        let pad = " ".repeat(at + length + 1);
        return std::iter::once(first).chain(said.map(|line| Rich::of(Role::Text, &pad).join(line))).collect();
    }
    let mut lines = Vec::new();
    if !broken && at < width {
        lines.push(Rich::of(Role::Text, &" ".repeat(at)).add(role, &glyphs.underline.repeat(length.min(width - at))));
    }
    lines.extend(finding_lines(finding, gutter.min(4), width));
    lines
}

/// A role for each byte.
fn roles(sql: &str, holes: &Parameters) -> Vec<Role> {
    let mut roles = vec![Role::SqlName; sql.len()];
    for part in highlight(sql, holes) {
        let role = match part.role {
            highlight::Role::Keyword => Role::SqlKeyword,
            highlight::Role::String => Role::SqlString,
            highlight::Role::Number => Role::SqlNumber,
            highlight::Role::Identifier => Role::SqlName,
            highlight::Role::Function => Role::SqlFunction,
            highlight::Role::Operator => Role::SqlOperator,
            highlight::Role::Parameter => Role::SqlHole,
            highlight::Role::Comment => Role::SqlComment,
            highlight::Role::Unknown => Role::MarkWarn,
        };
        if let Some(range) = roles.get_mut(part.bytes) {
            range.fill(role);
        }
    }
    roles
}

/// What the holes of a plan are to the reader of its statement.
pub(super) fn parameters<'a>(holes: impl Iterator<Item = (&'a String, &'a Hole)>) -> Parameters {
    let declared = |hole: &Hole| match hole.kind {
        ParamType::List { .. } => Declared::Many,
        _ => Declared::One,
    };
    holes.map(|(name, hole)| (name.clone(), declared(hole))).collect()
}

/// Marks the characters of a span; columns count characters.
fn mark(sql: &str, span: Span, role: Role, roles: &mut [Role]) {
    let (mut line, mut column) = (1, 1);
    for (at, c) in sql.char_indices() {
        let here = (line, column);
        let within = here >= (span.start.line, span.start.column) && here < (span.end.line, span.end.column);
        if within
            && c != '\n'
            && let Some(range) = roles.get_mut(at..at + c.len_utf8())
        {
            range.fill(role);
        }
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
}

/// One line with its roles.
fn styled(text: &str, roles: &[Role]) -> Rich {
    let mut line = Rich::new();
    let (mut start, mut last) = (0, None);
    for (at, _) in text.char_indices() {
        let role = roles.get(at).copied().unwrap_or(Role::SqlName);
        match last {
            Some(before) if before != role => {
                line.push(before, text.get(start..at).unwrap_or(""));
                (start, last) = (at, Some(role));
            }
            Some(_) => {}
            None => last = Some(role),
        }
    }
    if let Some(role) = last {
        line.push(role, text.get(start..).unwrap_or(""));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::{Position, Rule};

    fn text(lines: &[Rich]) -> Vec<String> {
        lines.iter().map(|line| line.text().trim_end().to_owned()).collect()
    }

    fn finding(line: u32, from: u32, to: u32) -> Finding {
        let mut finding = Finding::new(Rule::BlockedColumn, Level::Block, "email is pii");
        finding.span = Some(Span { start: Position { line, column: from }, end: Position { line, column: to } });
        finding.set_in = Some("tollgate.yaml:31".to_owned());
        finding
    }

    #[test]
    fn a_finding_stands_below_its_place() {
        let sql = "SELECT id,\n  email\nFROM shop.customers";
        let lines = statement(sql, &[finding(2, 3, 8)], &Parameters::new(), 78, true, &Glyphs::UNICODE);
        assert_eq!(
            text(&lines),
            [
                " 1  SELECT id,",
                " 2    email",
                "      ~~~~~ BLOCK blocked-column: email is pii (set in tollgate.yaml:31)",
                " 3  FROM shop.customers",
            ]
        );
        let roles: Vec<Role> = lines[1].pieces().iter().map(|piece| piece.role).collect();
        assert!(roles.contains(&Role::MarkBlock));
    }

    #[test]
    fn a_place_beside_the_text_hides_nothing() {
        let lines = statement("SELECT 1", &[finding(9, 1, 2)], &Parameters::new(), 60, false, &Glyphs::UNICODE);
        assert!(text(&lines).iter().any(|line| line.contains("blocked-column")));
    }

    #[test]
    fn hidden_characters_keep_the_mark_in_place() {
        let sql = "SELECT '\u{202e}x', email FROM t";
        let lines = text(&statement(sql, &[finding(1, 14, 19)], &Parameters::new(), 120, false, &Glyphs::UNICODE));
        assert_eq!(lines[0], " SELECT '<U+202E>x', email FROM t");
        assert_eq!(lines[1].find('~'), lines[0].find("email"));
    }

    #[test]
    fn holes_are_told_from_values() {
        let lines = statement(
            "SELECT :worst, 'x', 5",
            &[],
            &Parameters::from([("worst".to_owned(), Declared::One)]),
            80,
            false,
            &Glyphs::UNICODE,
        );
        let hole: String =
            lines[0].pieces().iter().filter(|piece| piece.role == Role::SqlHole).map(|piece| piece.text().to_owned()).collect();
        assert_eq!(hole, ":worst");
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_span_can_be_shown(sql in "\\PC{0,60}", line in 0u32..4, from in 0u32..70, to in 0u32..70, width in 10usize..90) {
            let findings = [finding(line, from, to)];
            let lines = statement(&sql, &findings, &Parameters::new(), width, true, &Glyphs::UNICODE);
            proptest::prop_assert!(lines.iter().any(|line| line.text().contains("BLOCK")));
        }
    }
}
