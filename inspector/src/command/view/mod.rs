//! `streamem view`: a stream in the terminal, as picture, sound levels or numbers.
//!
//! Owns the loop from frame to screen; the terminal is given back however it ends.

mod canvas;
mod gauge;
mod question;
mod silence;
mod terminal;

use super::Broker;
use super::frame_line::FrameLine;
use crate::cli::{Renderer, View};
use crate::failure::Failure;
use crate::output::{Output, complain, units};
use canvas::{Canvas, Content, Drawn};
use serde::Serialize;
use silence::Silence;
use std::time::{Duration, Instant};
use streamem::Frame;
use terminal::Terminal;

/// How long a key may go unseen.
const KEY_WAIT: Duration = Duration::from_millis(100);

#[derive(Debug, Serialize)]
struct Seen {
    #[serde(flatten)]
    line: FrameLine,
    content: Content,
}

pub fn run(broker: &Broker<'_>, asked: &View, output: &mut Output) -> Result<(), Failure> {
    let mut subscription = broker.subscription(asked.stream.as_str()).latest().open()?;
    canvas::refuse_compressed(subscription.layout())?;
    let mut left = asked.count;
    let mut pace = Pace::default();
    let shown = !output.json();
    let mut terminal = Terminal::borrow(shown && output.is_terminal())?;
    let canvas = Canvas::new(match asked.renderer {
        Renderer::Auto if shown => question::best_renderer(&mut terminal)?,
        chosen => chosen,
    });
    let mut silence = Silence::begin();
    while left != Some(0) && !terminal.wants_to_end()? {
        let Some(frame) = subscription.next(KEY_WAIT)? else {
            let news = silence.news(
                broker,
                asked.stream.as_str(),
                subscription.state(),
                terminal.is_borrowed(),
            );
            if let Some(news) = news {
                tell(&news, &mut terminal, output)?;
            }
            continue;
        };
        silence = Silence::begin();
        pace.tick();
        left = left.map(|count| count - 1);
        if !shown {
            let (line, content) = (FrameLine::of(&frame), Content::of(&frame)?);
            output.json_line(&Seen { line, content })?;
            continue;
        }
        let size = terminal.size();
        let status = status(asked, &frame, subscription.missed(), &pace);
        let picture = canvas.drawn(&frame, size)?;
        drop(frame);
        output.bytes(&terminal.framed(&picture, &status, size))?;
    }
    Ok(())
}

/// Says in the last line why nothing moves, below the last frame if there was one.
fn tell(news: &str, terminal: &mut Terminal, output: &mut Output) -> Result<(), Failure> {
    if !terminal.is_borrowed() {
        complain(news);
        return Ok(());
    }
    let size = terminal.size();
    let nothing = Drawn::Lines(Vec::new());
    Ok(output.bytes(&terminal.framed(&nothing, news, size))?)
}

fn status(asked: &View, frame: &Frame, missed: u64, pace: &Pace) -> String {
    format!(
        "{}  {}  frame {}  age {}  shown {}  missed {missed}  q ends",
        asked.stream,
        frame.layout().summary(),
        frame.sequence(),
        units::age(frame.age()),
        units::rate(pace.rate),
    )
}

/// How many frames are shown in a second.
#[derive(Debug, Default)]
struct Pace {
    last: Option<Instant>,
    rate: f64,
}

impl Pace {
    fn tick(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last.replace(now) {
            let rate = 1.0 / (now - last).as_secs_f64().max(1e-6);
            let weight = if self.rate == 0.0 { 1.0 } else { 0.1 };
            self.rate += (rate - self.rate) * weight;
        }
    }
}
