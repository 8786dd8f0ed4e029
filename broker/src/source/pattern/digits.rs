//! Digits as a small bitmap, so that a person can read a number off a picture.
//!
//! Owns the shapes; never scales or colours them.

/// Dots from one character to the next, and from one line to the next.
pub(super) const ADVANCE: u32 = 6;
pub(super) const LINE: u32 = 9;

const COLUMNS: u32 = 5;
const ROWS: usize = 7;

fn shape(character: u8) -> [u8; ROWS] {
    match character {
        b'0' => [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
        b'1' => [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
        b'2' => [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
        b'3' => [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
        b'4' => [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
        b'5' => [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
        b'6' => [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
        b'7' => [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        b'8' => [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
        b'9' => [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
        b'.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c],
        b'#' => [0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a],
        b's' => [0x00, 0x00, 0x0e, 0x10, 0x0e, 0x01, 0x1e],
        _ => [0; ROWS],
    }
}

/// Whether the dot in this column and row of a line of text is set.
pub(super) fn is_set(text: &str, column: u32, row: u32) -> bool {
    let (place, column) = (column / ADVANCE, column % ADVANCE);
    let Some(character) = text.as_bytes().get(place as usize) else {
        return false;
    };
    let dots = shape(*character).get(row as usize).copied().unwrap_or(0);
    column < COLUMNS && dots >> (COLUMNS - 1 - column) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_has_a_shape_of_its_own() {
        let drawn = |text: &str| -> Vec<bool> {
            let dots = (0..LINE).flat_map(|row| (0..ADVANCE).map(move |column| (column, row)));
            dots.map(|(column, row)| is_set(text, column, row))
                .collect()
        };
        let all = "0123456789.#s ";
        for (index, one) in all.char_indices() {
            for other in all[index + 1..].chars() {
                assert_ne!(
                    drawn(&one.to_string()),
                    drawn(&other.to_string()),
                    "{one} {other}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_set_outside_the_text() {
        assert!(is_set("88", 1, 0));
        assert!(!is_set("88", 5, 3));
        assert!(!is_set("88", 2 * ADVANCE + 1, 0));
        assert!(!is_set("88", 1, 8));
    }
}
