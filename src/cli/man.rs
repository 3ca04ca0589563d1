//! `man`: the manual, one page with every command.

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::Cli;
use super::error::Error;
use super::show;

/// What the page has beyond the commands' own words.
const AFTER: &str = r#".SH "EXIT CODES"
.TP
\fB0\fR
done
.TP
\fB1\fR
failed
.TP
\fB2\fR
wrong usage, or an invalid book
.TP
\fB3\fR
access denied, lapsed or expired
.TP
\fB4\fR
blocked by a guardrail, or needs a human
.TP
\fB75\fR
temporary: try again
.TP
\fB130\fR
interrupted
.TP
\fB255\fR
a bug
.PP
\fBcheck\fR has its own: 0 clean, 1 problems, 2 wrong usage.
.SH FILES
.TP
\fI$XDG_STATE_HOME/tollgate\fR
Private state: the journal, rows, exports, the sandbox.
.TP
\fI$XDG_CONFIG_HOME/tollgate/config.toml\fR
Theme, keys, book.
.SH ENVIRONMENT
.TP
\fBTOLLGATE_BOOK\fR
The book, where \-\-book is not given.
.TP
\fBAWS_*\fR
Your own credentials and endpoint, for targets on AWS; never for the sandbox.
.TP
\fBNO_COLOR\fR, \fBCLICOLOR_FORCE\fR, \fBTERM\fR, \fBCOLORTERM\fR, \fBLC_ALL\fR
As everywhere.
"#;

/// Prints it in roff.
pub(super) fn print() -> Result<(), Error> {
    let mut page = Vec::new();
    let mut root = Cli::command();
    root.build();
    Man::new(root.clone()).render(&mut page)?;
    for command in root.get_subcommands() {
        section(command, &mut page)?;
    }
    page.extend_from_slice(AFTER.as_bytes());
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for command in root.get_subcommands() {
        // The generator points to pages of their own; here they are sections of this one.
        let name = command.get_name();
        page = page.replace(&format!("tollgate\\-{name}(1)"), &format!("tollgate {name}"));
    }
    show::data(page.trim_end())
}

/// One command, and those below it.
fn section(command: &Command, page: &mut Vec<u8>) -> Result<(), Error> {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    page.extend_from_slice(format!(".SH \"{name}\"\n").as_bytes());
    let own = command.clone().mut_args(|argument| {
        let shared = argument.get_help_heading() == Some("Global options");
        argument.hide(shared)
    });
    let man = Man::new(own);
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    for below in command.get_subcommands() {
        section(below, page)?;
    }
    Ok(())
}
