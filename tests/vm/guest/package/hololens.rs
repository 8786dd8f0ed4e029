//! The package for the HoloLens on top of the other: what it opens, and that it closes again.
//!
//! Owns the headset of these tests and what is expected of its streams.

use crate::debian::{ANNA, broker, by, configure, info, installed, live, property, run, said};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use streamem_tests::eventually;

const SERVICE: &str = "streamemd.service";
const PACKAGE: &str = "/vm/streamem-hololens.deb";
const STREAMS: &str = "[stream.cam]\n\
    source = \"v4l2:///dev/video0?size=640x360&rate=30&format=yuyv\"\n\
    [stream.movement]\n\
    source = \"hl2ss://headset/accelerometer\"\n\
    [stream.head]\n\
    source = \"hl2ss://127.0.0.1/spatial\"\n\
    [stream.far]\n\
    source = \"hl2ss://192.0.2.1/spatial\"\n";

/// Gives the machine itself an address that is not of a local network.
const FAR: &str = "import fcntl, socket, struct\n\
    address = struct.pack('16sHH4s8x', b'lo:1', socket.AF_INET, 0, socket.inet_aton('192.0.2.1'))\n\
    fcntl.ioctl(socket.socket(), 0x8916, address)\n";

struct Headset(Child);

impl Headset {
    fn on() -> Headset {
        let child = Command::new("/vm/bin/headset")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        Headset(child.expect("it can be run"))
    }
}

impl Drop for Headset {
    fn drop(&mut self) {
        let _it_may_have_ended = self.0.kill();
        let _it_ends = self.0.wait();
    }
}

/// What the service said, shown if the test fails.
struct Journal;

impl Journal {
    fn text() -> String {
        said(&["journalctl", "--no-pager", "--unit", SERVICE, "--boot"])
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", Journal::text());
        }
    }
}

fn lost(stream: &str, words: &str) -> Value {
    eventually(&format!("{stream} is lost: {words}"), || {
        let told = info(stream);
        let is_so = told["state"] == "lost" && told["why"].to_string().contains(words);
        is_so.then_some(told)
    })
}

fn network_of(pid: &str) -> String {
    let network = fs::read_link(format!("/proc/{pid}/ns/net"));
    network.expect("it lives").display().to_string()
}

fn workers() -> Vec<String> {
    let pids = run(&["pgrep", "-x", "streamem-worker"]).stdout;
    let pids = String::from_utf8_lossy(&pids);
    pids.lines().map(str::to_owned).collect()
}

/// What `systemd-analyze security` thinks of the service.
fn exposure() -> f32 {
    let table = said(&["systemd-analyze", "security", "--no-pager", SERVICE]);
    let line = table.lines().find(|line| line.contains("Overall"));
    let mut words = line.unwrap_or_default().split_whitespace();
    let level = words.find_map(|word| word.parse().ok());
    level.unwrap_or_else(|| panic!("{table}"))
}

fn is_closed() {
    eventually("the service has no network", || {
        (network_of(&broker()) != network_of("1")).then_some(())
    });
    assert!(exposure() <= 2.0, "{}", exposure());
    assert!(!property(SERVICE, "RestrictAddressFamilies").contains("INET"));
    assert!(!Path::new("/usr/libexec/streamem").exists());
    for stream in ["movement", "head"] {
        lost(stream, "install the package streamem-hololens");
    }
    live("cam");
}

#[test]
fn hololens_comes_and_goes_with_its_package() {
    installed();
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    fs::write("/etc/hosts", hosts + "127.0.0.1 headset\n").expect("/etc can be written");
    let _shown = Journal;
    said(&["/usr/bin/python3", "-c", FAR]);
    let _headset = Headset::on();
    configure(STREAMS);
    said(&["systemctl", "reload", SERVICE]);
    is_closed();

    // The walls of a worker are said at this level.
    said(&["systemctl", "set-environment", "RUST_LOG=info"]);
    said(&["dpkg", "--install", PACKAGE]);
    for stream in ["movement", "head"] {
        live(stream);
        said(&by(ANNA, &["streamem", "watch", stream, "--count", "5"]));
    }
    is_walled_in();
    is_open_as_far_as_needed();
    is_ended_without_the_service();

    said(&["dpkg", "--remove", "streamem-hololens"]);
    is_closed();
    assert_eq!(workers(), Vec::<String>::new());
}

/// All that a worker can give up in this service it has, and says so.
fn is_walled_in() {
    let log = Journal::text();
    // A service that found the program before it was started anew, as the package has it, is still closed.
    let opened = format!("streamemd[{}]", broker());
    let lines = log.lines().filter(|line| line.contains("walls:"));
    let lines: Vec<&str> = lines.filter(|line| line.contains(&opened)).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        println!("{line}");
        for wall in [
            "namespaces user+net+mount+ipc+uts+cgroup",
            "empty root",
            "landlock",
            "no capabilities",
            "seccomp",
        ] {
            assert!(line.contains(wall), "{wall}: {line}");
        }
        assert!(!line.contains("without"), "{line}");
    }
    for worker in workers() {
        assert_ne!(network_of(&worker), network_of("1"));
        let files = fs::read_dir(format!("/proc/{worker}/root/")).expect("root may look");
        assert_eq!(files.count(), 0, "the worker sees files");
    }
}

fn is_open_as_far_as_needed() {
    assert_eq!(network_of(&broker()), network_of("1"));
    // If it were let through, this machine would refuse.
    lost("far", "does not answer");
    println!("with the package: {}", exposure());
    assert!(exposure() <= 3.0, "{}", exposure());
    let allowed = property(SERVICE, "IPAddressAllow");
    assert!(allowed.contains("192.168.0.0/16"), "{allowed}");
    assert!(!allowed.contains("0.0.0.0/0"), "{allowed}");
}

/// The kernel ends a worker for want of memory, as it were: its streams come back, and nothing else was disturbed.
fn is_ended_without_the_service() {
    let (pid, before) = (broker(), workers());
    assert_eq!(property(SERVICE, "OOMPolicy"), "continue");
    for worker in &before {
        said(&["/bin/kill", "-KILL", worker]);
    }
    eventually("there are others", || {
        let now = workers();
        let is_so = now.len() == before.len() && now.iter().all(|pid| !before.contains(pid));
        is_so.then_some(())
    });
    live("movement");
    said(&by(
        ANNA,
        &["streamem", "watch", "movement", "--count", "5"],
    ));
    assert_eq!(broker(), pid);
}
