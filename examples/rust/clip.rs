//! Looks back in time, as often as wanted: `clip STREAM [COUNT]`.

use std::time::Duration;

fn main() -> Result<(), streamem::Error> {
    let mut words = std::env::args().skip(1);
    let stream = words.next().unwrap_or_else(|| "randcam".to_owned());
    let count: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(3);

    let mut sub = streamem::Subscription::builder(&stream).history(8).open()?;
    for _ in 0..count {
        // Something happens…
        for _ in 0..8 {
            sub.next(Duration::from_secs(2))?;
        }
        // …and here is what was seen until then, where it lies: nothing was copied.
        let clip = sub.clip(8)?;
        let (Some(first), Some(last)) = (clip.first(), clip.last()) else {
            println!("nothing yet");
            continue;
        };
        println!(
            "frames {} to {}, {:?} of {}",
            first.sequence(),
            last.sequence(),
            last.captured() - first.captured(),
            last.layout().summary()
        );
    }
    Ok(())
}
