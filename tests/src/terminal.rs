//! A terminal as a program sees one, with somebody at its keys.
//!
//! Owns both ends of a pseudo terminal; never understands what is drawn.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};

/// The terminal's two ends.
#[derive(Debug)]
pub struct Terminal {
    keys: File,
    program: File,
    drawn: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// A terminal of 80 by 24.
    ///
    /// # Panics
    ///
    /// When the system has no pseudo terminals.
    #[must_use]
    pub fn open() -> Terminal {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).expect("a pseudo terminal");
        grantpt(&keys)
            .and_then(|()| unlockpt(&keys))
            .expect("it is ours");
        let name = ptsname(&keys, Vec::new()).expect("it has a name");
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let program = File::options().read(true).write(true).open(name);
        let program = program.expect("its other end");
        let size = Winsize {
            ws_col: 80,
            ws_row: 24,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&program, size).expect("a size");
        let drawn = Arc::default();
        let (keys, log) = (File::from(keys), Arc::clone(&drawn));
        let mut screen = keys.try_clone().expect("a descriptor is free");
        std::thread::spawn(move || read_all(&mut screen, &log));
        Terminal {
            keys,
            program,
            drawn,
        }
    }

    /// Starts a program in it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(&self, command: &mut Command) -> Child {
        let end = || OwnedFd::from(self.program.try_clone().expect("a descriptor is free"));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn();
        child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
    }

    /// Types.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it is open");
    }

    /// Everything that was drawn so far.
    #[must_use]
    pub fn drawn(&self) -> String {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&drawn).into_owned()
    }

    /// How it treats keys and lines.
    ///
    /// # Panics
    ///
    /// When it does not say.
    #[must_use]
    pub fn modes(&self) -> String {
        let modes: Termios = tcgetattr(&self.program).expect("it is a terminal");
        let (input, output) = (modes.input_modes, modes.output_modes);
        format!("{input:?} {output:?} {:?}", modes.local_modes)
    }
}

fn read_all(screen: &mut File, log: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = screen.read(&mut buffer) {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(&buffer[..count]);
    }
}
