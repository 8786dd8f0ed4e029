//! `streamem top`: streams and every consumer, as they are this moment.
//!
//! Owns the loop of looking, drawing and listening to keys; the terminal is given back however it ends.

mod draw;
mod look;
mod text;

use super::Broker;
use super::ending::Ending;
use crate::cli::Top;
use crate::failure::Failure;
use crate::output::Output;
use draw::Screen;
use look::Look;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::time::{Duration, Instant};
use streamem::Client;
use streamem_wire::message::Inspection;

/// How long a key may go unseen.
const KEY_WAIT: Duration = Duration::from_millis(200);

pub fn run(broker: &Broker<'_>, asked: &Top, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect()?;
    let interval = Duration::from_secs(asked.interval);
    if !asked.once && !output.json() && output.is_terminal() {
        return interactive(broker, client, interval);
    }
    let mut before = client.inspect()?;
    loop {
        std::thread::sleep(interval);
        let now = client.inspect()?;
        let look = Look::between(&before, &now);
        if !output.json() {
            return Ok(text::write(&look, output)?);
        }
        if asked.once {
            return Ok(output.document(&look)?);
        }
        output.json_line(&look)?;
        before = now;
    }
}

/// Gives the terminal back when it is dropped.
struct Borrowed;

impl Drop for Borrowed {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn interactive(broker: &Broker<'_>, mut client: Client, interval: Duration) -> Result<(), Failure> {
    let ending = Ending::watch()?;
    let mut before = client.inspect()?;
    let mut screen = Screen::new(Look::between(&before, &before));
    let mut terminal = ratatui::try_init()?;
    let _borrowed = Borrowed;
    let mut next_look = Instant::now() + interval.min(Duration::from_secs(1));
    while !ending.is_near() {
        terminal.draw(|frame| screen.draw(frame))?;
        let wait = next_look.saturating_duration_since(Instant::now());
        if event::poll(wait.min(KEY_WAIT))? && !handled(&event::read()?, &mut screen) {
            return Ok(());
        }
        if Instant::now() >= next_look {
            match inspected(broker, &mut client) {
                Ok(now) => {
                    screen.show(Look::between(&before, &now));
                    before = now;
                }
                Err(failure) => screen.show_absence(failure.to_string()),
            }
            next_look = Instant::now() + interval;
        }
    }
    Ok(())
}

/// What the broker says now; after a restart, on a new connection.
fn inspected(broker: &Broker<'_>, client: &mut Client) -> Result<Inspection, Failure> {
    if let Ok(now) = client.inspect() {
        return Ok(now);
    }
    *client = broker.connect()?;
    Ok(client.inspect()?)
}

/// Does what a key asks for; false ends.
fn handled(event: &Event, screen: &mut Screen) -> bool {
    let Event::Key(key) = event else {
        return true;
    };
    if key.kind == KeyEventKind::Release {
        return true;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('c') if control => return false,
        KeyCode::Down | KeyCode::Char('j') => screen.select(1),
        KeyCode::Up | KeyCode::Char('k') => screen.select(-1),
        KeyCode::PageDown => screen.select(10),
        KeyCode::PageUp => screen.select(-10),
        _ => {}
    }
    true
}
