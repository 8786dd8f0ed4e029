//! Reads a stream in an event loop of one's own, beside a clock: `epoll STREAM [COUNT]`.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let stream = words.next().unwrap_or_else(|| "randcam".to_owned());
    let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(100);

    let mut sub = streamem::Subscription::builder(&stream)
        .eventfd(true)
        .open()?;
    let (mut taken, mut tick) = (0, Instant::now());
    while taken < count {
        // `sub` is a descriptor like any other; it stays the same when the broker is restarted.
        let left = Timespec::try_from(tick.saturating_duration_since(Instant::now()))?;
        poll(&mut [PollFd::new(&sub, PollFlags::IN)], Some(&left))?;
        while taken < count
            && let Some(frame) = sub.try_next()?
        {
            taken += 1;
            println!("{} {} bytes", frame.sequence(), frame.bytes().len());
        }
        if tick <= Instant::now() {
            println!("tick: {taken} so far");
            tick += Duration::from_secs(1);
        }
    }
    Ok(())
}
