//! Building a plan: every statement as it will run, judged, with ceiling, workgroup, hard stop and session policy. Pure: the
//! facts are given. A plan is always built; what forbids it stands in it as findings, so that it can be shown.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value;

use crate::core::access;
use crate::core::book::{Book, Durations, Target};
use crate::core::catalog::Catalog;
use crate::core::estimate::{self, Evidence};
use crate::core::guard::{self, Finding, Judgement, Level, Param, Params, Rule, World};
use crate::core::plan::{
    ApprovalRule, AthenaPlan, BookRef, Budget, Endpoint, GUARD_VERSION, Hole, Person, Plan, PlanAction, PlanStep, PlanTarget,
    RunbookRef,
};
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::walk::sha256_hex;
use crate::core::runbook::{AthenaStep, OnFailure, ParamValue, Runbook, Step, StepKind};
use crate::core::session_policy::{self, AthenaScope, PolicyError};
use crate::core::units::{Bytes, Millis, Timestamp};

mod items;

/// What the services said about workgroups: `BytesScannedCutoffPerQuery` by name, or why it is not usable.
pub type Cutoffs = BTreeMap<String, Result<u64, String>>;

/// Everything that a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Making<'a> {
    /// The runbook.
    pub runbook: &'a Runbook,
    /// SHA-256 of its file.
    pub runbook_sha256: &'a str,
    /// The book.
    pub book: &'a Book,
    /// SHA-256 of `tollgate.yaml`.
    pub book_sha256: &'a str,
    /// Commit of the book.
    pub book_commit: Option<&'a str>,
    /// Whether its work tree was dirty.
    pub book_dirty: bool,
    /// Facts about tables.
    pub catalog: &'a Catalog,
    /// SHA-256 of those facts.
    pub facts_sha256: &'a str,
    /// What the services said about workgroups; `None`: the book's own numbers are taken (`check`, without AWS).
    pub cutoffs: Option<&'a Cutoffs>,
    /// Inputs by name.
    pub inputs: &'a IndexMap<String, ParamValue>,
    /// Inputs without a value are typed holes (`check`) instead of absent.
    pub open_inputs: bool,
    /// Captures and choices that are known already, when asking again.
    pub captured: &'a IndexMap<String, ParamValue>,
    /// Statements replaced by fixes, by step.
    pub fixes: &'a IndexMap<String, String>,
    /// The step that the grant starts at.
    pub walk_from: &'a str,
    /// Request id.
    pub request: &'a str,
    /// Run id.
    pub run: &'a str,
    /// Who asks.
    pub requester: &'a Person,
    /// Why.
    pub reason: &'a str,
    /// The incident.
    pub incident: Option<&'a str>,
    /// How long; `None`: the runbook's.
    pub duration: Option<Millis>,
    /// The endpoint, after command line and environment.
    pub endpoint: &'a Endpoint,
    /// Now.
    pub now: Timestamp,
    /// The approved plan, when its steps are made again to be compared: workgroups and ceilings stay as approved.
    pub approved: Option<&'a Plan>,
}

impl Making<'_> {
    /// The plan.
    pub fn plan(&self) -> Result<Plan, Refusal> {
        let target = self.target()?;
        let duration = self.duration()?;
        let steps = self.steps(target)?;
        let budget = budget_of(&steps);
        let approval = self.approval();
        let mut findings = Vec::new();
        self.judge_budget(budget, &mut findings);
        self.judge_reviewers(&approval, &mut findings);
        Ok(Plan {
            request: self.request.to_owned(),
            run: self.run.to_owned(),
            runbook: RunbookRef {
                id: self.runbook.id.to_string(),
                title: self.runbook.title.raw().to_owned(),
                sha256: self.runbook_sha256.to_owned(),
            },
            book: BookRef {
                name: self.book.name.raw().to_owned(),
                sha256: self.book_sha256.to_owned(),
                commit: self.book_commit.map(str::to_owned),
                dirty: self.book_dirty,
            },
            target: PlanTarget {
                name: target.name.value.to_string(),
                account: target.account.clone(),
                region: target.region.clone(),
                role: target.role.clone(),
                external_id: target.external_id.clone(),
                endpoint: self.endpoint.clone(),
                source_identity: target.source_identity,
            },
            steps,
            inputs: self.inputs.iter().map(|(name, value)| (name.clone(), value.text())).collect(),
            budget,
            findings,
            approval,
            requester: self.requester.clone(),
            reason_sha256: sha256_hex(self.reason.as_bytes()),
            incident: self.incident.map(str::to_owned),
            duration_ms: duration.0,
            use_within_ms: self.book.approvals.use_within.0,
            on_disconnect: self.runbook.access.on_disconnect,
            guard_version: GUARD_VERSION,
            facts_sha256: self.facts_sha256.to_owned(),
        })
    }

    fn target(&self) -> Result<&Target, Refusal> {
        let name = &self.runbook.access.target.value;
        self.book.targets.get(name.as_str()).ok_or_else(|| {
            Refusal::new(Kind::Usage, format!("runbook {} names target `{name}`, which the book does not have", self.runbook.id))
        })
    }

    fn duration(&self) -> Result<Millis, Refusal> {
        let most = self.runbook.access.duration;
        let refuse = |message: String| Refusal::new(Kind::Usage, message);
        match self.duration {
            None => Ok(most),
            Some(wanted) if wanted > most => {
                Err(refuse(format!("{wanted} is longer than the {most} that runbook {} allows", self.runbook.id)))
            }
            Some(wanted) if wanted < Durations::LEAST => {
                Err(refuse(format!("{wanted} is too short: the least is {}", Durations::LEAST))
                    .hint("nothing is started in the last minute of access"))
            }
            Some(wanted) => Ok(wanted),
        }
    }

    /// Steps that the walk can still reach from where it starts, in the runbook's order.
    fn steps(&self, target: &Target) -> Result<Vec<PlanStep>, Refusal> {
        let reachable = reachable(self.runbook, self.walk_from);
        let steps = self.runbook.steps.iter().filter(|step| reachable.contains(step.id.as_str()));
        steps.map(|step| self.step(target, step)).collect()
    }

    fn step(&self, target: &Target, step: &Step) -> Result<PlanStep, Refusal> {
        let action = match &step.kind {
            StepKind::Note => PlanAction::Note,
            StepKind::Confirm(_) => PlanAction::Confirm,
            StepKind::Choose(_) => PlanAction::Choose,
            StepKind::Athena(athena) => PlanAction::Athena(Box::new(self.athena(target, step, athena)?)),
            StepKind::Dynamodb(read) => PlanAction::Dynamodb(Box::new(items::plan(self, target, step, read)?)),
        };
        let when = step.when.as_ref().map(|when| when.source.clone());
        Ok(PlanStep { id: step.id.to_string(), title: step.title.raw().to_owned(), when, action })
    }

    fn athena(&self, target: &Target, step: &Step, athena: &AthenaStep) -> Result<AthenaPlan, Refusal> {
        let Some(service) = &target.athena else {
            let message = format!("target {} has no `athena`, and step {} needs it", target.name.value, step.id);
            return Err(Refusal::new(Kind::Usage, message));
        };
        let (params, holes) = self.params(athena.params.iter().map(|name| name.as_str()));
        let sql = self.fixes.get(step.id.as_str()).map_or(athena.sql.value.as_str(), String::as_str);
        let catalog = athena.catalog.clone().unwrap_or_else(|| service.catalog.clone());
        let world = World { catalog_name: &catalog, ..self.world(target) };
        let judgement = guard::judge_sql(&world, sql, athena.database.as_deref(), &params);
        let limits = &self.runbook.guardrails.athena;
        // Without a limit the largest workgroup is the limit: `workgroup` blocks what it does not cover.
        let max_scan = limits.max_scan.value.unwrap_or(Bytes(1 << 60));
        let estimate = judgement.scan.as_ref().and_then(|scan| scan.bytes);
        let ceiling = estimate::ceiling(estimate.map(|e| e.high), limits.warn_scan.value, max_scan);
        let mut findings = judgement.findings.clone();
        let approved = self.approved.and_then(|plan| plan.step(step.id.as_str())).and_then(|step| match &step.action {
            PlanAction::Athena(plan) => Some(plan),
            _ => None,
        });
        let (workgroup, hard_stop) = match approved {
            Some(plan) => (plan.workgroup.clone(), plan.hard_stop),
            None => self.workgroup(service, ceiling, &mut findings),
        };
        let ceiling = approved.map_or(ceiling, |plan| Bytes(plan.ceiling));
        let output = format!("{}/{}/", service.output.trim_end_matches('/'), self.run);
        let (tables, locations) = self.storage(&judgement, &catalog, target, &mut findings);
        let policy = session_policy::athena(&AthenaScope {
            region: &target.region,
            account: &target.account,
            workgroup: &workgroup,
            tables: &tables,
            locations: &locations,
            output: &output,
            kms: &target.kms,
            lake_formation: target.lake_formation,
        });
        check_policy(&policy, &IndexMap::new(), &mut findings);
        Ok(AthenaPlan {
            sql: judgement.canonical.clone().unwrap_or_else(|| sql.to_owned()),
            holes,
            catalog,
            database: athena.database.clone().unwrap_or_else(|| "default".to_owned()),
            workgroup,
            hard_stop,
            output,
            ceiling: ceiling.0,
            max_scan: max_scan.0,
            max_executions: self.runbook.max_visits(step.id.as_str()),
            verdict: Judgement::verdict_of(&findings),
            findings,
            reads: judgement.reads.clone(),
            output_columns: judgement.output.clone(),
            estimate,
            evidence: judgement.scan.as_ref().map_or(Evidence::Unknown, |scan| scan.evidence),
            estimate_why: judgement.scan.as_ref().map_or_else(|| "not estimated".to_owned(), |scan| scan.why.clone()),
            facts_age_s: judgement.scan.as_ref().and_then(|scan| scan.age_s),
            cost: judgement.cost.as_ref().and_then(|cost| cost.micros),
            currency: judgement.cost.as_ref().map(|cost| cost.currency.clone()),
            policy,
            service_plan: service.service_plan,
        })
    }

    fn world<'a>(&'a self, target: &'a Target) -> World<'a> {
        World {
            catalog: self.catalog,
            catalog_name: &self.catalog.name,
            guardrails: &self.runbook.guardrails,
            classification: &self.book.classification,
            price: Some(&target.price),
            model: target.athena.as_ref().map(|athena| athena.scan_model).unwrap_or_default(),
            now: self.now,
            second_opinion: true,
        }
    }

    /// The value of an input, capture or choice that is known already.
    fn known(&self, name: &str) -> Option<&ParamValue> {
        self.inputs.get(name).or_else(|| self.captured.get(name))
    }

    /// Parameters for the guard, and the holes among them. An absent optional input is neither: the guard says so.
    fn params<'n>(&self, names: impl Iterator<Item = &'n str>) -> (Params, IndexMap<String, Hole>) {
        let mut params = Params::new();
        let mut holes = IndexMap::new();
        for name in names {
            if let Some(value) = self.known(name) {
                params.insert(name.to_owned(), Param::Value(value.clone()));
                continue;
            }
            let Some(kind) = self.runbook.param_type(name) else { continue };
            // An absent optional input stands only under a `when` that proves it, so its step cannot run: it is judged over
            // every value, and its plan shows the hole.
            let filled_by = self.runbook.filled_by(name).map_or_else(|| "input".to_owned(), |(step, _, _)| step.to_string());
            params.insert(name.to_owned(), Param::Hole(kind.clone()));
            holes.insert(name.to_owned(), Hole { filled_by, kind: kind.clone() });
        }
        (params, holes)
    }

    /// The smallest configured workgroup that covers the ceiling, and its cutoff.
    fn workgroup(&self, service: &crate::core::book::AthenaTarget, ceiling: Bytes, findings: &mut Vec<Finding>) -> (String, u64) {
        let mut known: Vec<(u64, String)> = Vec::new();
        let mut unusable: Vec<String> = Vec::new();
        for group in &service.workgroups {
            let name = &group.name.value;
            match self.cutoffs.map(|cutoffs| cutoffs.get(name)) {
                None => known.push((group.cutoff.0, name.clone())),
                Some(Some(Ok(cutoff))) => known.push((*cutoff, name.clone())),
                Some(Some(Err(why))) => unusable.push(format!("{name}: {why}")),
                Some(None) => unusable.push(format!("{name}: not looked at")),
            }
        }
        known.sort();
        if let Some((cutoff, name)) = known.iter().find(|(cutoff, _)| *cutoff >= ceiling.0) {
            return (name.clone(), *cutoff);
        }
        let message = match (known.last(), unusable.as_slice()) {
            (_, [first, ..]) => format!("no workgroup can be used as a hard stop ({first})"),
            (Some((most, name)), []) => {
                format!("no workgroup's cutoff covers the ceiling of {ceiling}: the largest is {} of {name}", Bytes(*most))
            }
            (None, []) => "the target names no workgroup, so nothing would stop a query that we cannot".to_owned(),
        };
        let mut finding = Finding::new(Rule::HardStop, Level::Block, message);
        finding.set_in = service.workgroups.first().map(|group| group.name.place.to_string());
        findings.push(finding);
        known.pop().map_or_else(|| (String::new(), 0), |(cutoff, name)| (name, cutoff))
    }

    /// Tables and locations for the session policy.
    fn storage(
        &self,
        judgement: &Judgement,
        default_catalog: &str,
        target: &Target,
        findings: &mut Vec<Finding>,
    ) -> (Vec<(String, String)>, Vec<String>) {
        let mut tables = Vec::new();
        let mut locations = Vec::new();
        for read in &judgement.reads {
            let parts: Vec<&str> = read.table.split('.').collect();
            let (catalog, name) = match parts.as_slice() {
                [catalog, database, table] => (*catalog, format!("{database}.{table}")),
                _ => (default_catalog, read.table.clone()),
            };
            if let Some((database, table)) = name.split_once('.') {
                tables.push((database.to_owned(), table.to_owned()));
            }
            let Some(facts) = self.catalog.table(Some(catalog), &name) else { continue };
            match &facts.location {
                Some(location) if location.starts_with("s3://") => locations.push(location.clone()),
                _ if facts.view.is_some() || target.lake_formation || *self.endpoint == Endpoint::Sandbox => {}
                _ => findings.push(Finding::new(
                    Rule::SessionPolicy,
                    Level::Block,
                    format!("the catalog does not say where {name} is stored, so no session policy can name it; add `location: s3://…`"),
                )),
            }
        }
        (tables, locations)
    }

    fn approval(&self) -> ApprovalRule {
        let access = &self.runbook.access;
        access::rule(self.book, access.need, &access.from, self.requester, *self.endpoint == Endpoint::Sandbox)
    }

    fn judge_budget(&self, budget: Budget, findings: &mut Vec<Finding>) {
        let limit = &self.runbook.guardrails.athena.max_run_scan;
        let Some(most) = limit.value else { return };
        if budget.bytes > most.0 {
            let message = format!("the run's budget of {} is above the {most} that one run may read", Bytes(budget.bytes));
            let mut finding = Finding::new(Rule::RunBudget, Level::Block, message);
            finding.set_in = limit.set_in.as_ref().map(ToString::to_string);
            findings.push(finding);
        }
    }

    fn judge_reviewers(&self, approval: &ApprovalRule, findings: &mut Vec<Finding>) {
        if !access::can_be_approved(approval, self.book) {
            let message = format!(
                "{} of {} must approve; without {}, who asks, there are {}",
                approval.need,
                approval.from.join(", "),
                crate::core::text::visible(&self.requester.name),
                access::everybody(approval, self.book).len(),
            );
            findings.push(Finding::new(Rule::NoReviewer, Level::Block, message));
        }
    }
}

/// Which steps the walk can reach from `from`: downwards, and along every jump.
fn reachable<'a>(runbook: &'a Runbook, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = runbook.position(from).into_iter().collect();
    while let Some(at) = open.pop() {
        let Some(step) = runbook.steps.get(at) else { continue };
        if !found.insert(step.id.as_str()) {
            continue;
        }
        open.push(at + 1);
        let on_no = match &step.kind {
            StepKind::Confirm(confirm) => Some(&confirm.on_no),
            _ => None,
        };
        for way in [Some(&step.on_failure), on_no].into_iter().flatten() {
            if let OnFailure::Goto(goto) = way {
                open.extend(runbook.position(goto.step.as_str()));
            }
        }
    }
    found
}

fn budget_of(steps: &[PlanStep]) -> Budget {
    let mut budget = Budget::default();
    for step in steps {
        match &step.action {
            PlanAction::Athena(plan) => {
                let most = plan.ceiling.saturating_mul(u64::from(plan.max_executions));
                budget.bytes = budget.bytes.saturating_add(most);
            }
            PlanAction::Dynamodb(plan) => {
                let most = plan.ceiling.saturating_mul(u64::from(plan.max_executions));
                budget.read_units = budget.read_units.saturating_add(most);
            }
            PlanAction::Note | PlanAction::Confirm | PlanAction::Choose => {}
        }
    }
    budget
}

fn check_policy(policy: &str, longest: &IndexMap<String, usize>, findings: &mut Vec<Finding>) {
    if let Err(error) = session_policy::check_template(policy, longest) {
        let ways = match error {
            PolicyError::TooLong { .. } => "; read fewer tables in one step, or split the step",
            _ => "",
        };
        findings.push(Finding::new(Rule::SessionPolicy, Level::Block, format!("{error}{ways}")));
    }
}

/// Values by name from journaled JSON, by their declared types; what does not fit its type any more is left out.
pub fn typed(runbook: &Runbook, values: &IndexMap<String, Value>) -> IndexMap<String, ParamValue> {
    values
        .iter()
        .filter_map(|(name, value)| {
            let kind = runbook.param_type(name)?;
            Some((name.clone(), kind.from_json(value).ok()?))
        })
        .collect()
}
