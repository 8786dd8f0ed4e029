//! Which files the configuration is in, and in which order they are read.
//!
//! Owns finding and reading them; never writes one.

use super::document::Document;
use super::draft::Draft;
use super::problem::ConfigError;
use super::{Config, parse};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file with its text.
pub(super) type File = (PathBuf, String);

fn read(path: &Path) -> Result<Option<File>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(unreadable(path, why)),
    }
}

fn unreadable(path: &Path, why: std::io::Error) -> ConfigError {
    ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

/// The files of a folder that end in `.toml`, by name.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(unreadable(folder, why)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|why| unreadable(folder, why))?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The configuration in one file or folder, which must be there.
pub(super) fn load_one(path: &Path) -> Result<Config, ConfigError> {
    if path.is_dir() {
        return load_folder(path);
    }
    match read(path)? {
        Some((path, text)) => Config::from_text(&path, &text),
        None => Err(ConfigError::Missing(path.to_owned())),
    }
}

/// The configuration in `streamem.toml` and then `streamem.d/*.toml` of a folder; the embedded default
/// if there are none.
pub(super) fn load_folder(folder: &Path) -> Result<Config, ConfigError> {
    let mut paths = vec![folder.join("streamem.toml")];
    paths.extend(listed(&folder.join("streamem.d"))?);
    let mut files = Vec::new();
    for path in paths {
        files.extend(read(&path)?);
    }
    match files[..] {
        [] => Ok(Config::embedded_default()),
        _ => merge(&files),
    }
}

/// What the files say together; a later one overrides and adds to those before.
pub(super) fn merge(files: &[File]) -> Result<Config, ConfigError> {
    let mut draft = Draft::new();
    let documents = files.iter().map(|(path, text)| Document::new(path, text));
    let mut documents: Vec<Document<'_>> = documents.collect();
    for (index, document) in documents.iter_mut().enumerate() {
        parse::read(document, index, &mut draft);
    }
    let (config, wrong) = draft.finish();
    for (place, message) in wrong {
        if let Some(document) = documents.get_mut(place.document) {
            document.wrong(place.span, message);
        }
    }
    let problems = documents.into_iter().flat_map(Document::into_problems);
    let problems: Vec<_> = problems.collect();
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError::Problems(problems))
    }
}

#[cfg(test)]
mod tests;
