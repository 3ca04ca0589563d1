//! Owning the terminal: raw mode, the alternate screen, frames, and giving all of it back whatever happens.
//!
//! Frames are made by ratatui's diff into memory and written by a thread with one `write` each, wrapped in synchronised output
//! (mode 2026; terminals that do not know it ignore it). A terminal that stands still (Ctrl-S, a stalled connection) therefore
//! stops the picture, never the engine.

mod owed;
mod paper;
mod pen;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use ratatui::layout::{Rect, Size};
use ratatui::{Frame, TerminalOptions, Viewport};
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

pub use owed::restore_all;
pub use paper::Paper;
use pen::Pen;

/// Alternate screen, hidden cursor, bracketed paste.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// Everything undone, in the opposite order, and what an interrupted frame may have left: synchronised output, colours.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// How long giving the terminal back may wait for a terminal that takes nothing. SIGHUP must be answered within 200 ms.
const LAST_WRITE: Duration = Duration::from_millis(100);

/// How long it may wait when the operator leaves or suspends.
const CALM_WRITE: Duration = Duration::from_secs(2);

/// Smaller terminals are drawn as if they were this large; what does not fit is cut off by the terminal.
const LEAST: Size = Size { width: 20, height: 4 };

/// The two ends of a terminal.
#[derive(Debug)]
pub struct Tty {
    /// Where keys come from.
    pub input: OwnedFd,
    /// Where frames go.
    pub output: OwnedFd,
}

impl Tty {
    /// Standard input and output.
    ///
    /// # Errors
    /// When they cannot be duplicated.
    pub fn stdio() -> io::Result<Self> {
        Ok(Self { input: io::stdin().as_fd().try_clone_to_owned()?, output: io::stdout().as_fd().try_clone_to_owned()? })
    }
}

/// A terminal that is ours until it is dropped.
pub struct Terminal {
    tty: OwnedFd,
    debt: Option<owed::Debt>,
    screen: ratatui::Terminal<Paper>,
    paper: Paper,
    pen: Pen,
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, no cursor.
    ///
    /// # Errors
    /// When `output` is no terminal, or cannot be set up.
    pub fn take(output: OwnedFd) -> io::Result<Self> {
        owed::watch_panics();
        let size = size_of(&output)?;
        let paper = Paper::new(size);
        let screen = ratatui::Terminal::with_options(
            paper.clone(),
            TerminalOptions { viewport: Viewport::Fixed(Rect::from((ratatui::layout::Position::ORIGIN, size))) },
        )?;
        let pen = Pen::new(output.try_clone()?)?;
        let mut terminal = Self { tty: output, debt: None, screen, paper, pen };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Enters again after [`Terminal::give_back`]; the next frame is painted whole.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn enter(&mut self) -> io::Result<()> {
        if self.debt.is_none() {
            let saved = tcgetattr(&self.tty)?;
            self.debt = Some(owed::Debt::new(self.tty.try_clone()?, saved.clone(), LEAVE));
            let mut raw = saved;
            raw.make_raw();
            tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
            self.pen.write(ENTER.to_vec());
        }
        self.repaint()
    }

    /// Gives the terminal back as it was. Waits at most a tenth of a second each for a frame that is still being written and
    /// for a terminal that takes nothing.
    pub fn give_back(&mut self) {
        self.give_back_within(LAST_WRITE);
    }

    /// The same where nothing hurries: what is written next must come after it, on a busy machine too.
    pub fn give_back_calmly(&mut self) {
        self.give_back_within(CALM_WRITE);
    }

    fn give_back_within(&mut self, limit: Duration) {
        let Some(debt) = self.debt.take() else { return };
        self.pen.wait_idle(limit);
        let (paid, wait) = std::sync::mpsc::channel();
        let pay = move || {
            debt.pay();
            let _ = paid.send(());
        };
        // A thread that cannot be had drops the debt, which pays it here.
        if std::thread::Builder::new().name("restore".to_owned()).spawn(pay).is_ok() {
            let _ = wait.recv_timeout(limit);
        }
    }

    /// Whether the terminal was taken away: a panic somewhere gave it back.
    pub fn is_lost(&self) -> bool {
        self.debt.as_ref().is_some_and(owed::Debt::is_paid)
    }

    /// The size now, in cells.
    pub fn size(&self) -> Size {
        self.paper.size()
    }

    /// Asks the terminal for its size; `true` if it is another.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn measure(&mut self) -> io::Result<bool> {
        let size = size_of(&self.tty)?;
        if size == self.paper.size() {
            return Ok(false);
        }
        self.paper.set_size(size);
        self.screen.resize(Rect::from((ratatui::layout::Position::ORIGIN, size)))?;
        self.repaint()?;
        Ok(true)
    }

    /// Forgets what the terminal shows: the next frame is painted whole.
    fn repaint(&mut self) -> io::Result<()> {
        self.screen.clear()
    }

    /// Whether the last frame is still being written; then nothing should be drawn.
    pub fn is_writing(&self) -> bool {
        self.pen.is_busy()
    }

    /// How long the last frame took to be written.
    pub fn last_write(&self) -> Duration {
        self.pen.last_write()
    }

    /// Waits until the frame being written is written; gives `false` when the terminal takes no more.
    pub async fn written(&mut self) -> bool {
        self.pen.written().await
    }

    /// Draws and begins to write the difference to the last frame. Nothing changed: not a byte is written.
    ///
    /// # Errors
    /// Never on a real terminal: the frame is made in memory.
    pub fn draw(&mut self, view: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.screen.draw(view)?;
        if let Some(frame) = self.paper.take_frame() {
            self.pen.write(frame);
        }
        Ok(())
    }

    /// Rings the bell.
    pub fn ring(&mut self) {
        self.pen.write(b"\x07".to_vec());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn size_of(tty: &OwnedFd) -> io::Result<Size> {
    let size = tcgetwinsize(tty)?;
    // 0×0 is what a PTY says that nobody has sized.
    let or = |cells: u16, usual: u16| if cells == 0 { usual } else { cells };
    Ok(Size { width: or(size.ws_col, 80).max(LEAST.width), height: or(size.ws_row, 24).max(LEAST.height) })
}
