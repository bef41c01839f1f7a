//! The few facts of a certificate that rustls does not tell: names, time, public key.
//!
//! Reads DER strictly enough to never be fooled into a wrong fact: anything odd makes the whole
//! certificate unreadable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.17, subject alternative name.
const SAN: [u8; 3] = [0x55, 0x1d, 0x11];

/// What a certificate says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts<'a> {
    /// When it holds, in seconds since 1970.
    pub(super) valid: RangeInclusive<i64>,
    /// The public key with its algorithm, as DER.
    pub(super) public_key: &'a [u8],
    /// Subject alternative names as text: DNS, e-mail, IP and URI.
    pub(super) names: Vec<String>,
}

/// Reads a certificate; `None` where it is not one.
pub(super) fn read(der: &[u8]) -> Option<Facts<'_>> {
    let mut outer = Der(der);
    let mut certificate = Der(outer.take(SEQUENCE)?);
    let mut body = Der(certificate.take(SEQUENCE)?);
    body.take_if(VERSION)?;
    body.next()?; // serial number
    body.take(SEQUENCE)?; // algorithm of the signature
    body.take(SEQUENCE)?; // issuer
    let mut validity = Der(body.take(SEQUENCE)?);
    let valid = time(&mut validity)?..=time(&mut validity)?;
    body.take(SEQUENCE)?; // subject
    let public_key = body.next().filter(|element| element.tag == SEQUENCE)?.whole;
    let mut names = Vec::new();
    while let Some(element) = body.next() {
        if element.tag == EXTENSIONS {
            names = san(element.content)?;
        }
    }
    body.0.is_empty().then_some(Facts { valid, public_key, names })
}

fn san(extensions: &[u8]) -> Option<Vec<String>> {
    let mut list = Der(Der(extensions).take(SEQUENCE)?);
    let mut names = Vec::new();
    while !list.0.is_empty() {
        let mut extension = Der(list.take(SEQUENCE)?);
        if extension.take(OBJECT_ID)? != SAN {
            continue;
        }
        let last = std::iter::from_fn(|| extension.next()).last()?; // behind `critical`, if any
        let value = (last.tag == OCTETS).then_some(last.content)?;
        let mut general_names = Der(Der(value).take(SEQUENCE)?);
        while !general_names.0.is_empty() {
            let Element { tag, content, .. } = general_names.next()?;
            match tag {
                0x81 | 0x82 | 0x86 => names.push(std::str::from_utf8(content).ok()?.to_owned()),
                0x87 => names.push(address(content)?.to_string()),
                _ => {}
            }
        }
    }
    Some(names)
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(octets).into());
    }
    Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)).to_canonical())
}

/// Seconds since 1970 of `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn time(validity: &mut Der<'_>) -> Option<i64> {
    let Element { tag, content, .. } = validity.next()?;
    let digits = content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut pairs =
        digits.chunks_exact(2).map(|pair| i64::from((pair[0] - 48) * 10 + pair[1] - 48));
    let year = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            pairs.next().map(|year| if year < 50 { 2000 + year } else { 1900 + year })?
        }
        (GENERALIZED_TIME, 14) => pairs.next()? * 100 + pairs.next()?,
        _ => return None,
    };
    let [month, day, hour, minute, second] = [(); 5].map(|()| pairs.next().unwrap_or(-1));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Counts years from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_the_year = year * 365 + year / 4 - year / 100 + year / 400;
    let before_the_month = (month * 153 + 2) / 5;
    before_the_year + before_the_month + day - 719_469
}

/// DER that is still to be read.
struct Der<'a>(&'a [u8]);

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// Tag and length, too.
    whole: &'a [u8],
}

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<Element<'a>> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, head) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81 => (usize::from(*rest.first()?), 3),
            0x82 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
            _ => return None, // a certificate of more than 64 KiB is none
        };
        let whole = self.0.get(..head + length)?;
        self.0 = &self.0[whole.len()..];
        Some(Element { tag, content: &whole[head..], whole })
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }

    /// Skips an element that may be absent.
    fn take_if(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) {
            self.next()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PublicKeyData, SanType, date_time_ymd};

    use super::*;

    #[test]
    fn days_are_counted_over_leap_years_and_centuries() {
        for (year, month, day, days) in [
            (1970, 1, 1, 0),
            (1969, 12, 31, -1),
            (2000, 2, 29, 11_016),
            (2000, 3, 1, 11_017),
            (2026, 11, 25, 20_782),
            (2100, 3, 1, 47_541),
        ] {
            assert_eq!(days_since_1970(year, month, day), days, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn names_time_and_key_of_a_certificate_are_read() {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["one.example".to_owned()]).expect("a name");
        params.subject_alt_names.extend([
            SanType::Rfc822Name("ada@example.org".try_into().expect("a mail address")),
            SanType::URI("spiffe://x/y".try_into().expect("an address")),
            SanType::IpAddress("192.0.2.7".parse().expect("an address")),
            SanType::IpAddress("2001:db8::1".parse().expect("an address")),
        ]);
        params.not_before = date_time_ymd(1999, 12, 31);
        params.not_after = date_time_ymd(2061, 1, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        let facts = read(certificate.der()).expect("it is one");
        assert_eq!(
            facts.names,
            ["one.example", "ada@example.org", "spiffe://x/y", "192.0.2.7", "2001:db8::1"]
        );
        assert_eq!(facts.valid, 946_598_400..=2_871_763_200);
        assert_eq!(facts.public_key, key.subject_public_key_info());
    }

    #[test]
    fn what_is_cut_or_changed_is_no_certificate_and_no_panic() {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["one.example".to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        let der = certificate.der();
        for length in 0..der.len() {
            assert_eq!(read(&der[..length]), None, "{length} bytes");
        }
        for byte_idx in 0..der.len() {
            let mut changed = der.to_vec();
            changed[byte_idx] ^= 0xff;
            let _anything_but_a_panic = read(&changed);
        }
        assert_eq!(read(b""), None);
    }
}
