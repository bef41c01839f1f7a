//! A text that must never be shown.

/// An API key. Without `Debug`, `Display` and `Serialize` on purpose: what cannot be printed cannot
/// leak into a log, an error or a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
