//! A consumer in a process of its own: the program `test-consumer`, told what to do and asked what
//! it saw.
//!
//! Owns that process; never looks at a frame itself.

use crate::patience::PATIENCE;
use crate::{binaries, proc};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

/// The user nobody is.
pub const NOBODY: u32 = 65534;

/// A consumer process; killed when dropped.
#[derive(Debug)]
pub struct Consumer {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<Value>,
}

impl Consumer {
    /// Starts one: `options` are `word=value`, as `test-consumer` explains them. Returns once it
    /// has subscribed.
    #[must_use]
    pub fn start(socket: &Path, stream: &str, options: &[&str]) -> Consumer {
        let mut command = Consumer::command(socket, stream, options);
        let mut consumer = Consumer::spawn(&mut command);
        consumer.expect("opened");
        consumer
    }

    /// The command that would start one.
    #[must_use]
    pub fn command(socket: &Path, stream: &str, options: &[&str]) -> Command {
        let mut command = Command::new(binaries::program("test-consumer"));
        command.arg(socket).arg(stream).args(options);
        command
    }

    /// The same as another user.
    ///
    /// # Panics
    ///
    /// When this process may not become another user.
    #[must_use]
    pub fn command_as(user: u32, socket: &Path, stream: &str, options: &[&str]) -> Command {
        assert!(
            rustix::process::geteuid().is_root(),
            "trying what another user may do needs root: run `sudo make test`"
        );
        let mut command = Consumer::command(socket, stream, options);
        command.uid(user).gid(user);
        command
    }

    /// Starts what [`Consumer::command`] made, without waiting for anything.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Consumer {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().expect("it is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let values = stdout.lines().map_while(Result::ok);
            for line in values {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Consumer {
            child,
            stdin,
            lines,
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints; `None` once it has ended.
    ///
    /// # Panics
    ///
    /// When it says nothing for too long.
    pub fn line(&mut self) -> Option<Value> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the consumer {} is silent", self.pid()),
        }
    }

    /// The next line of this sort.
    ///
    /// # Panics
    ///
    /// When it ends before that.
    pub fn expect(&mut self, sort: &str) -> Value {
        loop {
            match self.line() {
                Some(line) if line["is"] == sort => return line,
                Some(line) if line["is"] == "error" => panic!("the consumer says {line}"),
                Some(_) => {}
                None => panic!("the consumer ended before it said {sort}"),
            }
        }
    }

    /// Sends a command.
    pub fn tell(&mut self, command: &str) {
        let _ = writeln!(self.stdin, "{command}");
    }

    /// What it has seen so far.
    #[must_use]
    pub fn report(&mut self) -> Value {
        self.tell("report");
        self.expect("report")
    }

    /// A number of its report.
    #[must_use]
    pub fn count(&mut self, what: &str) -> u64 {
        let report = self.report();
        let count = report[what].as_u64();
        count.unwrap_or_else(|| panic!("no {what} in {report}"))
    }

    /// Asks it to end; what it saw all in all.
    ///
    /// # Panics
    ///
    /// When it does not end well.
    #[must_use]
    pub fn finish(mut self) -> Value {
        self.tell("quit");
        let report = self.expect("report");
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "{status}");
        report
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it is not ours.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }

    /// SIGSTOP.
    pub fn stop(&self) {
        proc::signal(self.pid(), Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        proc::signal(self.pid(), Signal::CONT);
    }

    /// SIGKILL, and waits for the end.
    pub fn kill9(&mut self) {
        proc::signal(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.kill9();
    }
}
