//! Prints a line for each new frame: `watch STREAM [COUNT]`.

use std::time::Duration;

fn main() -> Result<(), streamem::Error> {
    let mut words = std::env::args().skip(1);
    let stream = words.next().unwrap_or_else(|| "randcam".to_owned());
    let mut left = words.next().and_then(|count| count.parse().ok());

    let mut sub = streamem::subscribe(&stream)?;
    while left != Some(0)
        && let Some(frame) = sub.next(Duration::from_secs(1))?
    {
        let pixels: &[u8] = frame.bytes(); // the broker's own memory, held for us until drop
        println!(
            "{} {:?} {} bytes, {} missed",
            frame.sequence(),
            frame.captured(),
            pixels.len(),
            frame.missed()
        );
        left = left.map(|count: u64| count - 1);
    }
    Ok(())
}
