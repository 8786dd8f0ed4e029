//! Takes every frame in order, however slow the reader is at times: `every STREAM [COUNT]`.

use std::thread::sleep;
use std::time::Duration;

fn main() -> Result<(), streamem::Error> {
    let mut words = std::env::args().skip(1);
    let stream = words.next().unwrap_or_else(|| "randmc".to_owned());
    let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(100);

    // Up to 16 frames behind, nothing is lost.
    let mut sub = streamem::Subscription::builder(&stream).every(16).open()?;
    for taken in 0..count {
        let Some(frame) = sub.next(Duration::from_secs(2))? else {
            println!("no frame for 2 s, the stream is {:?}", sub.state());
            continue;
        };
        println!("{} after {:?}", frame.sequence(), frame.age());
        if taken % 10 == 9 {
            drop(frame); // what is not needed while we are busy is given back
            sleep(Duration::from_millis(100));
        }
    }
    println!("{} missed", sub.missed());
    Ok(())
}
