//! Clients that break every rule: theirs is the damage, and nobody else's.
//!
//! Owns the misdeeds; every test ends by asking a well-behaved client whether it noticed anything.

mod descriptors;
mod floods;
mod garbage;
mod half_closed;
mod leaving;
mod unread;

use serde_json::json;
use streamem_tests::{Broker, Consumer, eventually};

/// A broker and a reader that must not notice anything.
struct Scene {
    broker: Broker,
    witness: Consumer,
}

impl Scene {
    fn open() -> Scene {
        let broker = Broker::with_config(
            "[pool]\nslots_max = 512\n\
             [quota]\nsessions = 3000\nsubscriptions = 3000\ndescriptors = 9000\n\
             [stream.cam]\nsource = \"pattern://bars?size=160x120&rate=50\"\n",
        );
        let options = ["mode=every", "depth=200", "check=bars"];
        let witness = Consumer::start(&broker.socket(), "cam", &options);
        Scene { broker, witness }
    }

    fn assert_nothing_happened(mut self) {
        assert!(self.broker.is_alive());
        self.broker.ask("Ping", json!({}));
        let before = self.witness.count("frames");
        eventually("the witness goes on", || {
            (self.witness.count("frames") > before + 10).then_some(())
        });
        let report = self.witness.finish();
        for fault in ["missed", "torn", "changed", "backwards"] {
            assert_eq!(report[fault], 0, "the witness noticed: {report}");
        }
        eventually("every other session is gone", || {
            let sessions = self.broker.inspect()["sessions"]
                .as_array()
                .map_or(0, Vec::len);
            (sessions == 1).then_some(())
        });
    }
}
