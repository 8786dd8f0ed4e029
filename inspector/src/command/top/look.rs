//! One look at streams and consumers: two inspections and what happened between them.
//!
//! Owns the rates; never asks the broker.

use serde::Serialize;
use streamem_wire::message::{Inspection, Mode, State, Stream, Subscription};
use streamem_wire::{StreamName, SubscriptionId};

/// What is seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Look {
    /// The broker's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// How long it has been running.
    pub running_ns: u64,
    /// How many sessions it has.
    pub sessions: usize,
    /// Memory of all pools that is in use.
    pub committed_bytes: u64,
    /// The streams, each with its consumers.
    pub streams: Vec<StreamLook>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamLook {
    /// Its name.
    pub name: StreamName,
    /// Where it comes from.
    pub source: String,
    /// A few words on its layout.
    pub summary: String,
    /// Whether frames come.
    pub state: State,
    /// Why not.
    pub why: Option<String>,
    /// Frames published in a second.
    pub rate: f64,
    /// Bytes published in a second.
    pub bytes_per_second: f64,
    /// The newest frame.
    pub newest: u64,
    /// Frames dropped, for want of a slot and by the source.
    pub dropped: u64,
    /// Slots the subscriptions need.
    pub slots: u32,
    /// Slots there can be.
    pub slots_max: u32,
    /// Who reads it.
    pub consumers: Vec<Consumer>,
}

/// A subscription and its owner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Consumer {
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// The owner's process.
    pub pid: u32,
    /// What the process is called.
    pub command: String,
    /// Which frames it asked for.
    pub mode: Mode,
    /// How far it may be behind.
    pub depth: u32,
    /// Frames taken in a second.
    pub rate: f64,
    /// How long ago it took the last.
    pub age_ns: Option<u64>,
    /// Leases it holds.
    pub held: u32,
    /// Leases it may hold.
    pub leases: u32,
    /// Frames it took.
    pub taken: u64,
    /// Frames it missed.
    pub missed: u64,
    /// Frames it missed in a second.
    pub missing_rate: f64,
    /// Leases it was refused.
    pub refused: u64,
    /// Frames it is behind the newest.
    pub behind: u64,
    /// Whether it waits for a frame.
    pub waiting: bool,
}

#[allow(clippy::cast_precision_loss, reason = "rates are shown with a digit")]
fn per_second(before: u64, now: u64, seconds: f64) -> f64 {
    if seconds <= 0.0 {
        return 0.0;
    }
    now.saturating_sub(before) as f64 / seconds
}

#[allow(clippy::cast_precision_loss, reason = "rates are shown with a digit")]
fn seconds_between(before: &Inspection, now: &Inspection) -> f64 {
    now.broker.now_ns.saturating_sub(before.broker.now_ns) as f64 / 1e9
}

impl Look {
    /// What happened between two inspections.
    pub fn between(before: &Inspection, now: &Inspection) -> Look {
        let seconds = seconds_between(before, now);
        let streams = now.streams.iter();
        Look {
            version: now.broker.version.clone(),
            pid: now.broker.pid,
            running_ns: now.broker.now_ns.saturating_sub(now.broker.started_ns),
            sessions: now.sessions.len(),
            committed_bytes: now.pools.iter().map(|pool| pool.committed_bytes).sum(),
            streams: streams
                .map(|stream| StreamLook::of(stream, before, now, seconds))
                .collect(),
        }
    }
}

impl StreamLook {
    fn of(stream: &Stream, before: &Inspection, now: &Inspection, seconds: f64) -> StreamLook {
        let earlier = before.streams.iter().find(|old| old.name == stream.name);
        let published = stream.counters.published;
        let was = earlier.map_or(published, |old| old.counters.published);
        let rate = per_second(was, published, seconds);
        let subscriptions = now.subscriptions.iter();
        #[allow(clippy::cast_precision_loss, reason = "a rate is shown with a digit")]
        let frame_bytes = stream.layout.bytes as f64;
        StreamLook {
            name: stream.name.clone(),
            source: stream.source.clone(),
            summary: stream.layout.summary(),
            state: stream.state,
            why: stream.why.clone(),
            rate,
            bytes_per_second: rate * frame_bytes,
            newest: stream.newest.0,
            dropped: stream.counters.dropped_no_slot + stream.counters.dropped_by_source,
            slots: stream.slots,
            slots_max: stream.slots_max,
            consumers: subscriptions
                .filter(|subscription| subscription.stream == stream.name)
                .map(|subscription| Consumer::of(subscription, before, now, seconds))
                .collect(),
        }
    }
}

impl Consumer {
    fn of(it: &Subscription, before: &Inspection, now: &Inspection, seconds: f64) -> Consumer {
        let mut earlier = before.subscriptions.iter();
        let earlier = earlier.find(|old| old.subscription == it.subscription);
        let (taken, missed) = earlier.map_or((it.taken, it.missed), |old| (old.taken, old.missed));
        let session = now.sessions.iter().find(|s| Some(s.session) == it.session);
        let took_any = it.last_taken_ns > 0;
        Consumer {
            subscription: it.subscription,
            pid: it.pid,
            command: session.map_or_else(|| "(gone)".to_owned(), |s| s.command.clone()),
            mode: it.mode,
            depth: it.depth,
            rate: per_second(taken, it.taken, seconds),
            age_ns: took_any.then(|| now.broker.now_ns.saturating_sub(it.last_taken_ns)),
            held: it.held,
            leases: it.leases,
            taken: it.taken,
            missed: it.missed,
            missing_rate: per_second(missed, it.missed, seconds),
            refused: it.refused,
            behind: it.behind,
            waiting: it.waiting,
        }
    }

    /// Which frames it asked for, in a word.
    pub fn mode(&self) -> String {
        match self.mode {
            Mode::Latest => "latest".to_owned(),
            Mode::Every => format!("every {}", self.depth),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    /// A broker with one stream and two readers, of which one is slow, at this second.
    pub fn inspection(second: u64) -> Inspection {
        let layout = streamem_wire::Layout::video(streamem_wire::Format::Bgr24, 1280, 720, 30.0);
        let now_ns = second * 1_000_000_000;
        let subscription = |id: u64, taken: u64, missed: u64| {
            json!({"subscription": id, "session": id, "pid": 100 + id, "stream": "randcam",
                "mode": "latest", "depth": 1, "leases": 2, "held": 1, "taken": taken,
                "last_sequence": taken, "last_taken_ns": now_ns.saturating_sub(5_000_000),
                "missed": missed, "refused": 0, "behind": 0, "waiting": true})
        };
        let session = |id: u64, command: &str| {
            json!({"session": id, "pid": 100 + id, "uid": 0, "gid": 0, "command": command,
                "connected_ns": 0, "own": false})
        };
        serde_json::from_value(json!({
            "broker": {"version": "0.1.0", "pid": 7, "now_ns": now_ns, "started_ns": 0},
            "streams": [{"name": "randcam", "source": "pattern://rand", "state": "live",
                "layout": layout.unwrap(), "generation": 1, "pool": "memfd",
                "protection": "sealed", "slots": 6, "slots_max": 64, "slot_bytes": 2_764_800,
                "copies": 0, "newest": second * 30, "subscriptions": 2,
                "counters": {"published": second * 30}}],
            "sessions": [session(1, "quick"), session(2, "slow")],
            "subscriptions": [subscription(1, second * 30, 0), subscription(2, second * 5, second * 25)],
            "pools": [], "descriptors": [], "accounts": []
        }))
        .unwrap()
    }

    #[test]
    fn rates_are_what_happened_in_between() {
        let look = Look::between(&inspection(10), &inspection(12));
        let stream = &look.streams[0];
        assert_eq!(stream.rate, 30.0);
        let rates: Vec<(f64, f64)> = stream
            .consumers
            .iter()
            .map(|consumer| (consumer.rate, consumer.missing_rate))
            .collect();
        assert_eq!(rates, [(30.0, 0.0), (5.0, 25.0)]);
        assert_eq!(stream.consumers[0].age_ns, Some(5_000_000));
        assert_eq!(stream.consumers[1].command, "slow");
    }

    #[test]
    fn a_consumer_seen_for_the_first_time_has_no_rate_yet() {
        let mut before = inspection(10);
        before.subscriptions.clear();
        let look = Look::between(&before, &inspection(11));
        assert_eq!(look.streams[0].consumers[0].rate, 0.0);
    }

    #[test]
    fn a_consumer_that_never_took_a_frame_has_no_age() {
        let mut now = inspection(11);
        now.subscriptions[0].last_taken_ns = 0;
        let look = Look::between(&inspection(10), &now);
        assert_eq!(look.streams[0].consumers[0].age_ns, None);
    }
}
