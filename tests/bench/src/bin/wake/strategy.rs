//! The ways to wake many: names, and how each one's consumers wait.
//!
//! It owns the list and never wakes anybody itself (see `publisher`).

/// How one producer wakes N consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One `FUTEX_WAKE(INT_MAX)` on a word all wait on: reference 1.
    Broadcast,
    /// The same, consumers waiting without a timeout.
    BroadcastUntimed,
    /// `FUTEX_WAKE(n)` on the shared word, as often as it takes for all; waiters are woken in the order they came.
    Chunks(u32),
    /// One word per consumer, a `FUTEX_WAKE(1)` each.
    Words,
    /// The same, starting with another consumer each time.
    WordsRotating,
    /// The same, consumers waiting without a timeout.
    WordsUntimed,
    /// One blocking eventfd per consumer, a `write` each: reference 2.
    Eventfds,
    /// The same, consumers waiting with `ppoll` and a timeout before they read.
    EventfdsPolled,
    /// Non-blocking eventfds written by one io_uring submission; consumers poll, then read.
    RingEventfds,
    /// `IORING_OP_FUTEX_WAKE` on a word per consumer, in one submission.
    RingWords(Setup),
    /// `IORING_OP_FUTEX_WAKE` of one waiter, N times on the one shared word, in one submission.
    RingShared,
    /// A thread that is woken by one futex and then does as [`Strategy::Words`].
    WakerWords,
    /// A thread that is woken by one futex and then broadcasts.
    WakerBroadcast,
    /// Nobody is woken: consumers poll the head every 50 µs. Not a candidate, it shows what a wake costs.
    Nobody,
}

/// How the io_uring instance is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// No flags.
    Plain,
    /// `COOP_TASKRUN`.
    Cooperative,
    /// `SINGLE_ISSUER | DEFER_TASKRUN`.
    Deferred,
}

/// What a consumer does when there is nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// `FUTEX_WAIT` on the shared word, with a timeout.
    SharedWord,
    /// `FUTEX_WAIT` on the shared word, without one.
    SharedWordUntimed,
    /// `FUTEX_WAIT` on its own word, with a timeout.
    OwnWord,
    /// `FUTEX_WAIT` on its own word, without one.
    OwnWordUntimed,
    /// A blocking `read` of its eventfd.
    EventfdRead,
    /// `ppoll` with a timeout, then `read`.
    EventfdPoll,
    /// Sleep a little.
    Sleep,
}

/// All strategies, in the order of the report.
pub const ALL: [(&str, Strategy); 18] = [
    ("broadcast", Strategy::Broadcast),
    ("broadcast-untimed", Strategy::BroadcastUntimed),
    ("chunks-1", Strategy::Chunks(1)),
    ("chunks-2", Strategy::Chunks(2)),
    ("chunks-4", Strategy::Chunks(4)),
    ("words", Strategy::Words),
    ("words-rotating", Strategy::WordsRotating),
    ("words-untimed", Strategy::WordsUntimed),
    ("eventfds", Strategy::Eventfds),
    ("eventfds-polled", Strategy::EventfdsPolled),
    ("ring-eventfds", Strategy::RingEventfds),
    ("ring-words", Strategy::RingWords(Setup::Plain)),
    ("ring-words-coop", Strategy::RingWords(Setup::Cooperative)),
    ("ring-words-defer", Strategy::RingWords(Setup::Deferred)),
    ("ring-shared", Strategy::RingShared),
    ("waker-words", Strategy::WakerWords),
    ("waker-broadcast", Strategy::WakerBroadcast),
    ("nobody", Strategy::Nobody),
];

/// The strategy of that name.
pub fn named(name: &str) -> Option<Strategy> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, strategy)| *strategy)
}

impl Strategy {
    /// How the consumers of this strategy wait.
    pub fn wait(self) -> Wait {
        match self {
            Self::Broadcast | Self::Chunks(_) | Self::RingShared | Self::WakerBroadcast => {
                Wait::SharedWord
            }
            Self::BroadcastUntimed => Wait::SharedWordUntimed,
            Self::Words | Self::WordsRotating | Self::RingWords(_) | Self::WakerWords => {
                Wait::OwnWord
            }
            Self::WordsUntimed => Wait::OwnWordUntimed,
            Self::Eventfds => Wait::EventfdRead,
            Self::EventfdsPolled | Self::RingEventfds => Wait::EventfdPoll,
            Self::Nobody => Wait::Sleep,
        }
    }
}
