//! A real broker in a folder of its own.
//!
//! Owns its process and its folder, and ends both; never talks to it except to see that it answers.

use crate::notify::NotifySocket;
use crate::patience::eventually;
use crate::varlink::Wire;
use crate::{binaries, launch, proc};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Broker {
    folder: TempDir,
    plan: Plan,
    child: Child,
}

/// How a broker is to be started.
#[derive(Debug, Default)]
pub struct Plan {
    config: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    notify: Option<Arc<NotifySocket>>,
    user: Option<u32>,
    descriptors: Option<u32>,
    listen: bool,
    listener: Option<UnixListener>,
}

impl Plan {
    /// With this configuration.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Plan {
        self.config = Some(toml.to_owned());
        self
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Plan {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With one more variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Plan {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Under a service manager, whose stored descriptors it is handed.
    #[must_use]
    pub fn notify(mut self, manager: &Arc<NotifySocket>) -> Plan {
        self.notify = Some(Arc::clone(manager));
        self
    }

    /// As another user, with no right a user does not have.
    ///
    /// # Panics
    ///
    /// When this process may not become another user.
    #[must_use]
    pub fn user(mut self, user: u32) -> Plan {
        assert!(
            rustix::process::geteuid().is_root(),
            "a broker of another user needs root: run `sudo make test`"
        );
        self.user = Some(user);
        self
    }

    /// With no more than so many descriptors, ever. Not together with descriptors handed over.
    #[must_use]
    pub fn descriptors(mut self, most: u32) -> Plan {
        self.descriptors = Some(most);
        self
    }

    /// With a socket that listens already and outlives it.
    #[must_use]
    pub fn socket_activated(mut self) -> Plan {
        self.listen = true;
        self
    }

    /// Starts it, and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[must_use]
    pub fn start(mut self) -> Broker {
        let folder = TempDir::with_prefix("streamem-").expect("a temporary folder");
        let open_to_all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open_to_all).expect("it is ours");
        if let Some(user) = self.user {
            std::os::unix::fs::chown(folder.path(), Some(user), None).expect("we are root");
        }
        if let Some(config) = &self.config {
            fs::write(folder.path().join("streamem.toml"), config).expect("a file in it");
        }
        if self.listen {
            let socket = folder.path().join("streamem.sock");
            self.listener = Some(UnixListener::bind(socket).expect("a socket in it"));
        }
        let child = self.spawn(folder.path());
        let mut broker = Broker {
            folder,
            plan: self,
            child,
        };
        broker.wait_until_it_answers();
        broker
    }

    fn command(&self) -> Command {
        let program = binaries::program("streamemd");
        let stored = self.notify.as_ref().map(|manager| manager.stored());
        let mut named: Vec<(String, BorrowedFd<'_>)> = Vec::new();
        if let Some(listener) = &self.listener {
            named.push(("streamem.socket".to_owned(), listener.as_fd()));
        }
        for (name, fd) in stored.iter().flatten() {
            named.push((name.clone(), fd.as_fd()));
        }
        if !named.is_empty() {
            return launch::with_descriptors(&program, &named);
        }
        let Some(most) = self.descriptors else {
            return Command::new(program);
        };
        let mut limited = Command::new("sh");
        let script = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
        limited.args(["-c", &script]).arg(program);
        limited
    }

    fn spawn(&self, folder: &Path) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"));
        let mut command = self.command();
        if self.listener.is_none() {
            command.arg("--socket").arg(folder.join("streamem.sock"));
        }
        if self.config.is_some() {
            command.arg("--config").arg(folder.join("streamem.toml"));
        }
        if let Some(manager) = &self.notify {
            command.env("NOTIFY_SOCKET", manager.path());
        }
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command
            .args(&self.arguments)
            .env("RUST_LOG", "info")
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log file"))
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
    }
}

impl Broker {
    /// A broker as it comes: `randcam` and `randmc`.
    #[must_use]
    pub fn start() -> Broker {
        Plan::default().start()
    }

    /// A broker with this configuration.
    #[must_use]
    pub fn with_config(toml: &str) -> Broker {
        Plan::default().config(toml).start()
    }

    /// A broker started in some other way.
    #[must_use]
    pub fn plan() -> Plan {
        Plan::default()
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("streamem.sock")
    }

    /// Its folder: socket, configuration, log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A new connection.
    #[must_use]
    pub fn connect(&self) -> Wire {
        Wire::connect(&self.socket())
    }

    /// One call on a connection of its own.
    pub fn ask(&self, method: &str, parameters: Value) -> Value {
        self.connect().call(method, parameters).ok()
    }

    /// What it says of a stream.
    #[must_use]
    pub fn stream(&self, name: &str) -> Value {
        self.ask("Info", json!({ "stream": name }))["stream"].clone()
    }

    /// Everything it holds.
    #[must_use]
    pub fn inspect(&self) -> Value {
        self.ask("Inspect", json!({}))
    }

    /// Changes the configuration file; [`Broker::hangup`] has it read.
    ///
    /// # Panics
    ///
    /// When the file cannot be written.
    pub fn rewrite_config(&self, toml: &str) {
        fs::write(self.folder.path().join("streamem.toml"), toml).expect("the file is ours");
    }

    /// SIGHUP.
    pub fn hangup(&self) {
        proc::signal(self.pid(), Signal::HUP);
    }

    /// SIGKILL, and waits for the end.
    pub fn kill9(&mut self) {
        proc::signal(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Panics
    ///
    /// When it does not end.
    pub fn terminate(&mut self) -> ExitStatus {
        proc::signal(self.pid(), Signal::TERM);
        self.wait_for_end()
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    ///
    /// When it does not.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        eventually("the broker ends", || self.child.try_wait().ok().flatten())
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        proc::is_alive(self.pid())
    }

    /// Starts it again in the same place, after it has ended.
    pub fn restart(&mut self) {
        if self.is_alive() {
            self.kill9();
        }
        self.child = self.plan.spawn(self.folder.path());
        self.wait_until_it_answers();
    }

    fn wait_until_it_answers(&mut self) {
        eventually("the broker answers", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the broker ended at once: {status}");
            }
            let mut wire = Wire::try_connect(&self.socket()).ok()?;
            let is_sent = wire.send_bytes(b"{\"method\":\"io.streamem.Ping\"}\0");
            let pong = is_sent.then(|| wire.receive())??.parameters;
            (pong["pid"] == self.child.id()).then_some(())
        });
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            eprintln!("--- what the broker logged ---\n{}", self.log());
        }
    }
}
