//! A judgement for people.

use std::io::Write;

use crate::core::guard::{Finding, Fix, Judgement, Level, Span, Verdict};
use crate::core::text::visible;
use crate::core::units::{Bytes, Micros, Millis, ReadUnits};

/// Writes one judgement. `sql` is the statement as written, for the lines that findings point at.
pub(super) fn write(judgement: &Judgement, sql: Option<&str>, file: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let word = match judgement.verdict {
        Verdict::Allow => "OK",
        Verdict::Warn => "WARN",
        Verdict::Block => "BLOCK",
    };
    writeln!(out, "{word}  {}{}", judgement.statement, if judgement.analysed { "" } else { " (not analysed)" })?;
    // Several findings at one place share the line that shows it.
    for group in judgement.findings.chunk_by(|a, b| a.span.is_some() && a.span == b.span) {
        findings(group, sql, file, out)?;
    }
    for read in &judgement.reads {
        let parts = read.partitions.map_or_else(String::new, |p| format!("  ({} of {} partitions)", p.matched, p.total));
        writeln!(out, "reads {}: {}{parts}", visible(&read.table), visible(&read.columns.join(" ")))?;
    }
    for (index, column) in judgement.output.iter().enumerate() {
        let name = column.name.as_deref().map_or_else(|| format!("column {}", index + 1), |name| visible(name).into_owned());
        let kind = column.kind.as_deref().map_or_else(String::new, |kind| format!(" {}", visible(kind)));
        let sources = if column.sources.is_empty() { "no column".to_owned() } else { column.sources.join(", ") };
        writeln!(out, "out   {name}{kind} ← {}", visible(&sources))?;
    }
    if !judgement.filters_on.is_empty() {
        writeln!(out, "filters on {}", visible(&judgement.filters_on.join(", ")))?;
    }
    // Of what was not analysed, the findings say all there is to say.
    if let Some(scan) = judgement.scan.as_ref().filter(|_| judgement.analysed) {
        let age = scan.age_s.map_or_else(String::new, |age| format!(", {} old", Millis::from_secs(age)));
        let rests = format!("{:?}", scan.evidence).to_lowercase();
        match scan.bytes {
            Some(b) => writeln!(
                out,
                "scan  {} expected (low {}, high {})  {} · {rests}{age}",
                Bytes(b.expected),
                Bytes(b.low),
                Bytes(b.high),
                visible(&scan.why)
            )?,
            None => writeln!(out, "scan  unknown: {}", visible(&scan.why))?,
        }
    }
    if let Some(read) = &judgement.read {
        let units = read.units.map_or_else(
            || "unknown".to_owned(),
            |u| format!("{} expected (low {}, high {})", ReadUnits(u.expected), ReadUnits(u.low), ReadUnits(u.high)),
        );
        writeln!(out, "read  {}: {units}  {}", visible(&read.path), visible(&read.why))?;
    }
    if let Some(cost) = judgement.cost.as_ref().filter(|_| judgement.analysed) {
        match cost.micros {
            Some(c) => writeln!(out, "cost  {} expected (low {}, high {})", Micros(c.expected), Micros(c.low), Micros(c.high))?,
            None => writeln!(out, "cost  unknown")?,
        }
    }
    Ok(())
}

fn findings(group: &[Finding], sql: Option<&str>, file: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for finding in group {
        let word = if finding.level == Level::Block { "BLOCK" } else { "WARN" };
        let at = finding
            .span
            .map_or_else(String::new, |span| format!("{}:{}:{}: ", visible(file), span.start.line, span.start.column));
        let code = finding.code.as_deref().map_or_else(String::new, |code| format!(" [{code}]"));
        let set_in = finding.set_in.as_deref().map_or_else(String::new, |place| format!(" (set in {})", visible(place)));
        writeln!(out, "{at}{word} {}{code}: {}{set_in}", finding.rule.name(), visible(&finding.message))?;
    }
    if let (Some(span), Some(sql)) = (group.first().and_then(|finding| finding.span), sql) {
        marked(span, sql, out)?;
    }
    let mut shown: Vec<&Fix> = Vec::new();
    for fix in group.iter().filter_map(|finding| finding.fix.as_ref()) {
        if shown.contains(&fix) {
            continue;
        }
        shown.push(fix);
        let scan = fix.scan.map_or_else(String::new, |scan| format!(" ({} expected)", Bytes(scan.expected)));
        writeln!(out, "    fix: {}{scan}", visible(&fix.title))?;
        for line in fix.sql.lines() {
            writeln!(out, "      {}", visible(line))?;
        }
    }
    Ok(())
}

/// The line on which `span` begins, and marks under it to its end or that of the line.
fn marked(span: Span, sql: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(line) = sql.lines().nth(span.start.line.saturating_sub(1) as usize) else { return Ok(()) };
    let start = span.start.column.saturating_sub(1) as usize;
    let width = if span.end.line == span.start.line {
        (span.end.column.saturating_sub(span.start.column) as usize).max(1)
    } else {
        usize::MAX
    };
    let before: String = line.chars().take(start).collect();
    let marked: String = line.chars().skip(start).take(width).collect();
    let columns = |text: &str| unicode_width::UnicodeWidthStr::width(visible(text).as_ref());
    writeln!(out, "    {}", visible(line))?;
    writeln!(out, "    {}{}", " ".repeat(columns(&before)), "~".repeat(columns(&marked).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::{Position, Rule};

    #[test]
    fn findings_of_one_place_share_its_line() {
        let at = |column| Position { line: 2, column };
        let finding = |message: &str| {
            let mut finding = Finding::new(Rule::BlockedColumn, Level::Block, message);
            finding.span = Some(Span { start: at(3), end: at(6) });
            finding
        };
        let mut first = finding("one");
        first.set_in = Some("tollgate.yaml:31".to_owned());
        first.fix = Some(Fix { title: "Drop it".to_owned(), sql: "SELECT\n1".to_owned(), scan: None });
        let mut second = finding("two");
        second.fix = first.fix.clone();
        let mut bytes = Vec::new();
        findings(&[first, second], Some("SELECT\n\u{7f}abcd"), "a.sql", &mut bytes).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "a.sql:2:3: BLOCK blocked-column: one (set in tollgate.yaml:31)\n\
             a.sql:2:3: BLOCK blocked-column: two\n    \
             ␡abcd\n      ~~~\n    fix: Drop it\n      SELECT\n      1\n"
        );
    }
}
