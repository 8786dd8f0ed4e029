//! Pictures by the kitty graphics protocol.
//!
//! Owns the escape sequence; never asks the terminal anything (see `command::view::terminal`).

use super::Picture;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The question whether a terminal speaks the protocol: it answers with `i=31;OK`.
pub const QUERY: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
/// What ends all pictures shown.
pub const DELETE: &str = "\x1b_Ga=d,q=2\x1b\\";

const CHUNK_BYTES: usize = 4096;

/// The picture where the cursor is, over so many columns and rows; it replaces the one before.
pub fn encoded(picture: &Picture, columns: u32, rows: u32) -> Vec<u8> {
    let text = STANDARD.encode(picture.pixels.as_flattened());
    let mut chunks = text.as_bytes().chunks(CHUNK_BYTES).peekable();
    let mut out = Vec::with_capacity(text.len() + text.len() / 256 + 128);
    let mut first = true;
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        let head = if first {
            format!(
                "\x1b_Ga=T,f=24,s={},v={},i=1,p=1,c={columns},r={rows},C=1,q=2,m={more};",
                picture.width, picture.height
            )
        } else {
            format!("\x1b_Gm={more};")
        };
        first = false;
        out.extend(head.into_bytes());
        out.extend(chunk);
        out.extend(b"\x1b\\");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_picture_is_one_sequence() {
        let picture = Picture::made(1, 1, |_, _| [0, 0, 0]);
        let text = String::from_utf8(encoded(&picture, 2, 1)).unwrap();
        assert_eq!(
            text,
            "\x1b_Ga=T,f=24,s=1,v=1,i=1,p=1,c=2,r=1,C=1,q=2,m=0;AAAA\x1b\\"
        );
    }

    #[test]
    fn a_large_picture_is_cut_and_comes_back_whole() {
        let picture = Picture::made(64, 64, |x, y| {
            [u8::try_from(x).unwrap(), u8::try_from(y).unwrap(), 7]
        });
        let text = String::from_utf8(encoded(&picture, 8, 4)).unwrap();
        let bodies: Vec<&str> = text
            .split("\x1b\\")
            .filter_map(|part| part.split_once(';').map(|(_, body)| body))
            .collect();
        assert_eq!(bodies.len(), 4);
        assert_eq!(text.matches("m=0;").count(), 1);
        let back = STANDARD.decode(bodies.concat()).unwrap();
        assert_eq!(back, picture.pixels.as_flattened());
    }
}
