//! Tables with aligned columns.
//!
//! Owns widths and padding; never lets a control character of somebody else's text reach the terminal.

use super::colour::{Tint, paint};

/// To which side a column leans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// One field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tint: Tint,
}

impl Cell {
    /// A tinted field.
    pub fn tinted(text: impl ToString, tint: Tint) -> Cell {
        let text = printable(&text.to_string());
        Cell { text, tint }
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::tinted(text, Tint::Plain)
    }
}

/// Text with everything taken out that could move the cursor.
pub fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
    headed: bool,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
            headed: true,
        }
    }

    /// A table of names and what they are, without headings.
    pub fn pairs() -> Table {
        Table {
            headed: false,
            ..Table::new(&[("", Align::Left), ("", Align::Left)])
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds a name and what it is.
    pub fn pair(&mut self, name: &str, value: impl Into<Cell>) {
        self.row(vec![Cell::tinted(name, Tint::Heading), value.into()]);
    }

    /// The table as text, a line for each row.
    pub fn render(&self, colour: bool) -> String {
        let head: Vec<Cell> = self
            .columns
            .iter()
            .map(|(name, _)| Cell::tinted(name, Tint::Heading))
            .collect();
        let head = self.headed.then_some(&head);
        let lines: Vec<&Vec<Cell>> = head.into_iter().chain(&self.rows).collect();
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.text.chars().count()).max()
        };
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        let mut text = String::new();
        for line in &lines {
            let mut row = String::new();
            for (index, cell) in line.iter().enumerate() {
                let align = self.columns.get(index).map_or(Align::Left, |c| c.1);
                let width = widths.get(index).copied().unwrap_or(0);
                let gap = " ".repeat(width.saturating_sub(cell.text.chars().count()));
                let painted = paint(&cell.text, cell.tint, colour);
                if index > 0 {
                    row.push_str("  ");
                }
                match align {
                    Align::Left => row.extend([painted, gap]),
                    Align::Right => row.extend([gap, painted]),
                }
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_lean_right() {
        let mut table = Table::new(&[("NAME", Align::Left), ("RATE", Align::Right)]);
        table.row(vec!["a".into(), 5.into()]);
        table.row(vec!["randcam".into(), "30.0".into()]);
        assert_eq!(
            table.render(false),
            "NAME     RATE\na           5\nrandcam  30.0\n"
        );
    }

    #[test]
    fn colour_does_not_move_a_column() {
        let mut table = Table::new(&[("A", Align::Left), ("B", Align::Left)]);
        table.row(vec![Cell::tinted("x", Tint::Bad), "y".into()]);
        table.row(vec!["long".into(), "z".into()]);
        let text = table.render(true);
        assert!(text.contains("\x1b[1;31mx\x1b[0m     y"), "{text:?}");
    }

    #[test]
    fn a_hostile_name_cannot_send_escapes() {
        let mut table = Table::pairs();
        table.pair("name", "evil\x1b]0;title\x07");
        assert!(!table.render(false).contains('\x1b'));
    }

    #[test]
    fn lines_have_no_blanks_at_their_end() {
        let mut table = Table::new(&[("A", Align::Left), ("B", Align::Left)]);
        table.row(vec!["x".into(), "".into()]);
        assert!(
            table
                .render(false)
                .lines()
                .all(|line| line == line.trim_end())
        );
    }
}
