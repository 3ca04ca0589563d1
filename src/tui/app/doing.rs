//! Doing what `update` wants: every effect is a task, and what comes of it is a message.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::core::run::command::{Kind, Refusal};
use crate::tui::desk::{Desk, Opened, Session};
use crate::tui::msg::{Ask, Effect, Ticket, What};

/// Giving a run up writes one event; a journal that takes longer than this is not waited for.
const LEAVE_WAIT: Duration = Duration::from_secs(2);

/// What a task tells.
#[derive(Debug)]
pub(super) enum Told {
    /// A message.
    What(What),
    /// A run was opened, or not.
    Opened(Ticket, Result<Opened, Refusal>),
}

/// What is being done.
pub(super) struct Doing {
    desk: Arc<dyn Desk>,
    tell: mpsc::UnboundedSender<Told>,
    session: Option<Arc<dyn Session>>,
    /// The task that passes the run's updates on.
    listener: Option<JoinHandle<()>>,
    /// The newest plan; an older one is of no use.
    plan: Option<JoinHandle<()>>,
    /// Runs being given up.
    leaving: Vec<JoinHandle<()>>,
    /// Whether background work is being followed.
    following: bool,
}

impl Doing {
    pub(super) fn new(desk: Arc<dyn Desk>, tell: mpsc::UnboundedSender<Told>) -> Self {
        Self { desk, tell, session: None, listener: None, plan: None, leaving: Vec::new(), following: false }
    }

    /// Begins an effect.
    pub(super) fn begin(&mut self, effect: Effect) {
        let (desk, tell) = (self.desk.clone(), self.tell.clone());
        let say = move |what: What| {
            // Nobody listens any more: the app has ended.
            let _ = tell.send(Told::What(what));
        };
        match effect {
            Effect::Library => {
                tokio::spawn(async move { say(What::Library(desk.library().await)) });
            }
            Effect::Plan(ticket, draft) => {
                if let Some(older) = self.plan.take() {
                    older.abort();
                }
                self.plan = Some(tokio::spawn(async move {
                    let planned = desk.plan(&draft).await.map(Arc::new);
                    say(What::Planned(ticket, planned));
                }));
            }
            Effect::Create(ticket, draft, planned) => {
                let tell = self.tell.clone();
                tokio::spawn(async move {
                    let _ = tell.send(Told::Opened(ticket, desk.create(&draft, &planned).await));
                });
            }
            Effect::Open { ticket, run, takeover } => {
                let tell = self.tell.clone();
                tokio::spawn(async move {
                    let _ = tell.send(Told::Opened(ticket, desk.open(run.as_deref(), takeover).await));
                });
            }
            Effect::Runs => {
                tokio::spawn(async move { say(What::Runs(desk.runs().await)) });
            }
            Effect::Inbox { ticket, as_name } => {
                tokio::spawn(async move { say(What::Inbox(ticket, desk.inbox(as_name.as_deref()).await)) });
            }
            Effect::Vote(ballot) => {
                tokio::spawn(async move { say(What::Voted(desk.vote(&ballot).await)) });
            }
            Effect::Leave(reason) => self.give_up(reason),
            Effect::Ask(asks) => match self.session.clone() {
                None => say(What::Done(Err(no_session()))),
                Some(session) => {
                    tokio::spawn(async move { say(What::Done(ask(&*session, asks).await)) });
                }
            },
            Effect::Preview(ticket, step) => self.of_session(move |session| {
                tokio::spawn(async move { say(What::Preview(ticket, step, session.preview().await.map(Box::new))) });
            }),
            Effect::Prose(step) => self.of_session(move |session| {
                tokio::spawn(async move {
                    let prose = session.prose(&step).await;
                    say(What::Prose(step, prose));
                });
            }),
            Effect::Options(ticket) => self.of_session(move |session| {
                tokio::spawn(async move { say(What::Options(ticket, session.options().await)) });
            }),
            Effect::Rows(execution) => self.of_session(move |session| {
                tokio::spawn(async move {
                    let rows = session.rows(&execution).await;
                    say(What::Rows(execution, rows));
                });
            }),
            Effect::Export(execution, format) => self.of_session(move |session| {
                tokio::spawn(async move { say(What::Exported(session.export(&execution, format).await)) });
            }),
            // The app does these itself.
            Effect::Bell | Effect::Suspend | Effect::Exit | Effect::Theme(_) => {}
        }
    }

    /// Without a session there is nobody to ask; what was wanted of it is not wanted any more.
    fn of_session(&self, act: impl FnOnce(Arc<dyn Session>)) {
        if let Some(session) = self.session.clone() {
            act(session);
        }
    }

    /// Takes what a task told; gives the message for `update`.
    pub(super) fn settle(&mut self, told: Told) -> Option<What> {
        match told {
            Told::What(what) => {
                if matches!(what, What::Library(Ok(_))) && !self.following {
                    self.following = true;
                    self.follow();
                }
                Some(what)
            }
            Told::Opened(ticket, Err(refusal)) => Some(What::Opened(ticket, Err(refusal))),
            Told::Opened(ticket, Ok(opened)) => {
                let Opened { session, mut updates } = opened;
                let run = session.run();
                self.give_up("another run was opened".to_owned());
                self.session = Some(session);
                let tell = self.tell.clone();
                self.listener = Some(tokio::spawn(async move {
                    while let Some(update) = updates.recv().await {
                        if tell.send(Told::What(What::Update(Box::new(update)))).is_err() {
                            return;
                        }
                    }
                    let _ = tell.send(Told::What(What::SessionEnded));
                }));
                Some(What::Opened(ticket, Ok(run)))
            }
        }
    }

    /// Follows background work until it is over.
    fn follow(&self) {
        let (desk, tell) = (self.desk.clone(), self.tell.clone());
        tokio::spawn(async move {
            loop {
                let progress = desk.progress().await;
                let over = progress.is_none();
                if tell.send(Told::What(What::Progress(progress))).is_err() || over {
                    return;
                }
            }
        });
    }

    fn give_up(&mut self, reason: String) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
        }
        if let Some(session) = self.session.take() {
            self.leaving.push(tokio::spawn(async move { session.leave(&reason).await }));
        }
    }

    /// Stops what runs: the terminal is gone for good.
    pub(super) async fn abandon(&self) {
        if let Some(session) = &self.session {
            session.abandon().await;
        }
    }

    /// Gives the open run up and waits until all are given up.
    pub(super) async fn leave(&mut self, reason: &str) {
        self.give_up(reason.to_owned());
        let all = futures_util::future::join_all(self.leaving.drain(..));
        let _ = tokio::time::timeout(LEAVE_WAIT, all).await;
    }
}

async fn ask(session: &dyn Session, asks: Vec<Ask>) -> Result<(), Refusal> {
    for ask in asks {
        match ask {
            Ask::Command(command) => session.command(command).await?,
            Ask::Advance => session.advance().await?,
            Ask::Execute => session.execute().await?,
        }
    }
    Ok(())
}

fn no_session() -> Refusal {
    Refusal::new(Kind::Failed, "there is no open run").hint("open one from the list of runs")
}
