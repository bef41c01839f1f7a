//! One description of a record for both directions: a writer reads each field, a reader fills it.
//!
//! Numbers are LEB128 varints. A reader trusts nothing: damaged bytes give an error, and memory is
//! taken only as fast as bytes are consumed.

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end before the record does.
    #[error("a record is cut short")]
    Short,
    /// The record ends before the bytes do.
    #[error("a record has bytes left over")]
    Long,
    /// A value that its field cannot hold.
    #[error("a record holds an impossible value")]
    Value,
    /// A record of a later version.
    #[error("a record has version {found}, this program knows {known}")]
    Newer {
        /// The version in the record.
        found: u8,
        /// The newest known here.
        known: u8,
    },
}

/// One direction.
pub(super) trait Wire: Sized {
    /// One byte as it is.
    fn byte(&mut self, value: &mut u8) -> Result<(), Malformed>;

    /// A varint.
    fn unsigned(&mut self, value: &mut u64) -> Result<(), Malformed>;

    /// A number that may be negative; small ones of either sign are short.
    fn signed(&mut self, value: &mut i64) -> Result<(), Malformed> {
        let mut zigzag = ((*value << 1) ^ (*value >> 63)).cast_unsigned();
        self.unsigned(&mut zigzag)?;
        *value = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
        Ok(())
    }

    /// A number of a smaller type.
    fn small<T: Copy + Into<u64> + TryFrom<u64>>(
        &mut self,
        value: &mut T,
    ) -> Result<(), Malformed> {
        let mut wide = (*value).into();
        self.unsigned(&mut wide)?;
        *value = T::try_from(wide).map_err(|_| Malformed::Value)?;
        Ok(())
    }

    /// Yes or no.
    fn flag(&mut self, value: &mut bool) -> Result<(), Malformed> {
        let mut code = u8::from(*value);
        self.byte(&mut code)?;
        *value = match code {
            0 => false,
            1 => true,
            _ => return Err(Malformed::Value),
        };
        Ok(())
    }

    /// One of `all`, an append-only list, by its place there.
    fn one_of<T: Copy + PartialEq>(&mut self, value: &mut T, all: &[T]) -> Result<(), Malformed> {
        let place = all.iter().position(|known| known == value).unwrap_or(usize::MAX);
        let mut code = u8::try_from(place).map_err(|_| Malformed::Value)?;
        self.byte(&mut code)?;
        *value = *all.get(usize::from(code)).ok_or(Malformed::Value)?;
        Ok(())
    }

    /// Counts by an append-only list. Zeros at the end are left out, and a shorter list that an
    /// earlier version wrote is filled up with them.
    fn counts(&mut self, counts: &mut [u64]) -> Result<(), Malformed> {
        let used = counts.iter().rposition(|&count| count != 0).map_or(0, |last| last + 1);
        let used = self.length(used)?;
        let (written, rest) = counts.split_at_mut_checked(used).ok_or(Malformed::Value)?;
        written.iter_mut().try_for_each(|count| self.unsigned(count))?;
        rest.fill(0);
        if written.last() == Some(&0) { Err(Malformed::Value) } else { Ok(()) }
    }

    /// Any number of items. A reader fills what its list begins with, then copies of `blank`.
    fn list<T: Clone>(
        &mut self,
        items: &mut Vec<T>,
        blank: &T,
        mut each: impl FnMut(&mut Self, &mut T) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        for idx in 0..self.length(items.len())? {
            if idx == items.len() {
                items.push(blank.clone());
            }
            each(self, &mut items[idx])?;
        }
        Ok(())
    }

    /// How many items follow.
    fn length(&mut self, n_items: usize) -> Result<usize, Malformed> {
        let mut length = u64::try_from(n_items).map_err(|_| Malformed::Value)?;
        self.unsigned(&mut length)?;
        usize::try_from(length).map_err(|_| Malformed::Value)
    }
}

/// Appends to a buffer; what it describes stays as it is.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Wire for Writer {
    fn byte(&mut self, value: &mut u8) -> Result<(), Malformed> {
        self.0.push(*value);
        Ok(())
    }

    fn unsigned(&mut self, value: &mut u64) -> Result<(), Malformed> {
        let mut rest = *value;
        while rest >= 0x80 {
            self.0.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.0.push(rest.to_le_bytes()[0]);
        Ok(())
    }
}

/// Consumes bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    /// Nothing may be left over.
    pub(super) const fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

impl Wire for Reader<'_> {
    fn byte(&mut self, value: &mut u8) -> Result<(), Malformed> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed::Short)?;
        (*value, self.0) = (first, rest);
        Ok(())
    }

    fn unsigned(&mut self, value: &mut u64) -> Result<(), Malformed> {
        *value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let mut byte = 0;
            self.byte(&mut byte)?;
            let digits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit; a zero at the end would be a second spelling.
            if (digits << shift) >> shift != digits || (byte == 0 && shift > 0) {
                return Err(Malformed::Value);
            }
            *value |= digits << shift;
            if byte < 0x80 {
                return Ok(());
            }
        }
        Err(Malformed::Value)
    }
}
