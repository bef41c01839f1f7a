//! What the commands print. A reader that goes away, as in `doctor | head`, ends them quietly.

use std::io::{self, ErrorKind, Write as _, stderr, stdout};

/// Prints a text to standard output, at once.
///
/// # Errors
/// Nobody reads it, or it cannot be written.
pub fn say(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Says something beside the output. Where nobody hears it, nothing is lost.
pub fn remark(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// Whether the reader of the output has gone away.
pub fn is_unheard(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
