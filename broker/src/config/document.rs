//! One file of the configuration, and the problems found in it.
//!
//! Owns the way from a place in the text to line and column; never knows what the text means.

use super::problem::Problem;
use std::ops::Range;
use std::path::Path;

const LINE_CHARACTERS_MAX: usize = 200;

/// A place in one of the files.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub document: usize,
    pub span: Range<usize>,
}

/// A file that is being read.
#[derive(Debug)]
pub(super) struct Document<'a> {
    file: &'a Path,
    text: &'a str,
    found: Vec<(Range<usize>, String)>,
}

impl<'a> Document<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Document<'a> {
        let found = Vec::new();
        Document { file, text, found }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The text at a place, as it was written.
    pub(super) fn written(&self, span: &Range<usize>) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Notes that something is wrong at a place.
    pub(super) fn wrong(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push((span, message.into()));
    }

    /// Notes that something is wrong with `part` of what is written at a place.
    pub(super) fn wrong_part(&mut self, span: Range<usize>, part: &str, message: String) {
        let place = self.written(&span).find(part).map(|at| span.start + at);
        let span = place.map_or(span, |start| start..start + part.len());
        self.wrong(span, message);
    }

    /// Everything wrong, first things first. Of several problems in one place the first counts: the
    /// others follow from it.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(span, _)| span.start);
        let problems = self.found.iter();
        let problems = problems.map(|(span, message)| self.problem(span, message));
        let mut problems: Vec<Problem> = problems.collect();
        problems.dedup_by_key(|problem| (problem.line, problem.column));
        problems
    }

    fn problem(&self, span: &Range<usize>, message: &str) -> Problem {
        let end = span.start.min(self.text.len());
        let boundary = (0..=end).rev().find(|at| self.text.is_char_boundary(*at));
        let start = boundary.unwrap_or(0);
        let (before, after) = self.text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest_of_line = after.lines().next().unwrap_or_default();
        let line = [&before[line_start..], rest_of_line].concat();
        let wrong = self.text.get(start..span.end).unwrap_or_default();
        let wrong = wrong.lines().next().unwrap_or_default();
        Problem {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: line.chars().take(LINE_CHARACTERS_MAX).collect(),
            length: wrong.chars().count().clamp(1, LINE_CHARACTERS_MAX),
            message: message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, spans: &[(usize, usize)]) -> Vec<Problem> {
        let mut document = Document::new(Path::new("x.toml"), text);
        for (start, end) in spans {
            document.wrong(*start..*end, "wrong");
        }
        document.into_problems()
    }

    #[test]
    fn line_and_column_count_characters_from_one() {
        let text = "a = 1\r\nö = 'ü' # x\n";
        let at = text.find("'ü'").unwrap();
        let [problem] = &problems(text, &[(at, at + 4)])[..] else {
            panic!("one problem is one problem");
        };
        assert_eq!((problem.line, problem.column, problem.length), (2, 5, 3));
        assert_eq!(problem.text, "ö = 'ü' # x");
    }

    #[test]
    fn problems_come_in_order_and_once_for_each_place() {
        let found = problems("a\nb\nc", &[(4, 5), (0, 1), (4, 5)]);
        let lines: Vec<usize> = found.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn a_part_is_pointed_at_where_it_is() {
        let mut document = Document::new(Path::new("x.toml"), "s = \"abc\"");
        document.wrong_part(4..9, "bc", "no bc".into());
        document.wrong_part(0..1, "zz", "no zz".into());
        let found = document.into_problems();
        assert_eq!((found[0].column, found[1].column), (1, 7));
        assert_eq!(found[1].length, 2);
    }

    #[test]
    fn places_outside_the_text_are_survived() {
        assert_eq!(problems("", &[(0, 0)])[0].line, 1);
        assert_eq!(problems("ü", &[(1, 9)])[0].column, 1);
        assert_eq!(problems("a\n", &[(7, 9)])[0].line, 2);
    }
}
