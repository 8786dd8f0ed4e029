//! What is in the machine: a small root of busybox, udev, modules, and the programs of the test.
//!
//! Owns what goes in; never starts the machine.

use crate::archive::Archive;
use crate::boots::Boot;
use crate::kernels::Kernel;
use crate::{kit, modules};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use streamem_tests::binaries::{self, workspace};
use streamem_vm_init::plan::{self, Plan};

/// The programs under test are all in one folder, as tests expect them.
const PROGRAMS: &str = "/vm/bin";
const PYTHON: &str = "/usr/bin/python3";
/// The folder of our client for it.
const CLIENT: &str = "/vm/python";
const OURS: [&str; 3] = ["streamemd", "streamem", "test-consumer"];

/// Users, as `passwd` has them.
const USERS: [(&str, u32); 3] = [("root", 0), ("streamem", 990), ("nobody", 65534)];
/// The groups udev's rules speak of, and ours.
const GROUPS: [&str; 14] = [
    "tty", "disk", "lp", "kmem", "dialout", "cdrom", "floppy", "tape", "audio", "video", "input",
    "kvm", "render", "sgx",
];

fn groups() -> impl Iterator<Item = (u32, &'static str)> {
    (100..).zip(GROUPS)
}

fn group(name: &str) -> Option<u32> {
    groups().find(|(_, known)| *known == name).map(|(id, _)| id)
}

/// Our packages, which lie in `/vm` of a whole Debian.
const PACKAGES: [&str; 2] = ["streamem", "streamem-hololens"];
/// A HoloLens for tests.
const HEADSET: &str = "headset";
/// What starts `vm-init` there.
const SERVICE: &str = "/etc/systemd/system/vm-test.service";

/// The archive the kernel unpacks for this boot of `program`.
///
/// # Errors
///
/// What is missing.
pub fn archive(kernel: &Kernel, boot: &Boot, program: &Path) -> Result<Vec<u8>, String> {
    let mut archive = Archive::default();
    let modules = put_modules(&mut archive, kernel, boot)?;
    let inside = |error: io::Error| format!("{}: {error}", boot.name);
    archive
        .copy(&kit::folder().join("vm-init"), "/init")
        .map_err(inside)?;
    if boot.system.is_some() {
        put_packages(&mut archive, program).map_err(inside)?;
    } else {
        put_small_root(&mut archive, boot, program)?;
    }
    let is_absent = |sort, name: &str| format!("{}: there is no {sort} {name} in there", boot.name);
    let (_, user) = USERS
        .into_iter()
        .find(|(name, _)| *name == boot.user)
        .ok_or_else(|| is_absent("user", &boot.user))?;
    let group = match &boot.group {
        None => user,
        Some(name) => group(name).ok_or_else(|| is_absent("group", name))?,
    };
    let program = Path::new(PROGRAMS).join(program.file_name().unwrap_or_default());
    let program = program.to_string_lossy().into_owned();
    let plan = Plan {
        udev: boot.udev || boot.system.is_some(),
        system: boot.system.is_some(),
        modules,
        user,
        group,
        command: [program]
            .into_iter()
            .chain(boot.arguments.clone())
            .collect(),
    };
    archive.file(plan::PLACE, 0o644, plan.text().as_bytes());
    let lacks: Vec<&str> = kernel.lacks.iter().map(String::as_str).collect();
    archive.file(plan::LACKS, 0o644, lacks.join("\n").as_bytes());
    let ours = archive.finish();
    let Some(system) = boot.system else {
        return Ok(ours);
    };
    // The kernel unpacks one after the other.
    let system = kit::system(system);
    let unreadable = |error| format!("{}: {error} (run `make vm`)", kit::short(&system));
    let whole = fs::read(&system).map_err(unreadable)?;
    Ok([whole, ours].concat())
}

/// busybox, udev, and the programs with the libraries of this machine.
fn put_small_root(archive: &mut Archive, boot: &Boot, program: &Path) -> Result<(), String> {
    let inside = |error: io::Error| format!("{}: {error}", boot.name);
    put_base(archive).map_err(inside)?;
    for name in OURS {
        put_program(archive, &binaries::program(name))?;
    }
    put_program(archive, program)?;
    // After the libraries of this machine, which are at least as new.
    archive.tree(&kit::udev(), Path::new("/")).map_err(inside)?;
    if boot.udev {
        let rules = workspace().join("udev");
        archive
            .tree(&rules, Path::new("/usr/lib/udev/rules.d"))
            .map_err(inside)?;
    }
    for name in &boot.programs {
        let place = Path::new("/usr/bin").join(name);
        put_at(archive, &found(name)?, &place)?;
    }
    if boot.python {
        put_python(archive)?;
    }
    Ok(())
}

/// What a whole Debian lacks: our packages, the test, and what starts it. It has libraries of its own.
fn put_packages(archive: &mut Archive, program: &Path) -> io::Result<()> {
    let name = program.file_name().unwrap_or_default();
    archive.copy(program, Path::new(PROGRAMS).join(name))?;
    for package in PACKAGES {
        let file = kit::package(package).map_err(io::Error::other)?;
        archive.copy(&file, format!("/vm/{package}.deb"))?;
    }
    let headset = Path::new(PROGRAMS).join(HEADSET);
    archive.copy(&binaries::program(HEADSET), headset)?;
    archive.device("/dev/console", 5, 1);
    archive.file(SERVICE, 0o644, include_bytes!("vm-test.service"));
    let wanted = "/etc/systemd/system/multi-user.target.wants/vm-test.service";
    archive.link(wanted, SERVICE);
    let quiet = b"[Manager]\nShowStatus=no\n";
    archive.file("/etc/systemd/system.conf.d/vm.conf", 0o644, quiet);
    archive.file(
        "/etc/machine-id",
        0o444,
        b"00000000000000000000000000000001\n",
    );
    for getty in ["serial-getty@ttyS0", "getty@tty1", "console-getty"] {
        archive.link(format!("/etc/systemd/system/{getty}.service"), "/dev/null");
    }
    Ok(())
}

fn put_base(archive: &mut Archive) -> io::Result<()> {
    for folder in ["bin", "sbin", "lib", "lib64"] {
        archive.folder(Path::new("/usr").join(folder));
        archive.link(Path::new("/").join(folder), &format!("usr/{folder}"));
    }
    for folder in ["/dev", "/proc", "/sys", "/run", "/tmp", "/root", "/var"] {
        archive.folder(folder);
    }
    archive.device("/dev/console", 5, 1);
    archive.link("/var/run", "/run");
    let passwd: String = USERS
        .iter()
        .map(|(name, id)| format!("{name}:x:{id}:{id}:{name}:/tmp:/bin/sh\n"))
        .collect();
    let mut group: String = USERS
        .iter()
        .map(|(name, id)| format!("{name}:x:{id}:\n"))
        .collect();
    for (id, name) in groups() {
        group += &format!("{name}:x:{id}:\n");
    }
    archive.file("/etc/passwd", 0o644, passwd.as_bytes());
    archive.file("/etc/group", 0o644, group.as_bytes());
    archive.file(
        "/etc/nsswitch.conf",
        0o644,
        b"passwd: files\ngroup: files\n",
    );
    let busybox = found("busybox").map_err(io::Error::other)?;
    archive.copy(&busybox, "/usr/bin/busybox")?;
    let applets = Command::new(&busybox).arg("--list").output()?.stdout;
    for applet in String::from_utf8_lossy(&applets).lines() {
        archive.link(Path::new("/usr/bin").join(applet), "busybox");
    }
    Ok(())
}

fn put_modules(
    archive: &mut Archive,
    kernel: &Kernel,
    boot: &Boot,
) -> Result<Vec<(String, String)>, String> {
    let folder = kit::modules(&kernel.name)?;
    let mut loaded: Vec<(String, String)> = Vec::new();
    for (module, parameters) in &boot.modules {
        let files = modules::needed(&folder, module)?;
        let last = files.len().saturating_sub(1);
        for (at, file) in files.iter().enumerate() {
            let inside = format!("/vm/modules/{}", file.with_extension("").display());
            if loaded.iter().any(|(path, _)| *path == inside) {
                continue;
            }
            let content = modules::unpacked(&folder.join(file));
            archive.file(&inside, 0o644, &content.map_err(|error| error.to_string())?);
            let own = if at == last { parameters.as_str() } else { "" };
            loaded.push((inside, own.to_owned()));
        }
    }
    Ok(loaded)
}

/// A program of this machine.
fn found(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places
        .find(|place| place.exists())
        .ok_or_else(|| format!("this machine has no {name}: run `scripts/setup.sh test`"))
}

/// This machine's Python with what our client imports, at their places, and the client.
fn put_python(archive: &mut Archive) -> Result<(), String> {
    const FILES: &str = "import sys; sys.path.insert(0, sys.argv[1]); import streamem, traceback\n\
                         for module in list(sys.modules.values()):\n\
                         \x20   if getattr(module, '__file__', None): print(module.__file__)";
    let failed = |error| format!("{PYTHON}: {error} (run `scripts/setup.sh test`)");
    let client = workspace().join("libclient/python");
    let output = Command::new(PYTHON)
        .args(["-B", "-c", FILES])
        .arg(&client)
        .output()
        .map_err(failed)?;
    let files = String::from_utf8_lossy(&output.stdout).into_owned();
    for file in files.lines().map(Path::new) {
        match file.strip_prefix(&client) {
            Ok(ours) => archive
                .copy(file, Path::new(CLIENT).join(ours))
                .map_err(failed)?,
            Err(_) if file.extension().is_some_and(|ending| ending == "so") => {
                put_at(archive, file, file)?;
            }
            Err(_) => archive.copy(file, file).map_err(failed)?,
        }
    }
    put_at(archive, Path::new(PYTHON), Path::new(PYTHON))
}

/// A program in the folder of programs, and what it is linked with.
fn put_program(archive: &mut Archive, program: &Path) -> Result<(), String> {
    let name = program.file_name().unwrap_or_default();
    put_at(archive, program, &Path::new(PROGRAMS).join(name))
}

/// A program or library, and the libraries it is linked with where the linker looks for them.
fn put_at(archive: &mut Archive, program: &Path, inside: &Path) -> Result<(), String> {
    let unreadable = |error| format!("{}: {error}", program.display());
    archive.copy(program, inside).map_err(unreadable)?;
    let output = Command::new("ldd")
        .arg(program)
        .output()
        .map_err(unreadable)?;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if line.contains("not found") {
            return Err(format!("{}: {}", program.display(), line.trim()));
        }
        let mut words = line.split_whitespace().filter(|word| word.starts_with('/'));
        if let Some(library) = words.next() {
            // The folders of the root itself are links into usr.
            let inside = match library.strip_prefix("/usr") {
                Some(_) => library.to_owned(),
                None => format!("/usr{library}"),
            };
            archive
                .copy(Path::new(library), inside)
                .map_err(unreadable)?;
        }
    }
    Ok(())
}
