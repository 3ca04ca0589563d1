//! Asks: what a frontend wants of its session.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{Ask, Done, ExportFormat, LookReply, Session};
use crate::core::run::Command;
use crate::core::run::command::{Kind, Refusal};
use crate::core::run::state::StepStatus;
use crate::engine::desk::Preview;
use crate::engine::{evaluating, exporting, looking};

impl Session {
    /// Answers one ask.
    pub(super) fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Do(command, reply) => {
                let outcome = self.obey(&command);
                send(reply, outcome);
            }
            Ask::Advance(reply) => {
                let outcome = self.advance();
                send(reply, outcome);
            }
            Ask::Preview(reply) => self.look(false, LookReply::Preview(reply)),
            Ask::Execute(reply) => self.look(true, LookReply::Execute(reply)),
            Ask::Options(reply) => {
                let state = self.state.clone();
                let outcome = evaluating::options(&state, |execution| self.rows_of(execution));
                send(reply, outcome);
            }
            Ask::Prose(step, reply) => send(reply, evaluating::prose(&self.state, &step)),
            Ask::Rows(execution, reply) => {
                let rows = self.rows_of(&execution).ok_or_else(|| {
                    Refusal::new(Kind::Failed, "the rows of this step are gone")
                        .hint("they are kept until the run's end, at most 24 h")
                });
                send(reply, rows);
            }
            Ask::Export(execution, format, reply) => {
                let outcome = self.export(&execution, format);
                send(reply, outcome);
            }
            Ask::Abandon => self.held.abandoned = true,
            // The actor's loop ends on it before it gets here.
            Ask::Leave(_, reply) => send(reply, ()),
        }
    }

    /// A command from outside; only what people may ask, the rest is the engine's own.
    fn obey(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Request { .. }
            | Command::Cancel { .. }
            | Command::Vote { .. }
            | Command::StartAccess
            | Command::Acknowledge
            | Command::Answer { .. }
            | Command::Choose { .. }
            | Command::AcceptWarning
            | Command::Stop { .. }
            | Command::Close { .. }
            | Command::Note { .. }
            | Command::Fix { .. }
            | Command::Revoke
            | Command::SwitchIdentity { .. } => self.follow(command),
            _ => Err(Refusal::new(Kind::Bug, "this command is the engine's own")),
        }
    }

    /// Goes on to the next step that is to be entered.
    fn advance(&mut self) -> Result<(), Refusal> {
        self.catch_up()?;
        for _ in 0..=self.state.steps.len() {
            if self.state.is_closed() || self.state.cursor.is_none() {
                return Ok(());
            }
            let when = evaluating::condition(&self.state)?;
            self.follow(&Command::Enter { when })?;
            let entered = self
                .state
                .cursor
                .as_ref()
                .and_then(|step| self.state.steps.get(step))
                .is_some_and(|step| step.status == StepStatus::Entered);
            if entered {
                return Ok(());
            }
        }
        Ok(())
    }

    fn look(&mut self, execute: bool, reply: LookReply) {
        let (ports, state, now) = (self.ports.clone(), Arc::new(self.state.clone()), self.now());
        let done = self.done_tx.clone();
        tokio::spawn(async move {
            let preview = looking::look(ports, state, now).await;
            let _ = done.send((String::new(), Done::Looked { execute, preview, reply }));
        });
    }

    /// A look has ended: shown, or executed on.
    pub(super) fn looked(&mut self, execute: bool, preview: Result<Preview, Refusal>, reply: LookReply) {
        match reply {
            LookReply::Preview(reply) => send(reply, preview),
            LookReply::Execute(reply) => {
                let outcome = preview.and_then(|preview| self.execute(execute, &preview));
                send(reply, outcome);
            }
        }
    }

    fn execute(&mut self, execute: bool, preview: &Preview) -> Result<(), Refusal> {
        if !execute {
            return Ok(());
        }
        if self.state.cursor.as_deref() != Some(preview.step.as_str()) {
            return Err(Refusal::new(Kind::Failed, format!("the walk has moved on from step {}", preview.step))
                .hint("another terminal, or what was under way, went on; look again"));
        }
        if preview.check.voids.is_none() {
            // What cannot be written out is refused now, while there is somebody to tell.
            self.statement(&preview.step)?;
        }
        self.follow(&Command::Execute { check: preview.check.clone() })?;
        if preview.check.voids.is_some() {
            let fields: Vec<String> =
                preview.check.drift.iter().map(|f| format!("{}: approved {}, now {}", f.field, f.approved, f.now)).collect();
            return Err(Refusal::new(Kind::Blocked, format!("this is not what was approved: {}", fields.join("; ")))
                .hint("ask again: the new plan needs a new approval"));
        }
        self.held.pending = Some(preview.step.clone());
        Ok(())
    }

    fn export(&mut self, execution: &str, format: ExportFormat) -> Result<String, Refusal> {
        let rows = self
            .rows_of(execution)
            .ok_or_else(|| Refusal::new(Kind::Failed, "the rows of this step are gone, so they cannot be exported"))?;
        let step = self.state.execution(execution).map_or_else(String::new, |e| e.step.clone());
        let bytes = exporting::bytes(&rows, format).map_err(|error| {
            Refusal::new(Kind::Failed, format!("the rows cannot be written as {}: {error}", format.extension()))
        })?;
        let run: String = self.state.id.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
        let name = format!("{run}-{step}-{}.{}", self.state.exports + 1, format.extension());
        let file = self.ports.spool.export(&name, &bytes).map_err(|error| {
            Refusal::new(Kind::Failed, format!("the export could not be written: {error}")).hint("is the disk full?")
        })?;
        self.follow(&Command::Exported {
            execution: execution.to_owned(),
            format: format.extension().to_owned(),
            file: file.clone(),
            rows: rows.rows.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
        })?;
        Ok(file)
    }
}

/// A frontend that no longer listens is not owed an answer.
fn send<T>(reply: oneshot::Sender<T>, value: T) {
    let _ = reply.send(value);
}
