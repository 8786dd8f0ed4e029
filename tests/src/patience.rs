//! Waiting for what must come to be.
//!
//! Owns the overall deadlines; never measures how long something took.

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: generous, so that a busy machine is no
/// failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer, for at most [`PATIENCE`].
///
/// # Panics
///
/// When there is none by then; `what` says what was hoped for.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "gave up after {PATIENCE:?} waiting until {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
