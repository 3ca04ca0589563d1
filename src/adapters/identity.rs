//! Who runs this process, on which host, and where their private state lies.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::private::{self, PrivateError};

/// The account database of local users, `passwd(5)`.
const PASSWD: &str = "/etc/passwd";

/// Where `id` is: never looked for along `$PATH`, which says nothing about who we are.
const ID: [&str; 2] = ["/usr/bin/id", "/bin/id"];

/// The Unix user id that runs this process.
pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The login name of this process's user: from the account database, else from `id -un` (directory services), else `uid-1000`. Not
/// from `$USER`: anybody can set that.
pub fn login_name() -> String {
    let uid = uid();
    account(uid).map(|account| account.name).or_else(asked_name).unwrap_or_else(|| format!("uid-{uid}"))
}

/// This host's name.
pub fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// The private state directory: `given` (`--state-dir`), else `$XDG_STATE_HOME/tollgate`, else `~/.local/state/tollgate`; made
/// 0700 if it is not there, refused where others may enter or replace it.
pub fn state_dir(given: Option<&Path>) -> Result<PathBuf, PrivateError> {
    let home = || std::env::var_os("HOME").map(PathBuf::from).or_else(|| account(uid()).map(|account| account.home));
    private::directory(&state_path(given, std::env::var_os("XDG_STATE_HOME"), home)?)
}

/// Where the state directory is by its rules, before it is looked at.
fn state_path(
    given: Option<&Path>,
    xdg: Option<OsString>,
    home: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, PrivateError> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    // The XDG base directory specification: a path that is not absolute is to be ignored.
    if let Some(xdg) = xdg.map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(xdg.join("tollgate"));
    }
    match home().filter(|path| path.is_absolute()) {
        Some(home) => Ok(home.join(".local/state/tollgate")),
        None => Err(PrivateError::new(
            Path::new("~/.local/state/tollgate"),
            "this user has no home directory; name a place with --state-dir or $XDG_STATE_HOME",
        )),
    }
}

/// One line of the account database.
struct Account {
    name: String,
    home: PathBuf,
}

fn account(uid: u32) -> Option<Account> {
    account_in(&fs::read(PASSWD).ok()?, uid)
}

fn account_in(passwd: &[u8], uid: u32) -> Option<Account> {
    passwd.split(|byte| *byte == b'\n').find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        let [name, _, id, _, _, home, ..] = fields.as_slice() else { return None };
        let id: u32 = std::str::from_utf8(id).ok()?.parse().ok()?;
        let name = std::str::from_utf8(name).ok()?;
        (id == uid && !name.is_empty())
            .then(|| Account { name: name.to_owned(), home: PathBuf::from(OsString::from_vec(home.to_vec())) })
    })
}

/// What the system's `id` says, which also asks directory services.
fn asked_name() -> Option<String> {
    let program = ID.iter().find(|path| Path::new(path).exists())?;
    let output = Command::new(program).arg("-un").env_clear().stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_account_database() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\nbroken\n+:::::::\nana:x:1000:1000:Ana,,,:/home/ana:/bin/bash\n";
        let account = account_in(passwd, 1000).unwrap();
        assert_eq!((account.name.as_str(), account.home.as_path()), ("ana", Path::new("/home/ana")));
        assert!(account_in(passwd, 1001).is_none());
        assert!(!login_name().is_empty() && !host_name().is_empty());
    }

    #[test]
    fn the_state_directory_follows_its_rules() {
        let home = || Some(PathBuf::from("/home/ana"));
        let at = |given: Option<&str>, xdg: Option<&str>| {
            state_path(given.map(Path::new), xdg.map(OsString::from), home).unwrap().display().to_string()
        };
        assert_eq!(at(Some("here"), Some("/x")), "here");
        assert_eq!(at(None, Some("/x/state")), "/x/state/tollgate");
        assert_eq!(at(None, Some("relative")), "/home/ana/.local/state/tollgate");
        assert_eq!(at(None, None), "/home/ana/.local/state/tollgate");
        assert!(state_path(None, None, || None).unwrap_err().reason.contains("--state-dir"));
    }
}
