//! Fills a stream of its own with what another shows, upside down: `publish STREAM LIKE [COUNT]`.

use std::time::Duration;

fn main() -> Result<(), streamem::Error> {
    let mut words = std::env::args().skip(1);
    let stream = words.next().unwrap_or_else(|| "flipped".to_owned());
    let like = words.next().unwrap_or_else(|| "randcam".to_owned());
    let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(100);

    let mut sub = streamem::subscribe(&like)?;
    let mut publisher = streamem::publish(&stream).like(&like).open()?;
    for _ in 0..count {
        let Some(frame) = sub.next(Duration::from_secs(2))? else {
            println!("no frame for 2 s, {like} is {:?}", sub.state());
            continue;
        };
        let Some(mut slot) = publisher.slot(Duration::from_secs(2))? else {
            println!("no slot for 2 s, is the broker there?");
            continue;
        };
        for (to, from) in slot.bytes_mut().iter_mut().zip(frame.bytes().iter().rev()) {
            *to = *from; // written once, where every reader of ours will read it
        }
        slot.captured_ns(frame.captured_ns()); // its age is that of the frame it came from
        println!("{} goes into slot {}", frame.sequence(), slot.index());
        slot.submit()?;
    }
    publisher.finish()
}
