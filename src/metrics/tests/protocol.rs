//! A small reader of the wire format of protocol buffers, which knows nothing of the writer.

/// What stands behind the number of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed([u8; 8]),
    Bytes(&'a [u8]),
}

/// The fields of a message, in their order.
pub(super) fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message).expect("a tag");
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut message).expect("a number")),
            1 => {
                let (fixed, rest) = message.split_first_chunk().expect("eight bytes");
                message = rest;
                Field::Fixed(*fixed)
            }
            2 => {
                let length = varint(&mut message).expect("a length");
                let (bytes, rest) = message.split_at(usize::try_from(length).expect("a length"));
                message = rest;
                Field::Bytes(bytes)
            }
            other => panic!("wire type {other}"),
        };
        found.push((tag >> 3, field));
    }
    found
}

pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The number with a sign that stands as one without.
pub(super) fn signed(value: u64) -> i64 {
    let half = (value >> 1).cast_signed();
    if value & 1 == 0 { half } else { -half - 1 }
}

impl<'a> Field<'a> {
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Varint(_) | Self::Fixed(_) => panic!("{self:?} is no message"),
        }
    }

    /// The only field of this number, if it is there.
    fn only(self, number: u64) -> Option<Field<'a>> {
        let mut of = fields(self.bytes()).into_iter().filter(|(field, _)| *field == number);
        let found = of.next().map(|(_, field)| field);
        assert!(of.next().is_none(), "field {number} stands twice");
        found
    }

    pub(super) fn messages(self, number: u64) -> Vec<Field<'a>> {
        let of = fields(self.bytes()).into_iter().filter(|(field, _)| *field == number);
        of.map(|(_, field)| field).collect()
    }

    pub(super) fn text(self, number: u64) -> String {
        String::from_utf8(self.bytes_of(number).to_vec()).expect("UTF-8")
    }

    pub(super) fn bytes_of(self, number: u64) -> &'a [u8] {
        self.only(number).map_or(&[], Field::bytes)
    }

    pub(super) fn number(self, number: u64) -> u64 {
        match self.only(number) {
            Some(Self::Varint(value)) => value,
            other => panic!("field {number} is no number: {other:?}"),
        }
    }

    pub(super) fn double(self, number: u64) -> f64 {
        match self.only(number) {
            Some(Self::Fixed(bytes)) => f64::from_le_bytes(bytes),
            other => panic!("field {number} is no number: {other:?}"),
        }
    }
}
