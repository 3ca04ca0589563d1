//! Reading a policy document.

use super::condition::Condition;
use super::node::Node;
use super::pattern::Pattern;
use super::{Actions, Policy, Statement};

/// Why AWS would not take this as a policy; the text is the message of MalformedPolicyDocument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub String);

fn syntax<T>(message: impl Into<String>) -> Result<T, PolicyError> {
    Err(PolicyError(message.into()))
}

/// Reads a document; see [`Policy::parse`].
pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let Ok(root) = serde_json::from_str::<Node>(text) else {
        return syntax("This policy contains invalid Json");
    };
    let Node::Map(elements) = root else { return syntax("Syntax errors in policy.") };
    let mut reader = Reader { variables: false, not_understood: None };
    let mut statements = None;
    for (name, value) in &elements {
        match (name.as_str(), value) {
            ("Version", Node::Text(version)) if version == "2012-10-17" => reader.variables = true,
            ("Version", Node::Text(version)) if version == "2008-10-17" => {}
            ("Version", _) => return syntax("The policy must contain a valid version string"),
            ("Id", Node::Text(_)) => {}
            ("Statement", value) => statements = Some(value),
            _ => return syntax("Syntax errors in policy."),
        }
    }
    let statements: Vec<&Node> = match statements {
        Some(Node::List(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => return syntax("Syntax errors in policy."),
    };
    if statements.is_empty() {
        return syntax("Syntax errors in policy.");
    }
    let statements = statements.into_iter().map(|s| reader.statement(s)).collect::<Result<_, _>>()?;
    Ok(Policy { statements, not_understood: reader.not_understood })
}

struct Reader {
    variables: bool,
    not_understood: Option<String>,
}

impl Reader {
    fn statement(&mut self, node: &Node) -> Result<Statement, PolicyError> {
        let Node::Map(elements) = node else { return syntax("Syntax errors in policy.") };
        let (mut allow, mut actions, mut resources, mut conditions) = (None, None, None, Vec::new());
        for (name, value) in elements {
            match (name.as_str(), value) {
                ("Sid", Node::Text(_)) => {}
                ("Effect", Node::Text(effect)) if effect == "Allow" => allow = Some(true),
                ("Effect", Node::Text(effect)) if effect == "Deny" => allow = Some(false),
                ("Effect", _) => return syntax("Syntax errors in policy."),
                ("Action" | "NotAction", _) if actions.is_some() => return syntax("Syntax errors in policy."),
                ("Action", value) => actions = Some(Actions::Only(self.actions(value)?)),
                ("NotAction", value) => actions = Some(Actions::AllBut(self.actions(value)?)),
                ("Resource" | "NotResource", _) if resources.is_some() => return syntax("Syntax errors in policy."),
                ("Resource", value) => resources = Some(self.resources(value)?),
                ("NotResource", value) => {
                    self.unknown("element NotResource".to_owned());
                    resources = Some(self.resources(value)?);
                }
                ("Condition", Node::Map(operators)) => conditions = self.conditions(operators)?,
                ("Principal" | "NotPrincipal", _) => return syntax("Policy document should not specify a principal."),
                _ => return syntax("Syntax errors in policy."),
            }
        }
        let Some(allow) = allow else { return syntax("Missing required field Effect") };
        let Some(actions) = actions else { return syntax("Policy statement must contain actions.") };
        let Some(resources) = resources else { return syntax("Policy statement must contain resources.") };
        Ok(Statement { allow, actions, resources, conditions })
    }

    fn actions(&mut self, value: &Node) -> Result<Vec<Pattern>, PolicyError> {
        let Some(texts) = value.scalars().filter(|texts| !texts.is_empty()) else {
            return syntax("Policy statement must contain actions.");
        };
        let mut patterns = Vec::new();
        for text in texts {
            let vendor = text.split_once(':').map(|(vendor, _)| vendor);
            if text != "*" && vendor.is_none_or(|v| v.is_empty() || v.contains(['*', '?'])) {
                return syntax("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
            }
            patterns.extend(self.pattern(&text));
        }
        Ok(patterns)
    }

    fn resources(&mut self, value: &Node) -> Result<Vec<Pattern>, PolicyError> {
        let Some(texts) = value.scalars().filter(|texts| !texts.is_empty()) else {
            return syntax("Policy statement must contain resources.");
        };
        let mut patterns = Vec::new();
        for text in texts {
            if let Some(pattern) = self.pattern(&text) {
                if !pattern.is_arn() {
                    return syntax(format!("Resource {text} must be in ARN format or \"*\"."));
                }
                patterns.push(pattern);
            }
        }
        Ok(patterns)
    }

    fn conditions(&mut self, operators: &[(String, Node)]) -> Result<Vec<Condition>, PolicyError> {
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let Node::Map(keys) = keys else { return syntax("Syntax errors in policy.") };
            for (key, values) in keys {
                let Some(values) = values.scalars() else { return syntax("Syntax errors in policy.") };
                match Condition::parse(operator, key, &values, self.variables) {
                    Ok(condition) => conditions.push(condition),
                    Err(unknown) => self.unknown(unknown),
                }
            }
        }
        Ok(conditions)
    }

    fn pattern(&mut self, text: &str) -> Option<Pattern> {
        match Pattern::parse(text, self.variables) {
            Ok(pattern) => Some(pattern),
            Err(unknown) => {
                self.unknown(unknown);
                None
            }
        }
    }

    fn unknown(&mut self, what: String) {
        self.not_understood.get_or_insert(what);
    }
}
