//! The screen of `top`.
//!
//! Owns what is where and which line is selected; never reads a key, never asks the broker.

use super::look::{Consumer, Look, StreamLook};
use super::text::{COLUMNS, consumer_fields, consumer_tint, headline, stream_fields, stream_tint};
use crate::output::{Align, Tint, units};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Cell, Paragraph, Row, Table, TableState, Wrap};

const HELP: &str = " ↑ ↓ select   q quit";

/// What is shown.
#[derive(Debug)]
pub struct Screen {
    look: Look,
    selected: TableState,
    absence: Option<String>,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Stream(&'a StreamLook),
    Consumer(&'a StreamLook, &'a Consumer),
}

fn entries(look: &Look) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for stream in &look.streams {
        entries.push(Entry::Stream(stream));
        let consumers = stream.consumers.iter();
        entries.extend(consumers.map(|consumer| Entry::Consumer(stream, consumer)));
    }
    entries
}

fn style(tint: Tint) -> Style {
    match tint {
        Tint::Plain => Style::new(),
        Tint::Heading => Style::new().add_modifier(Modifier::BOLD),
        Tint::Good => Style::new().fg(Color::Green),
        Tint::Notable => Style::new().fg(Color::Yellow),
        Tint::Bad => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
    }
}

fn row(fields: [String; 7], tint: Tint) -> Row<'static> {
    let cells = fields.into_iter().zip(COLUMNS).map(|(field, (_, align))| {
        let side = match align {
            Align::Left => Alignment::Left,
            Align::Right => Alignment::Right,
        };
        Cell::from(Text::from(field).alignment(side))
    });
    Row::new(cells).style(style(tint))
}

impl Screen {
    /// A screen that shows this.
    pub fn new(look: Look) -> Screen {
        let selected = TableState::new().with_selected(Some(0));
        Screen {
            look,
            selected,
            absence: None,
        }
    }

    /// Shows something newer.
    pub fn show(&mut self, look: Look) {
        self.look = look;
        self.absence = None;
        self.select(0);
    }

    /// Shows that the broker does not answer, above what it last said.
    pub fn show_absence(&mut self, why: String) {
        self.absence = Some(why);
    }

    /// Moves the selection down, or up if negative, as far as there are lines.
    pub fn select(&mut self, lines: isize) {
        let last = entries(&self.look).len().saturating_sub(1);
        let now = self.selected.selected().unwrap_or(0);
        self.selected
            .select(Some(now.saturating_add_signed(lines).min(last)));
    }

    /// Draws all of it.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let [head, list, details, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(5),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let heading = style(Tint::Heading);
        frame.render_widget(
            Line::styled(format!(" {}", headline(&self.look)), heading),
            head,
        );
        let entries = entries(&self.look);
        let rows = entries.iter().map(|entry| match entry {
            Entry::Stream(stream) => row(stream_fields(stream), stream_tint(stream)),
            Entry::Consumer(stream, consumer) => {
                row(consumer_fields(consumer), consumer_tint(stream, consumer))
            }
        });
        let widths = [
            Constraint::Fill(3),
            Constraint::Length(9),
            Constraint::Length(12),
            Constraint::Length(6),
            Constraint::Length(8),
            Constraint::Length(7),
            Constraint::Fill(4),
        ];
        let table = Table::new(rows, widths)
            .header(row(COLUMNS.map(|(name, _)| name.to_owned()), Tint::Heading))
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
            .column_spacing(2)
            .block(Block::bordered());
        let chosen = self
            .selected
            .selected()
            .and_then(|index| entries.get(index));
        let told = chosen.map(|entry| describe(*entry)).unwrap_or_default();
        let title = chosen.map_or(" nothing is served ".to_owned(), |entry| title(*entry));
        frame.render_stateful_widget(table, list, &mut self.selected);
        let told = Paragraph::new(told).wrap(Wrap { trim: true });
        frame.render_widget(told.block(Block::bordered().title(title)), details);
        let help = match &self.absence {
            Some(why) => Line::styled(format!(" waiting: {why}"), style(Tint::Bad)),
            None => Line::raw(HELP),
        };
        frame.render_widget(help, foot);
    }
}

fn title(entry: Entry<'_>) -> String {
    match entry {
        Entry::Stream(stream) => format!(" {} ", stream.name),
        Entry::Consumer(stream, it) => format!(" {} reads {} ", it.command, stream.name),
    }
}

fn describe(entry: Entry<'_>) -> Vec<Line<'static>> {
    match entry {
        Entry::Stream(stream) => vec![
            Line::raw(format!("{}  {}", stream.source, stream.summary)),
            Line::raw(format!(
                "frame {}, {:.1} MiB/s, {} dropped, {}",
                stream.newest,
                stream.bytes_per_second / (1024.0 * 1024.0),
                stream.dropped,
                units::count(stream.consumers.len() as u64, "reader")
            )),
            Line::raw(stream.why.clone().unwrap_or_default()),
        ],
        Entry::Consumer(_, it) => vec![
            Line::raw(format!(
                "pid {}, subscription {}, {}, holds {} of {}",
                it.pid,
                it.subscription,
                it.mode(),
                it.held,
                units::count(it.leases.into(), "lease")
            )),
            Line::raw(format!(
                "took {}, missed {} ({} now), was refused {}",
                it.taken,
                it.missed,
                units::rate(it.missing_rate),
                it.refused
            )),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::inspection;
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn drawn(screen: &mut Screen) -> String {
        let mut terminal = Terminal::new(TestBackend::new(110, 16)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    fn screen() -> Screen {
        Screen::new(Look::between(&inspection(10), &inspection(11)))
    }

    #[test]
    fn streams_consumers_and_help_are_on_the_screen() {
        let text = drawn(&mut screen());
        for wanted in [
            "randcam",
            "quick (101)",
            "slow (102)",
            "5.0/s",
            "1/2",
            "275",
            "q quit",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
    }

    #[test]
    fn the_details_are_those_of_the_selected_line() {
        let mut screen = screen();
        assert!(drawn(&mut screen).contains("pattern://rand"));
        screen.select(2);
        assert!(drawn(&mut screen).contains("slow reads randcam"));
    }

    #[test]
    fn the_selection_stays_among_the_lines() {
        let mut screen = screen();
        screen.select(100);
        assert_eq!(screen.selected.selected(), Some(2));
        screen.select(-100);
        assert_eq!(screen.selected.selected(), Some(0));
        screen.select(2);
        let mut fewer = inspection(12);
        fewer.subscriptions.clear();
        screen.show(Look::between(&inspection(11), &fewer));
        assert_eq!(screen.selected.selected(), Some(0));
    }

    #[test]
    fn an_absent_broker_is_said_until_it_is_back() {
        let mut screen = screen();
        screen.show_absence("no broker".to_owned());
        assert!(drawn(&mut screen).contains("waiting: no broker"));
        screen.show(Look::between(&inspection(11), &inspection(12)));
        assert!(!drawn(&mut screen).contains("waiting: no broker"));
    }

    #[test]
    fn a_terminal_too_small_is_no_reason_to_panic() {
        let mut terminal = Terminal::new(TestBackend::new(3, 2)).unwrap();
        terminal.draw(|frame| screen().draw(frame)).unwrap();
    }
}
