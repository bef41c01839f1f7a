//! The query of a request: `name=value&name=value`, percent-encoded.

/// The values of `name`, in their order, each once.
pub(super) fn values(query: Option<&str>, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for pair in query.unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value);
        if decode(key) == name && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// What is not a valid escape stands for itself; bytes that are no UTF-8 become `\u{fffd}`.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        let escape = behind.first_chunk::<2>().filter(|_| first == b'%').and_then(hex);
        decoded.push(escape.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if escape.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        for (query, expected) in [
            ("", &[] as &[&str]),
            ("app", &[""]),
            ("app=", &[""]),
            ("apps=a&xapp=b", &[]),
            ("app=a&x=1&app=b&app=a", &["a", "b"]),
            ("app=a+b&%61pp=c%20d", &["a b", "c d"]),
            ("app=%c3%A4%26&app=100%&app=%zz%2", &["ä&", "100%", "%zz%2"]),
            ("app=%ff", &["\u{fffd}"]),
            ("app=a=b", &["a=b"]),
        ] {
            assert_eq!(values(Some(query), "app"), expected, "{query}");
        }
        assert!(values(None, "app").is_empty());
    }
}
