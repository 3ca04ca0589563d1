//! The form of inputs.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, below, inset};
use crate::core::runbook::{Input, ParamType, ParamValue};
use crate::tui::rich::Rich;
use crate::tui::state::{InputField, Inputs};
use crate::tui::theme::Role;

const NAME_WIDTH: usize = 14;
const VALUE_WIDTH: u16 = 24;
/// Narrower forms put the type below the field.
const BESIDE: u16 = 64;

pub(super) fn draw(inputs: &Inputs, canvas: &mut Canvas<'_>, area: Rect) {
    let head = Rich::of(Role::Heading, inputs.runbook.title.raw()).add(Role::Muted, "  what it asks for");
    canvas.line(inset(area), area.y, &head);
    let area = below(area, 2);
    let each = if area.width >= BESIDE { 2 } else { 3 };
    let visible = (area.height / each).max(1);
    let focus = u16::try_from(inputs.focus).unwrap_or(0);
    let top = focus.saturating_sub(visible.saturating_sub(1));
    for (slot, (at, field)) in inputs.fields.iter().enumerate().skip(usize::from(top)).take(usize::from(visible)).enumerate() {
        let y = area.y + u16::try_from(slot).unwrap_or(0) * each;
        let Some(input) = inputs.runbook.inputs.get(field.name.as_str()) else { continue };
        one(field, input, at == inputs.focus, inputs.tried, canvas, Rect { y, height: each, ..area });
    }
}

fn one(field: &InputField, input: &Input, focused: bool, tried: bool, canvas: &mut Canvas<'_>, area: Rect) {
    let mark = if focused { canvas.glyphs().pointer } else { " " };
    let name = Rich::of(Role::Key, mark).join(Rich::of(Role::FieldName, &field.name).left(NAME_WIDTH, canvas.glyphs().ellipsis));
    canvas.line(area, area.y, &name);
    let x = area.x + u16::try_from(NAME_WIDTH).unwrap_or(0) + 1;
    let width = VALUE_WIDTH.min(area.width.saturating_sub(u16::try_from(NAME_WIDTH).unwrap_or(0) + 4));
    canvas.field(&field.field, Position { x, y: area.y }, width, focused);
    let mut about = Rich::of(Role::Muted, &kind(&input.param_type));
    if input.optional {
        about = about.add(Role::Muted, ", may be empty");
    }
    let mut y = area.y;
    let beside = Rect { x: x + width + 4, width: area.width.saturating_sub(x - area.x + width + 4), ..area };
    if area.width >= BESIDE {
        canvas.line(beside, y, &about.cut(usize::from(beside.width), canvas.glyphs().ellipsis));
    } else {
        y += 1;
        canvas.line(inset(area), y, &about.cut(usize::from(area.width) - 2, canvas.glyphs().ellipsis));
    }
    let under = Rect { x, width: area.width.saturating_sub(x - area.x), ..area };
    let line = match &field.value {
        // A field that was not touched yet does not complain of being empty.
        Err(why) if !field.field.is_empty() || tried => Rich::of(Role::FieldError, why),
        Ok(Some(value)) if is_relative(value, field.field.text()) => {
            let stands_for = format!("{} {}  ", canvas.glyphs().to, value.text());
            Rich::of(Role::Text, &stands_for).add(Role::Muted, input.help.raw())
        }
        _ => Rich::of(Role::Muted, input.help.raw()),
    };
    canvas.line(under, y + 1, &line.cut(usize::from(under.width), canvas.glyphs().ellipsis));
}

/// Whether what is typed stands for another text: `today`.
fn is_relative(value: &ParamValue, typed: &str) -> bool {
    matches!(value, ParamValue::Date { .. } | ParamValue::Timestamp { .. }) && value.text() != typed.trim()
}

/// The type in words a person needs to fill the field.
fn kind(param_type: &ParamType) -> String {
    let between = |min: Option<String>, max: Option<String>| match (min, max) {
        (Some(min), Some(max)) => format!(" {min} to {max}"),
        (Some(min), None) => format!(" from {min}"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    };
    match param_type {
        ParamType::Int { min, max } => format!("int{}", between(min.map(|n| n.to_string()), max.map(|n| n.to_string()))),
        ParamType::Decimal { min, max } => format!("decimal{}", between(min.map(|n| n.to_string()), max.map(|n| n.to_string()))),
        ParamType::Enum { values } => format!("one of {}", values.join(", ")),
        ParamType::String { pattern: Some(pattern), .. } => format!("text like {}", pattern.as_str()),
        ParamType::String { max: Some(max), .. } => format!("text up to {max} characters"),
        ParamType::String { .. } => "text".to_owned(),
        ParamType::List { of, max } => {
            let most = max.map(|max| format!(", at most {max}")).unwrap_or_default();
            format!("list of {}{most}, with commas", kind(of))
        }
        ParamType::Bool => "true or false".to_owned(),
        ParamType::Date { .. } => "date: 2026-11-20, today, -3d".to_owned(),
        ParamType::Timestamp { .. } => "time: 2026-11-20 14:00, UTC".to_owned(),
        ParamType::Uuid => "uuid".to_owned(),
    }
}
