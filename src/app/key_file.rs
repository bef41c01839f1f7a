//! The API key of an app, read again when its file changes.

use std::path::Path;

use anyhow::Context;

use crate::api::Key;
use crate::config::settings::KeySource;
use crate::config::{Process, Surroundings as _};

/// Reads the key from where the configuration says.
pub(super) fn read(source: &KeySource) -> anyhow::Result<Key> {
    match source {
        KeySource::Inline(secret) => Ok(Key::new(secret.expose().to_owned())?),
        KeySource::File(path) => read_file(path),
    }
}

fn read_file(path: &Path) -> anyhow::Result<Key> {
    let text = Process
        .read_key(path)
        .with_context(|| format!("the key file {} cannot be read", path.display()))?;
    Key::new(text).with_context(|| format!("the key file {}", path.display()))
}
