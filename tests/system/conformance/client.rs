//! A client in a process of its own, by its driver.
//!
//! Owns how each driver is built and started; never knows what its answers mean.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use streamem_tests::c_library::{Build, Library};
use streamem_tests::{Consumer, binaries};

const FOLDER: &str = "tests/system/conformance/driver";

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Rust,
    C,
    Python,
}

/// All of them.
pub const CLIENTS: [Client; 3] = [Client::Rust, Client::C, Client::Python];

fn driver_in_c() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let sources = ["driver.c", "telling.c", "hammer.c"];
        let sources = sources.map(|name| format!("{FOLDER}/{name}"));
        Library::built().compile(&sources.each_ref().map(String::as_str), Build::C)
    })
}

impl Client {
    fn command(self) -> Command {
        match self {
            Client::Rust => Command::new(binaries::program("conformance-driver")),
            Client::C => Command::new(driver_in_c()),
            Client::Python => {
                let root = binaries::workspace();
                let mut command = Command::new("python3");
                command
                    .args(["-W", "error"])
                    .arg(root.join(FOLDER).join("driver.py"))
                    .env("PYTHONPATH", root.join("libclient/python"))
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
        }
    }
}

/// A client that does what it is told; killed when dropped.
#[derive(Debug)]
pub struct Driver {
    process: Consumer,
    client: Client,
}

impl Driver {
    /// One that looks for its broker there.
    pub fn start(client: Client, socket: &Path) -> Driver {
        let mut command = client.command();
        command.arg(socket).env_remove("STREAMEM_SOCKET");
        let process = Consumer::spawn(&mut command);
        Driver { process, client }
    }

    /// Gives a command; [`Driver::answer`] has what it says to it.
    pub fn tell(&mut self, command: &str) {
        self.process.tell(command);
    }

    /// What it says to the last command.
    pub fn answer(&mut self) -> Value {
        let line = self.process.line();
        line.unwrap_or_else(|| panic!("the {:?} client has ended", self.client))
    }

    /// Gives a command, which may fail.
    pub fn attempt(&mut self, command: &str) -> Value {
        self.tell(command);
        let answer = self.answer();
        assert_ne!(answer["error"], "test", "{command}: {answer}");
        answer
    }

    /// Gives a command, which must not fail.
    pub fn ask(&mut self, command: &str) -> Value {
        let answer = self.attempt(command);
        assert!(
            answer.is_object() && answer["error"].is_null(),
            "{:?} to {command}: {answer}",
            self.client
        );
        answer
    }

    /// Gives a command, which must fail for this cause; the sentence.
    pub fn is_refused(&mut self, command: &str, word: &str) -> String {
        let answer = self.attempt(command);
        assert_eq!(
            answer["error"], word,
            "{:?} to {command}: {answer}",
            self.client
        );
        let says = answer["says"].as_str().unwrap_or_default();
        assert!(says.len() > 10, "{command}: no sentence: {answer}");
        says.to_owned()
    }

    /// The sequence of the frame that this command takes; `None` if there is none.
    pub fn sequence(&mut self, command: &str) -> Option<u64> {
        self.ask(command)["sequence"].as_u64()
    }

    /// Takes a frame and says which it must be, and how many were skipped before it.
    pub fn takes(&mut self, command: &str, sequence: u64, missed: u64) {
        let answer = self.ask(command);
        let is = (answer["sequence"].as_u64(), answer["missed"].as_u64());
        assert_eq!(
            is,
            (Some(sequence), Some(missed)),
            "{:?} to {command}",
            self.client
        );
    }

    /// Its process, to be stopped or killed.
    pub fn process(&mut self) -> &mut Consumer {
        &mut self.process
    }
}
