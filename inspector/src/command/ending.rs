//! Being told by a signal to end.
//!
//! Owns the signals that mean it; the first asks politely, so that the terminal is given back and what
//! was added is removed, the second ends at once, also where a write to a stuck terminal never returns.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a signal came.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<AtomicBool>);

impl Ending {
    /// From now on signals are noticed here instead of ending the process.
    pub fn watch() -> io::Result<Ending> {
        let ending = Ending::default();
        for signal in [SIGTERM, SIGHUP, SIGINT] {
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&ending.0))?;
            flag::register(signal, Arc::clone(&ending.0))?;
        }
        Ok(ending)
    }

    /// Whether one came.
    pub fn is_near(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal, getpid, kill_process};

    #[test]
    fn the_first_signal_only_asks() {
        let ending = Ending::watch().unwrap();
        assert!(!ending.is_near());
        kill_process(getpid(), Signal::HUP).unwrap();
        for _ in 0..1_000_000 {
            if ending.is_near() {
                return;
            }
            std::thread::yield_now();
        }
        panic!("the signal was not noticed");
    }
}
