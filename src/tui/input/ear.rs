//! Bytes into keys. Pure: time comes as "nothing more came for a while".

use std::time::Duration;

use super::Heard;
use crate::tui::key::{Code, Key};

/// How long a lone ESC waits for the rest of a sequence before it is the Escape key. Sequences rarely come in two packets, and
/// people notice more than this.
const ESC_WAIT: Duration = Duration::from_millis(50);

/// How long an unfinished answer is swallowed before the keyboard is given back.
const ANSWER_WAIT: Duration = Duration::from_secs(1);

/// Longer pastes are cut: no field takes as much.
const MAX_PASTE: usize = 1 << 20;

/// Longer control sequences are no keys; their end is still looked for.
const MAX_SEQUENCE: usize = 64;

/// Takes a terminal's byte stream apart.
#[derive(Debug, Default)]
pub struct Ear {
    state: State,
    /// The Escape key was told because nothing followed in time; what follows now may still be the rest of a sequence.
    told_esc: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC.
    Esc,
    /// After `ESC [`, with what came since.
    Csi(Vec<u8>),
    /// After `ESC O`.
    Ss3,
    /// After `ESC [ [`: a function key of the Linux console.
    Console,
    /// Inside OSC, DCS, APC, PM or SOS: swallowed. `esc`: the last byte was ESC. `bell`: BEL ends it (OSC alone).
    Text { esc: bool, bell: bool },
    /// Inside a bracketed paste.
    Paste(Vec<u8>),
    /// So many bytes of an old mouse report are still to come.
    Mouse(u8),
    /// Inside a character of several bytes.
    Utf8 { bytes: Vec<u8>, alt: bool },
}

const PASTE_END: &[u8] = b"\x1b[201~";

impl Ear {
    /// Takes bytes as they came from one read.
    pub fn hear(&mut self, bytes: &[u8], out: &mut Vec<Heard>) {
        if std::mem::take(&mut self.told_esc) && is_rest_of_sequence(bytes) {
            self.state = State::Esc;
        }
        for byte in bytes {
            self.byte(*byte, out);
        }
    }

    /// How long to wait for more before [`Ear::silence`]; `None` when nothing is unfinished.
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Esc => Some(ESC_WAIT),
            _ => Some(ANSWER_WAIT),
        }
    }

    /// Nothing more came for as long as [`Ear::patience`] said.
    pub fn silence(&mut self, out: &mut Vec<Heard>) {
        match std::mem::take(&mut self.state) {
            State::Esc => {
                self.told_esc = true;
                out.push(Heard::Key(Key::plain(Code::Esc)));
            }
            State::Paste(bytes) => out.push(Heard::Paste(text_of(&bytes))),
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Heard>) {
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => ground(byte, false, out),
            State::Esc => match byte {
                b'[' => State::Csi(Vec::new()),
                b'O' => State::Ss3,
                b']' => State::Text { esc: false, bell: true },
                b'P' | b'_' | b'^' | b'X' => State::Text { esc: false, bell: false },
                0x1b => {
                    out.push(Heard::Key(Key::plain(Code::Esc)));
                    State::Esc
                }
                byte => ground(byte, true, out),
            },
            State::Csi(params) => csi(params, byte, out),
            State::Ss3 => match byte {
                0x1b => State::Esc,
                byte => {
                    out.extend(letter_key(byte).map(|code| Heard::Key(Key::plain(code))));
                    State::Ground
                }
            },
            State::Console => {
                if (b'A'..=b'E').contains(&byte) {
                    out.push(Heard::Key(Key::plain(Code::Function(byte - b'A' + 1))));
                }
                State::Ground
            }
            State::Text { esc, bell } => match byte {
                // ST, BEL after OSC, CAN, SUB.
                b'\\' if esc => State::Ground,
                0x07 if bell => State::Ground,
                0x18 | 0x1a => State::Ground,
                0x1b => State::Text { esc: true, bell },
                // Any other ESC sequence also ends the string (ECMA-48 has only ST; terminals end it here).
                b'[' if esc => State::Csi(Vec::new()),
                _ => State::Text { esc: false, bell },
            },
            State::Paste(mut bytes) => {
                bytes.push(byte);
                if bytes.ends_with(PASTE_END) {
                    bytes.truncate(bytes.len() - PASTE_END.len());
                    out.push(Heard::Paste(text_of(&bytes)));
                    State::Ground
                } else {
                    if bytes.len() > MAX_PASTE + PASTE_END.len() {
                        // Keep the tail: the end must still be found.
                        bytes.remove(MAX_PASTE);
                    }
                    State::Paste(bytes)
                }
            }
            State::Mouse(left) => match left {
                0 | 1 => State::Ground,
                left => State::Mouse(left - 1),
            },
            State::Utf8 { mut bytes, alt } => {
                if !(0x80..0xc0).contains(&byte) {
                    // Not a continuation: what came before was no character.
                    ground(byte, alt, out)
                } else {
                    bytes.push(byte);
                    match std::str::from_utf8(&bytes) {
                        Ok(text) => {
                            out.extend(text.chars().map(|c| Heard::Key(Key { code: Code::Char(c), ctrl: false, alt })));
                            State::Ground
                        }
                        Err(error) if error.error_len().is_none() && bytes.len() < 4 => State::Utf8 { bytes, alt },
                        Err(_) => State::Ground,
                    }
                }
            }
        };
    }
}

/// A first byte outside any sequence.
fn ground(byte: u8, alt: bool, out: &mut Vec<Heard>) -> State {
    let mut tell = |code, ctrl| out.push(Heard::Key(Key { code, ctrl, alt }));
    match byte {
        0x1b => return State::Esc,
        b'\r' | b'\n' => tell(Code::Enter, false),
        b'\t' => tell(Code::Tab, false),
        0x7f | 0x08 => tell(Code::Backspace, false),
        0 => tell(Code::Char(' '), true),
        1..=26 => tell(Code::Char(char::from(byte - 1 + b'a')), true),
        0x1c..=0x1f => tell(Code::Char(char::from(byte - 0x1c + b'4')), true),
        0x20..=0x7e => tell(Code::Char(char::from(byte)), false),
        0xc2..=0xf4 => return State::Utf8 { bytes: vec![byte], alt },
        // C1 controls and bytes that begin no character.
        _ => {}
    }
    State::Ground
}

fn csi(mut params: Vec<u8>, byte: u8, out: &mut Vec<Heard>) -> State {
    match byte {
        0x1b => State::Esc,
        0x18 | 0x1a => State::Ground,
        b'[' if params.is_empty() => State::Console,
        b'M' if params.is_empty() => State::Mouse(3),
        // Parameter and intermediate bytes.
        0x20..=0x3f => {
            if params.len() < MAX_SEQUENCE {
                params.push(byte);
            }
            State::Csi(params)
        }
        0x40..=0x7e => {
            if byte == b'~' && params == b"200" {
                return State::Paste(Vec::new());
            }
            out.extend(csi_key(&params, byte).map(Heard::Key));
            State::Ground
        }
        // A control inside a sequence: terminals obey it and go on; here it is noise.
        0x00..=0x1f => State::Csi(params),
        _ => State::Ground,
    }
}

/// The key that `CSI params final` is; `None` for answers and everything else.
fn csi_key(params: &[u8], last: u8) -> Option<Key> {
    if params.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) || params.len() >= MAX_SEQUENCE {
        return None;
    }
    let text = std::str::from_utf8(params).ok()?;
    let mut numbers = text.split(';').map(|part| {
        let mut parts = part.split(':').map(|n| n.parse::<u32>().ok());
        (parts.next().flatten(), parts.next().flatten())
    });
    let (first, _) = numbers.next().unwrap_or((None, None));
    let (modifiers, event) = numbers.next().unwrap_or((None, None));
    // Kitty's protocol: 3 is a release.
    if event == Some(3) {
        return None;
    }
    let code = match last {
        // `CSI n ; m R` is a cursor position.
        b'R' => return None,
        b'~' if first == Some(27) => scalar(numbers.next()?.0?)?,
        b'~' => tilde_key(first?)?,
        b'u' => scalar(first?)?,
        b'Z' => Code::BackTab,
        letter => letter_key(letter)?,
    };
    let bits = modifiers.unwrap_or(1).saturating_sub(1);
    let code = match code {
        Code::Tab if bits & 1 != 0 => Code::BackTab,
        Code::Char(c) if bits & 1 != 0 && c.is_ascii_lowercase() => Code::Char(c.to_ascii_uppercase()),
        code => code,
    };
    Some(Key { code, ctrl: bits & 4 != 0, alt: bits & (2 | 32) != 0 })
}

fn letter_key(byte: u8) -> Option<Code> {
    Some(match byte {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'M' => Code::Enter,
        b'P'..=b'S' => Code::Function(byte - b'P' + 1),
        _ => return None,
    })
}

fn tilde_key(number: u32) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::Function(u8::try_from(number - 10).ok()?),
        17..=21 => Code::Function(u8::try_from(number - 11).ok()?),
        23 | 24 => Code::Function(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

fn scalar(number: u32) -> Option<Code> {
    Some(match number {
        13 => Code::Enter,
        9 => Code::Tab,
        27 => Code::Esc,
        127 | 8 => Code::Backspace,
        // Kitty numbers keys without characters in the private use area.
        0xe000..=0xf8ff => return None,
        other => Code::Char(char::from_u32(other).filter(|c| !c.is_control())?),
    })
}

/// Whether `bytes` look like a sequence whose ESC came earlier: people type one byte at a time, terminals answer in one go.
fn is_rest_of_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [b'[', next, ..] => next.is_ascii_digit() || matches!(next, b'?' | b'>' | b'<' | b'A'..=b'D' | b'H' | b'F' | b'I' | b'O'),
        [b']', next, _, ..] => next.is_ascii_digit(),
        [b'P', next, _, ..] => next.is_ascii_digit() || matches!(next, b'>' | b'!' | b'+'),
        [b'O', b'A'..=b'D' | b'H' | b'F' | b'P'..=b'S'] => true,
        _ => false,
    }
}

/// Pasted bytes as text. A paste that is cut loses its tail, not its beginning.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..MAX_PASTE).unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(chunks: &[&[u8]]) -> Vec<String> {
        let (mut ear, mut out) = (Ear::default(), Vec::new());
        for chunk in chunks {
            if chunk.is_empty() {
                ear.silence(&mut out);
            } else {
                ear.hear(chunk, &mut out);
            }
        }
        out.iter()
            .map(|heard| match heard {
                Heard::Key(key) => key.to_string(),
                Heard::Paste(text) => format!("paste({text})"),
                Heard::Closed => "closed".to_owned(),
            })
            .collect()
    }

    #[test]
    fn keys_are_keys() {
        for (bytes, keys) in [
            (&b"aN:?"[..], &["a", "N", ":", "?"][..]),
            (b"\r\t\x7f\x08", &["enter", "tab", "backspace", "backspace"]),
            (b"\x03\x10\x00\x1f", &["ctrl-c", "ctrl-p", "ctrl-space", "ctrl-7"]),
            (b"\x1b[A\x1b[B\x1bOC\x1b[D", &["up", "down", "right", "left"]),
            (b"\x1b[1;5C\x1b[5~\x1b[6~\x1b[3~", &["ctrl-right", "pgup", "pgdn", "del"]),
            (b"\x1b[H\x1b[4~\x1bOP\x1b[24~\x1b[[C", &["home", "end", "f1", "f12", "f3"]),
            (b"\x1b[Z\x1bx\x1b\r", &["shift-tab", "alt-x", "alt-enter"]),
            ("ü漢🙂".as_bytes(), &["ü", "漢", "🙂"]),
            (b"\x1b[112;5u\x1b[27;5;112~\x1b[97;1:3u", &["ctrl-p", "ctrl-p"]),
        ] {
            assert_eq!(heard(&[bytes]), keys, "{bytes:?}");
        }
    }

    #[test]
    fn answers_are_not_keys() {
        let answers: [&[u8]; 16] = [
            b"\x1b]11;rgb:1111/2222/3333\x07",
            b"\x1b]11;rgb:1111/2222/3333\x1b\\",
            b"\x1b]52;c;cXF1aXQ=\x07",
            b"\x1b[?2026;2$y",
            b"\x1b[?997;1n",
            b"\x1bP>|tmux 3.4\x1b\\",
            b"\x1bP1$r0m\x1b\\",
            b"\x1b[?64;1;2;6;9;15;22c",
            b"\x1b[>0;276;0c",
            b"\x1b[12;40R",
            b"\x1b[8;24;80t",
            b"\x1b[I\x1b[O",
            b"\x1b[<0;10;10M\x1b[<0;10;10m",
            b"\x1b[M !!",
            b"\x1b_Gi=31;OK\x1b\\",
            b"\x1b[?1u",
        ];
        for answer in answers {
            assert_eq!(heard(&[answer, b"q"]), ["q"], "{answer:?} whole");
            for cut in 1..answer.len() {
                let (head, tail) = answer.split_at(cut);
                assert_eq!(heard(&[head, tail, b"q"]), ["q"], "{answer:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn an_answer_late_after_its_esc_is_no_key() {
        for answer in [&b"]11;rgb:1111/2222/3333\x07"[..], b"[?2026;2$y", b"P>|tmux 3.4\x1b\\", b"[?997;1n", b"[>0;276;0c"] {
            assert_eq!(heard(&[b"\x1b", b"", answer, b"q"]), ["esc", "q"], "{answer:?}");
        }
        // A person who types Esc and then a bracket means it.
        assert_eq!(heard(&[b"\x1b", b"", b"[", b"x"]), ["esc", "[", "x"]);
    }

    #[test]
    fn unfinished_things_give_the_keyboard_back() {
        assert_eq!(heard(&[b"\x1b", b""]), ["esc"]);
        assert_eq!(heard(&[b"\x1b\x1b", b""]), ["esc", "esc"]);
        for begun in [&b"\x1b]11;rgb"[..], b"\x1b[?20", b"\x1bP", b"\x1bO", b"\xe6\xbc"] {
            assert_eq!(heard(&[begun, b"", b"q"]), ["q"], "{begun:?}");
        }
        assert_eq!(heard(&[b"\xe6\xbcq"]), ["q"]);
        assert_eq!(heard(&[b"\xff\xc0q"]), ["q"]);
    }

    #[test]
    fn pastes_are_data() {
        assert_eq!(heard(&[b"\x1b[200~q\r\x1b[A\x03\x1b[201~j"]), ["paste(q\r\x1b[A\x03)", "j"]);
        assert_eq!(heard(&[b"\x1b[200~ab\x1b[20", b"1~c"]), ["paste(ab)", "c"]);
        assert_eq!(heard(&[b"\x1b[200~ab", b"", b"c"]), ["paste(ab)", "c"]);
        let mut ear = Ear::default();
        let mut out = Vec::new();
        ear.hear(b"\x1b[200~", &mut out);
        for _ in 0..2 {
            ear.hear(&vec![b'x'; 600_000], &mut out);
        }
        ear.hear(b"\x1b[201~q", &mut out);
        assert!(matches!(out.as_slice(), [Heard::Paste(text), Heard::Key(_)] if text.len() == MAX_PASTE));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_block_the_keyboard(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let (mut ear, mut out) = (Ear::default(), Vec::new());
            ear.hear(&bytes, &mut out);
            ear.silence(&mut out);
            out.clear();
            ear.hear(b"q", &mut out);
            proptest::prop_assert_eq!(&out, &[Heard::Key(Key::char('q'))]);
        }
    }
}
