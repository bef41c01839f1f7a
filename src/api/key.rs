//! The API key: a secret that cannot be printed.

use reqwest::header::HeaderValue;

/// A REST API key. Has no `Debug`, `Display` or `Serialize`, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(HeaderValue);

/// Why a text is no API key. Says where, never what.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing but white space.
    #[error("the API key is empty")]
    Empty,
    /// No HTTP header can carry it.
    #[error(
        "the API key holds a character that no key has, at position {position} of {length}: \
         is it really the file with the key alone?"
    )]
    Character {
        /// Which character, counted from 1, after white space at the ends is gone.
        position: usize,
        /// How many there are.
        length: usize,
    },
}

impl Key {
    /// Takes a key as it stands in a file: white space and line ends around it do not count.
    ///
    /// # Errors
    /// An empty text, or one that no header can carry.
    pub fn new(text: String) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        let wrong = text.chars().position(|c| !c.is_ascii_graphic());
        let mut value = match (wrong, HeaderValue::from_str(text)) {
            (None, Ok(value)) => value,
            (position, _) => {
                return Err(KeyError::Character {
                    position: position.unwrap_or_default() + 1,
                    length: text.chars().count(),
                });
            }
        };
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the header `apikey`, marked as sensitive.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<KeyError> {
        Key::new(text.to_owned()).err()
    }

    #[test]
    fn white_space_around_a_key_does_not_count() {
        let (with, without) = (Key::new(" k1\r\n".to_owned()), Key::new("k1".to_owned()));
        assert!(with.is_ok() && with.ok() == without.ok());
    }

    #[test]
    fn a_text_that_no_header_can_carry_is_refused_without_being_shown() {
        assert_eq!(error(" \n\t"), Some(KeyError::Empty));
        assert_eq!(error("ab\ncd"), Some(KeyError::Character { position: 3, length: 5 }));
        assert_eq!(error("clé"), Some(KeyError::Character { position: 3, length: 3 }));
        let text = error("se\u{7f}cret").map(|error| error.to_string()).unwrap_or_default();
        assert!(!text.contains("cret"), "{text}");
    }
}
