//! `streamem gst` against GStreamer's own `unixfdsrc`.
//!
//! Owns starting both, and reading what a pipeline wrote; never stands in for a part of GStreamer.

mod ending;
mod formats;
mod isolation;
mod speaking;

use rustix::process::Signal;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use streamem_tests::{Broker, binaries, eventually, proc};
use streamem_wire::stamp_strip::Strip;
use streamem_wire::{Format, Layout};
use streamemd::source::pattern::bars;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// A configuration with test pictures called `cam`.
fn config(parameters: &str) -> String {
    format!("[stream.cam]\nsource = \"pattern://bars?{parameters}\"\n")
}

fn pictures() -> Layout {
    Layout::video(Format::Rgb24, WIDTH, HEIGHT, 15.0).expect("a layout")
}

/// How many frames each reader may hold.
const LEASES: usize = 60;

/// So slow that a reader on a busy machine keeps up: with so many leases it may be 4 s behind.
fn steady_broker() -> Broker {
    Broker::with_config(&config("size=320x240&rate=15&format=rgb24"))
}

/// A running `streamem gst`; killed when dropped.
struct Server {
    child: Child,
    socket: PathBuf,
}

impl Server {
    fn command(broker: &Broker, words: &[&str]) -> Command {
        let mut command = Command::new(binaries::program("streamem"));
        command.arg("--socket").arg(broker.socket());
        command.args(["--json", "gst"]).args(words);
        command
    }

    fn start(broker: &Broker, stream: &str) -> Server {
        Server::start_with(broker, stream, LEASES, "022")
    }

    fn start_with(broker: &Broker, stream: &str, leases: usize, umask: &str) -> Server {
        let socket = broker.folder().join(format!("{stream}.gst"));
        let place = socket.to_str().expect("plain letters");
        let leases = leases.to_string();
        let words = [stream, "--listen", place, "--leases", &leases];
        let log = File::create(broker.folder().join(format!("{stream}.gst.log")));
        let command = Server::command(broker, &words);
        let mut child = Command::new("sh")
            .args(["-c", r#"umask "$0"; exec "$@""#, umask])
            .arg(command.get_program())
            .args(command.get_args())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("streamem runs");
        let said = child.stdout.take().expect("it is piped");
        let mut line = String::new();
        let mut said = BufReader::new(said);
        said.read_line(&mut line).expect("it says something");
        assert!(line.contains("listening"), "{line:?}");
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Server { child, socket }
    }

    /// How it ends, and what it complains of, where it must not serve.
    fn refused(broker: &Broker, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Server::command(broker, words);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut server = Server {
            child: child.expect("streamem runs"),
            socket: PathBuf::new(),
        };
        let ended = || server.child.try_wait().ok().flatten();
        let status = eventually("it refuses", ended);
        let said = server.child.stderr.take().expect("it is piped");
        let said = std::io::read_to_string(said).expect("a text");
        (status.code(), said)
    }

    fn terminate(&mut self) -> ExitStatus {
        proc::signal(self.child.id(), Signal::TERM);
        eventually("the server ends", || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `gst-launch-1.0` that reads with `unixfdsrc` and writes what it gets; killed when dropped.
struct Pipeline {
    child: Child,
    file: PathBuf,
}

impl Pipeline {
    /// From the server through these elements into a file of this name.
    fn start(server: &Server, name: &str, source: &str, elements: &str) -> Pipeline {
        let launch = binaries::workspace().join("target/trixie/run");
        assert!(
            launch.exists(),
            "there is no GStreamer with unixfdsrc: run scripts/setup.sh test, or scripts/trixie.sh"
        );
        let file = server.socket.with_extension(name);
        let child = Command::new(launch)
            .args(["gst-launch-1.0", "unixfdsrc"])
            .arg(format!("socket-path={}", server.socket.display()))
            .args(source.split_whitespace())
            .args(elements.split_whitespace())
            .args(["!", "filesink", "buffer-mode=unbuffered"])
            .arg(format!("location={}", file.display()))
            .stdin(Stdio::null())
            .stdout(File::create(file.with_extension(format!("{name}.log"))).expect("a log file"))
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("it runs");
        Pipeline { child, file }
    }

    /// As it comes.
    fn plain(server: &Server, name: &str) -> Pipeline {
        Pipeline::start(server, name, "", "")
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The whole pictures it has written so far.
    fn pictures(&self) -> Vec<Strip> {
        let layout = pictures();
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        bytes
            .chunks_exact(usize::try_from(layout.bytes).expect("it fits"))
            .map(|picture| bars::check(&layout, picture).expect("a whole picture"))
            .collect()
    }

    fn wait_for_pictures(&self, count: usize) {
        let size = pictures().bytes * count as u64;
        eventually("the pipeline has written pictures", || {
            (written(&self.file) >= size).then_some(())
        });
    }

    fn wait_for_end(&mut self) -> ExitStatus {
        eventually("the pipeline ends", || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let mut log = self.file.clone().into_os_string();
            log.push(".log");
            let said = std::fs::read_to_string(log).unwrap_or_default();
            eprintln!("--- {} ---\n{said}", self.file.display());
        }
    }
}

fn written(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |meta| meta.len())
}

fn numbers(pictures: &[Strip]) -> Vec<u64> {
    pictures.iter().map(|strip| strip.number).collect()
}

/// Each picture follows the one before.
fn assert_complete(pictures: &[Strip]) {
    let numbers = numbers(pictures);
    let follows = numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    assert!(follows, "something is missing: {numbers:?}");
}
