//! The backend that ratatui draws on: bytes in memory, and not one of them when nothing changed.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A frame is at most a few ten kilobytes; this saves growing.
const ROOM: usize = 64 << 10;

/// Drawing in memory. Clones share what was drawn.
#[derive(Debug, Clone)]
pub struct Paper(Arc<Mutex<Sheet>>);

#[derive(Debug)]
struct Sheet {
    bytes: Vec<u8>,
    size: Size,
    /// Where the cursor is shown; `None` when hidden.
    cursor: Option<Position>,
    /// What the terminal was last told of the cursor.
    told: Option<Position>,
    /// Where drawing left the cursor, if it moved it since.
    moved: bool,
}

impl Paper {
    /// An empty sheet.
    pub fn new(size: Size) -> Self {
        // Without this crossterm reads NO_COLOR itself and then writes resets that erase bold and reverse (its issue 1069);
        // themes decide about colour here.
        crossterm::style::force_color_output(true);
        Self(Arc::new(Mutex::new(Sheet { bytes: Vec::with_capacity(ROOM), size, cursor: None, told: None, moved: false })))
    }

    fn sheet(&self) -> std::sync::MutexGuard<'_, Sheet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size in cells.
    pub fn size(&self) -> Size {
        self.sheet().size
    }

    /// Another size.
    pub fn set_size(&self, size: Size) {
        self.sheet().size = size;
    }

    /// What was drawn since the last call, wrapped in synchronised output; `None` if nothing was.
    pub fn take_frame(&self) -> Option<Vec<u8>> {
        let mut sheet = self.sheet();
        if sheet.cursor != sheet.told || (sheet.moved && sheet.cursor.is_some()) {
            match sheet.cursor {
                Some(Position { x, y }) => {
                    let shown = format!("\x1b[{};{}H\x1b[?25h", y + 1, x + 1);
                    sheet.bytes.extend_from_slice(shown.as_bytes());
                }
                None => sheet.bytes.extend_from_slice(b"\x1b[?25l"),
            }
            sheet.told = sheet.cursor;
        }
        sheet.moved = false;
        if sheet.bytes.is_empty() {
            return None;
        }
        let drawn = std::mem::replace(&mut sheet.bytes, Vec::with_capacity(ROOM));
        Some([BEGIN, &drawn, END].concat())
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sheet().bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Backend for Paper {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        self.sheet().moved = true;
        CrosstermBackend::new(self.clone()).draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.sheet().cursor = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        // Never asked of the terminal: the answer could come seconds late.
        Ok(self.sheet().cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.sheet().cursor = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        let mut sheet = self.sheet();
        sheet.bytes.extend_from_slice(b"\x1b[0m\x1b[2J");
        // Whatever the cursor was before, it is told again.
        sheet.moved = true;
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(Self::size(self))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: Self::size(self), pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::widgets::Widget as _;
    use ratatui::{TerminalOptions, Viewport};

    use super::*;

    #[test]
    fn an_unchanged_frame_is_no_bytes() {
        let paper = Paper::new(Size { width: 20, height: 3 });
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 3)) };
        let mut terminal = ratatui::Terminal::with_options(paper.clone(), options).unwrap();
        let mut draw = |text: &str, cursor: Option<(u16, u16)>| {
            terminal
                .draw(|frame| {
                    text.render(frame.area(), frame.buffer_mut());
                    if let Some(at) = cursor {
                        frame.set_cursor_position(at);
                    }
                })
                .unwrap();
            paper.take_frame()
        };
        let first = draw("left 14:32", None).unwrap();
        assert!(first.starts_with(BEGIN) && first.ends_with(END));
        assert_eq!(draw("left 14:32", None), None);
        assert!(draw("left 14:31", None).unwrap().len() <= 96);
        assert!(draw("left 14:31", Some((3, 1))).is_some());
        assert_eq!(draw("left 14:31", Some((3, 1))), None);
        let hidden = draw("left 14:31", None).unwrap();
        assert!(String::from_utf8_lossy(&hidden).contains("\x1b[?25l"));
    }
}
