//! Query strings and path segments.

use super::refusal::Refusal;

/// The parameters of a request, decoded. Of one that is given twice the last counts.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the question mark.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        });
        Self(pairs.collect())
    }

    /// A parameter; an empty one counts as not given.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| key == name)?;
        (!value.is_empty()).then(|| value.clone())
    }

    /// A parameter that is a number, within the range of `T` and no less than `least`.
    pub(super) fn number<T>(&self, name: &'static str, least: T) -> Result<Option<T>, Refusal>
    where
        T: std::str::FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(word) = self.word(name) else { return Ok(None) };
        match word.parse() {
            Ok(number) if number >= least => Ok(Some(number)),
            Ok(_) => Err(Refusal::bad_request(name, format!("must be at least {least}"))),
            Err(_) => Err(Refusal::bad_request(name, "must be an integer".to_owned())),
        }
    }
}

/// Undoes percent encoding. What is no escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut idx = 0;
    while idx < bytes.len() {
        let escape = text.get(idx + 1..idx + 3).filter(|_| bytes[idx] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                idx += 3;
            }
            None => {
                decoded.push(bytes[idx]);
                idx += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_decoded_and_all_else_is_kept() {
        assert_eq!(decode("a%2Fb%20%C3%BC"), "a/b ü");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%ü"), "%ü");
    }
}
