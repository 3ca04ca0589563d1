//! A judgement for people.

use std::io::Write;

use crate::core::guard::{Finding, Judgement, Level, Verdict};
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
    for finding in &judgement.findings {
        self::finding(finding, sql, file, out)?;
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
    if let Some(scan) = &judgement.scan {
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
    if let Some(cost) = &judgement.cost {
        match cost.micros {
            Some(c) => writeln!(out, "cost  {} expected (low {}, high {})", Micros(c.expected), Micros(c.low), Micros(c.high))?,
            None => writeln!(out, "cost  unknown")?,
        }
    }
    Ok(())
}

fn finding(finding: &Finding, sql: Option<&str>, file: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let word = if finding.level == Level::Block { "BLOCK" } else { "WARN" };
    let at =
        finding.span.map_or_else(String::new, |span| format!("{}:{}:{}: ", visible(file), span.start.line, span.start.column));
    let code = finding.code.as_deref().map_or_else(String::new, |code| format!(" [{code}]"));
    writeln!(out, "{at}{word} {}{code}: {}", finding.rule.name(), visible(&finding.message))?;
    if let (Some(span), Some(sql)) = (finding.span, sql)
        && let Some(line) = sql.lines().nth(span.start.line.saturating_sub(1) as usize)
    {
        let before: String = line.chars().take(span.start.column.saturating_sub(1) as usize).collect();
        let width = if span.end.line == span.start.line {
            (span.end.column.saturating_sub(span.start.column) as usize).max(1)
        } else {
            1
        };
        let marked: String = line.chars().skip(span.start.column.saturating_sub(1) as usize).take(width).collect();
        let lead = unicode_width::UnicodeWidthStr::width(visible(&before).as_ref());
        let mark = unicode_width::UnicodeWidthStr::width(visible(&marked).as_ref()).max(1);
        writeln!(out, "    {}", visible(line))?;
        writeln!(out, "    {}{}", " ".repeat(lead), "~".repeat(mark))?;
    }
    if let Some(set_in) = &finding.set_in {
        writeln!(out, "    set in {}", visible(set_in))?;
    }
    if let Some(fix) = &finding.fix {
        writeln!(out, "    fix: {}", visible(&fix.title))?;
        for line in fix.sql.lines() {
            writeln!(out, "      {}", visible(line))?;
        }
    }
    Ok(())
}
