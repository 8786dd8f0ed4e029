//! The machine: commands in it, its users, and the package installed once.
//!
//! Owns how programs are run; never judges the service.

use serde_json::Value;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Once;
use streamem_tests::eventually;

const PACKAGE: &str = "/vm/streamem.deb";
/// Is in the group `streamem`.
pub const ANNA: &str = "anna";
/// Is in no group but his own.
pub const BOB: &str = "bob";
pub const CAMERA: &str = "/dev/video0";
const CONFIGURATION: &str = "/etc/streamem/streamem.d/test.toml";
/// One camera under a name of its own, and a stream that needs none.
const STREAMS: &str = "[stream.cam]\n\
    source = \"v4l2:///dev/video0?size=640x360&rate=30&format=yuyv\"\n\
    [stream.bars]\n\
    source = \"pattern://bars?size=320x240&rate=30\"\n";

pub fn run(words: &[&str]) -> Output {
    let [program, arguments @ ..] = words else {
        panic!("run nothing");
    };
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command prints that must succeed.
pub fn said(words: &[&str]) -> String {
    let output = run(words);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{words:?}: {}\n{out}{err}",
        output.status
    );
    out
}

/// What a command complains of that must fail.
pub fn refused(words: &[&str]) -> String {
    let output = run(words);
    assert!(
        !output.status.success(),
        "{words:?} succeeds: {}",
        text(&output.stdout)
    );
    text(&output.stderr)
}

/// The words that have a user run these.
pub fn by<'a>(user: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    [&["runuser", "-u", user, "--"], words].concat()
}

/// Installs the package; returns what dpkg says.
pub fn install() -> String {
    said(&["dpkg", "--install", PACKAGE])
}

/// The package is there, and the service has a camera and a pattern.
pub fn installed() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        install();
        said(&["useradd", "--create-home", "--groups", "streamem", ANNA]);
        said(&["useradd", "--create-home", BOB]);
        fs::create_dir_all("/etc/streamem/streamem.d").expect("/etc can be written");
        configure(STREAMS);
        said(&["systemctl", "restart", "streamemd"]);
    });
    live("cam");
}

pub fn configure(text: &str) {
    fs::write(CONFIGURATION, text).expect("/etc can be written");
}

pub fn configured() -> String {
    fs::read_to_string(CONFIGURATION).expect("it was written")
}

pub fn info(stream: &str) -> Value {
    let text = said(&["streamem", "info", stream, "--json"]);
    serde_json::from_str(&text).expect("it is JSON")
}

/// A stream, once it is live.
pub fn live(stream: &str) -> Value {
    eventually(&format!("{stream} is live"), || {
        let output = run(&["streamem", "info", stream, "--json"]);
        let said: Value = serde_json::from_slice(&output.stdout).ok()?;
        (said["state"] == "live").then_some(said)
    })
}

/// One property of the service, or of another unit.
pub fn property(unit: &str, name: &str) -> String {
    let text = said(&["systemctl", "show", "--value", "--property", name, unit]);
    text.trim().to_owned()
}

pub fn broker() -> String {
    property("streamemd.service", "MainPID")
}

/// A program of Anna's that reads every frame of a stream, until it is dropped.
pub struct Reader {
    child: Child,
    stream: &'static str,
}

impl Reader {
    pub fn of(stream: &'static str) -> Reader {
        let child = Command::new("setpriv")
            .args(["--reuid", ANNA, "--regid", ANNA, "--init-groups"])
            .args(["--", "streamem", "watch", stream])
            .stdout(Stdio::null())
            .spawn();
        let reader = Reader {
            child: child.expect("it can be run"),
            stream,
        };
        reader.is_known();
        reader
    }

    fn is_known(&self) {
        eventually("the broker knows of the reader", || {
            (info(self.stream)["subscriptions"] == 1).then_some(())
        });
    }

    /// It has come through: it runs, and the broker knows of it.
    pub fn goes_on(&mut self) {
        self.is_known();
        let ended = self.child.try_wait().expect("it is our child");
        assert!(ended.is_none(), "the reader has ended: {ended:?}");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _it_ends = self.child.wait();
    }
}
