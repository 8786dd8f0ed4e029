//! Memory of graphics cards: dumb buffers, which every card with a display makes, as DMA-BUFs.
//!
//! Owns `/dev/dri/card*` and a card while it is asked; never keeps one open, and never stays its master.

use super::allotted::Maker;
use super::open_maker;
use drm::Device;
use drm::buffer::{Buffer, DrmFourcc};
use drm::control::Device as ControlDevice;
use rustix::fs::OFlags;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

const PLACE: &str = "/dev/dri";
const DENIED: &str = " (put the broker's user into the group the card belongs to, such as `video`)";
/// Bytes of a row, whole pages; a buffer has as many rows as it takes.
const ROW_BYTES: u64 = 4096;
const PIXEL_BITS: u32 = 32;
const ROW_PIXELS: u32 = 1024;
const _: () = assert!(ROW_PIXELS as u64 * PIXEL_BITS as u64 / 8 == ROW_BYTES);

/// A graphics card.
#[derive(Debug)]
pub struct Card {
    path: PathBuf,
}

/// A card that is open.
struct Open(OwnedFd);

impl AsFd for Open {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Open {}
impl ControlDevice for Open {}

impl Card {
    /// All there are; nodes for rendering make no such buffers.
    pub fn all() -> io::Result<Vec<Card>> {
        Card::all_in(Path::new(PLACE))
    }

    fn all_in(folder: &Path) -> io::Result<Vec<Card>> {
        let named = |why: io::Error| {
            let place = folder.display();
            io::Error::new(
                why.kind(),
                format!("{place}: {why}: there is no graphics card with a driver"),
            )
        };
        let entries = fs::read_dir(folder).map_err(named)?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with("card"))
            })
            .collect();
        paths.sort();
        Ok(paths.into_iter().map(|path| Card { path }).collect())
    }

    fn open(&self) -> io::Result<Open> {
        let card = Open(open_maker(&self.path, OFlags::RDWR, "", DENIED)?);
        // Who opens a card nobody is master of becomes it, and would be in the way of who draws on it.
        let _was_not_master = card.release_master_lock();
        Ok(card)
    }
}

impl Maker for Card {
    fn kind(&self) -> &'static str {
        "drm"
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn make(&self, bytes: u64, count: usize) -> io::Result<Vec<OwnedFd>> {
        let card = self.open()?;
        (0..count).map(|_| card.export(bytes)).collect()
    }
}

impl Open {
    fn export(&self, bytes: u64) -> io::Result<OwnedFd> {
        let rows = u32::try_from(bytes.div_ceil(ROW_BYTES)).unwrap_or(u32::MAX);
        let buffer =
            self.create_dumb_buffer((ROW_PIXELS, rows), DrmFourcc::Xrgb8888, PIXEL_BITS)?;
        // Without `RDWR`, so that it cannot be mapped for writing.
        let slot = self.buffer_to_prime_fd(buffer.handle(), drm::CLOEXEC);
        // The DMA-BUF keeps the memory; the card's number for it is not needed any more.
        let _ends_with_the_card = self.destroy_dumb_buffer(buffer);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cards_are_asked_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["renderD128", "card1", "card0", "by-path"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let cards = Card::all_in(folder.path()).unwrap();
        let names: Vec<&str> = cards
            .iter()
            .filter_map(|card| card.path.file_name()?.to_str())
            .collect();
        assert_eq!(names, ["card0", "card1"]);
        assert!(cards[0].make(4096, 1).is_err());
    }

    #[test]
    fn a_machine_without_cards_is_named() {
        let why = Card::all_in(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(
            why.contains("/nowhere") && why.contains("graphics card"),
            "{why}"
        );
    }
}
