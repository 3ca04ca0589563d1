//! `function`: functions that the book does not let anybody call, or that are not on its list, in views too.
//!
//! Keys: `athena.functions.deny`, `athena.functions.allow`, with `*` and `?`; an empty `allow` means all.

use crate::core::book::Placed;
use crate::core::guard::case::Case;
use crate::core::guard::glob::matches_parts;
use crate::core::guard::{Finding, Level, Rule};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let level = case.level(Rule::Function).value;
    let rules = &case.world.guardrails.athena.functions;
    if level == Level::Off {
        return;
    }
    let matches = |pattern: &Placed<String>, name: &str| {
        let parts: Vec<&str> = name.split('.').collect();
        pattern.value == "*" || matches_parts(pattern, parts.into_iter())
    };
    for function in case.analysis.functions.iter().chain(&case.analysis.table_functions) {
        let denied = rules.deny.iter().find(|pattern| matches(pattern, &function.name));
        let missing = rules.allow.iter().find(|list| !list.iter().any(|pattern| matches(pattern, &function.name)));
        let (why, set_in) = match (denied, missing) {
            (Some(pattern), _) => ("the book denies it", Some(pattern.place.to_string())),
            (None, Some(list)) => ("it is not on the list of allowed functions", list.first().map(|p| p.place.to_string())),
            (None, None) => continue,
        };
        let name = crate::core::text::visible(&function.name);
        let message = format!("{name} may not be called: {why}");
        findings.push(
            Finding::new(Rule::Function, level, message).about(name.as_ref()).set_in(set_in).at(case.places, function.span),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::core::guard::testing::check;

    #[test]
    fn lists_of_functions_hold_everywhere() {
        check(
            "function",
            "  athena: { functions: { deny: [\"regexp_*\", url_decode] } }\n",
            &[
                ("SELECT upper(path) FROM logs", &[]),
                ("SELECT Regexp_Like(path, 'a') FROM logs", &["block regexp_like 1:8"]),
                ("SELECT 1 FROM logs WHERE any_match(ARRAY[path], x -> url_decode(x) = 'a')", &["block url_decode 1:54"]),
            ],
        );
        check(
            "function",
            "  athena: { functions: { allow: [count, max] } }\n",
            &[("SELECT count(*), max(id) FROM logs", &[]), ("SELECT min(id) FROM logs", &["block min 1:8"])],
        );
    }
}
