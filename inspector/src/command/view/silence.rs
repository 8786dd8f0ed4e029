//! What is said while no frame comes.
//!
//! Owns when it is said and the words; never draws.

use super::super::Broker;
use std::time::{Duration, Instant};
use streamem::StreamState;

/// After so long without a frame a person wants to be told.
const LONG: Duration = Duration::from_secs(2);

/// A time without frames.
#[derive(Debug)]
pub struct Silence {
    since: Instant,
    told: Option<(StreamState, u64)>,
    why: Option<String>,
}

impl Silence {
    /// It begins now.
    pub fn begin() -> Silence {
        Silence {
            since: Instant::now(),
            told: None,
            why: None,
        }
    }

    /// What to say of it now, if it is long and there is something new to say: each second where it is
    /// drawn, and else when the state is another.
    pub fn news(
        &mut self,
        broker: &Broker<'_>,
        stream: &str,
        state: StreamState,
        is_drawn: bool,
    ) -> Option<String> {
        let time = self.since.elapsed();
        let is_another = self.told.is_none_or(|(before, _)| before != state);
        if !self.is_due(time, state, is_drawn) {
            return None;
        }
        self.told = Some((state, time.as_secs()));
        // Asked once: the broker may be slow to answer, and keys must not wait for it each time.
        if is_another {
            let is_lost = state == StreamState::Lost;
            self.why = is_lost.then(|| why(broker, stream)).flatten();
        }
        let key = if is_drawn { "q ends; " } else { "" };
        Some(line(stream, time, key, state, self.why.as_deref()))
    }

    fn is_due(&self, time: Duration, state: StreamState, is_drawn: bool) -> bool {
        time >= LONG
            && match self.told {
                Some((before, _)) if before != state => true,
                Some((_, second)) => is_drawn && second != time.as_secs(),
                None => true,
            }
    }
}

fn why(broker: &Broker<'_>, stream: &str) -> Option<String> {
    broker.connect().ok()?.info(stream).ok()?.why
}

/// The key comes before the reason, which may be longer than the line.
fn line(stream: &str, time: Duration, key: &str, state: StreamState, why: Option<&str>) -> String {
    let seconds = time.as_secs();
    let state = match state {
        StreamState::Live => "its source sends nothing",
        StreamState::Lost => "its source is lost",
        StreamState::Renewed => "its memory is being renewed",
        StreamState::Ended => "it has ended",
        StreamState::Disconnected => "the broker is gone, and is called again",
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{stream}: no frame for {seconds} s; {key}{state}{why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_stream_the_key_the_state_and_why() {
        let told = line(
            "cam",
            LONG,
            "q ends; ",
            StreamState::Lost,
            Some("unplugged"),
        );
        let wanted = "cam: no frame for 2 s; q ends; its source is lost: unplugged";
        assert_eq!(told, wanted);
        let told = line("cam", LONG, "", StreamState::Live, None);
        assert_eq!(told, "cam: no frame for 2 s; its source sends nothing");
    }

    #[test]
    fn only_a_long_silence_is_told_and_only_what_is_new() {
        let mut silence = Silence::begin();
        let (live, lost) = (StreamState::Live, StreamState::Lost);
        assert!(!silence.is_due(LONG / 2, lost, true));
        assert!(silence.is_due(LONG, lost, true));
        silence.told = Some((lost, 2));
        assert!(!silence.is_due(LONG, lost, true));
        assert!(silence.is_due(LONG, live, false));
        assert!(silence.is_due(LONG * 2, lost, true));
        assert!(!silence.is_due(LONG * 2, lost, false));
    }
}
