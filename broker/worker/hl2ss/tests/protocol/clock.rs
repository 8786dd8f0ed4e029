//! The truth is never further from an estimate than the estimate says.
//!
//! Owns a device whose clock is wrong by a known amount.

use proptest::prelude::*;
use streamem_hl2ss::Ticks;
use streamem_hl2ss::clock::{DRIFT_PPB_MAX, Exchange, Follower, Learned};

/// What the device's clock shows when it is `here_ns` here.
fn device(here_ns: u64, offset: i64, drift_ppb: i64) -> Ticks {
    let here = i128::from(here_ns);
    // Growth is counted by the device's own time, as what is tested does.
    let ns = (here - i128::from(offset)) * 1_000_000_000 / (1_000_000_000 + i128::from(drift_ppb));
    Ticks(u64::try_from(ns / 100).expect("a time"))
}

fn exchange(sent_ns: u64, there: u64, back: u64, offset: i64, drift_ppb: i64) -> Exchange {
    Exchange {
        sent_ns,
        device: device(sent_ns + there, offset, drift_ppb),
        received_ns: sent_ns + there + back,
    }
}

const LATE: u64 = 1_000_000_000_000_000;

proptest! {
    #[test]
    fn the_truth_is_within_the_error(
        offset in -400_000_000_000_000_i64..400_000_000_000_000,
        drift in -DRIFT_PPB_MAX + 10..DRIFT_PPB_MAX - 10,
        exchanges in prop::collection::vec((1_000_u64..9_000_000_000, 0_u64..50_000_000, 0_u64..50_000_000), 1..80),
        ahead in -60_000_000_000_i64..60_000_000_000,
    ) {
        let mut follower = Follower::new();
        let mut now = LATE;
        for (pause, there, back) in exchanges {
            now += pause;
            let learned = follower.learn(exchange(now, there, back, offset, drift));
            prop_assert_eq!(learned, Learned::Counted);
            now += there + back;
        }
        let at = now.saturating_add_signed(ahead);
        let estimate = follower.here(device(at, offset, drift)).expect("it knows");
        // The reading was cut to whole ticks.
        prop_assert!(estimate.ns.abs_diff(at) <= estimate.error_ns + 101, "{estimate:?} {at}");
    }

    #[test]
    fn whatever_is_said_it_goes_on(
        exchanges in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 0..60),
        asked in any::<u64>(),
    ) {
        let mut follower = Follower::new();
        for (sent_ns, ticks, received_ns) in exchanges {
            let exchange = Exchange { sent_ns, device: Ticks(ticks), received_ns };
            let learned = follower.learn(exchange);
            prop_assert_eq!(learned == Learned::Impossible, sent_ns > received_ns);
            let _ = follower.here(Ticks(asked));
        }
    }
}

#[test]
fn many_exchanges_say_more_than_one() {
    let mut follower = Follower::new();
    assert_eq!(follower.here(Ticks(0)), None);
    let (offset, drift) = (-77_000_000_000, 20_000);
    let asked = device(LATE + 70_000_000_000, offset, drift);
    follower.learn(exchange(LATE, 4_000_000, 4_000_000, offset, drift));
    let first = follower.here(asked).expect("one is enough");
    for second in 1..60 {
        // Now and then the way is short, the other times it is not.
        let (there, back) = if second % 7 == 0 {
            (200_000, 150_000)
        } else {
            (5_000_000, 30_000_000)
        };
        let sent = LATE + second * 1_000_000_000;
        follower.learn(exchange(sent, there, back, offset, drift));
    }
    let last = follower.here(asked).expect("it knows");
    assert!(
        last.error_ns * 10 < first.error_ns,
        "{first:?}, then {last:?}"
    );
    assert!(last.error_ns < 400_000, "{last:?}");
}

#[test]
fn a_device_that_was_started_again_is_followed_anew() {
    let mut follower = Follower::new();
    for second in 0..10 {
        follower.learn(exchange(
            LATE + second * 1_000_000_000,
            1_000_000,
            1_000_000,
            0,
            0,
        ));
    }
    let restarted = LATE + 20_000_000_000;
    let offset = i64::try_from(LATE).expect("a time");
    let again = exchange(restarted, 1_000_000, 1_000_000, offset, 0);
    assert_eq!(follower.learn(again), Learned::Restarted);
    let estimate = follower.here(again.device).expect("it knows");
    assert!(estimate.ns.abs_diff(restarted + 1_000_000) <= estimate.error_ns);
    assert!(estimate.error_ns < 1_100_000, "{estimate:?}");
}
