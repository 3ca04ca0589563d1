//! Reading Protocol Buffers, as far as ORC's footers need it: the fields of a message, one after the other.

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    /// A variable-length number.
    Number(u64),
    /// Eight bytes.
    Fixed(u64),
    /// Text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes, which ORC does not use.
    Short,
}

/// The fields of a message; an error ends it.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

/// The bytes are no message.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Malformed)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Field<'a>), Malformed> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => Field::Fixed(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| Malformed)?)),
            2 => {
                let length = self.number()?;
                Field::Bytes(self.take(length)?)
            }
            5 => {
                self.take(4)?;
                Field::Short
            }
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Field<'a> {
    /// As a number, else nothing.
    pub(super) fn as_number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// As bytes, else nothing.
    pub(super) fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The numbers of a repeated field, packed or not.
    pub(super) fn numbers(self) -> Result<Vec<u64>, Malformed> {
        match self {
            Self::Number(number) => Ok(vec![number]),
            Self::Bytes(bytes) => {
                let mut fields = Fields::of(bytes);
                let mut numbers = Vec::new();
                while !fields.rest.is_empty() {
                    numbers.push(fields.number()?);
                }
                Ok(numbers)
            }
            _ => Err(Malformed),
        }
    }
}

/// A number in the zigzag coding of signed fields.
#[allow(clippy::cast_possible_wrap, reason = "the bits are what is meant")]
pub(super) fn signed(number: u64) -> i64 {
    ((number >> 1) as i64) ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_field_by_field() {
        // 1: 150, 2: "ab", 3: packed [1, 300], 4: 1.0
        let message = [8, 150, 1, 18, 2, b'a', b'b', 26, 3, 1, 172, 2, 33, 0, 0, 0, 0, 0, 0, 240, 63];
        let fields: Vec<_> = Fields::of(&message).collect::<Result<_, _>>().unwrap();
        assert_eq!(fields[0], (1, Field::Number(150)));
        assert_eq!(fields[1].1.as_bytes(), Some(&b"ab"[..]));
        assert_eq!(fields[2].1.numbers(), Ok(vec![1, 300]));
        assert_eq!(fields[3], (4, Field::Fixed(1.0f64.to_bits())));
        assert_eq!((signed(0), signed(1), signed(2), signed(u64::MAX)), (0, -1, 1, i64::MIN));
    }

    #[test]
    fn bad_messages_end() {
        for bad in [&[8][..], &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255], &[18, 5, 1], &[15], &[33, 1]] {
            assert_eq!(Fields::of(bad).last(), Some(Err(Malformed)), "{bad:?}");
        }
    }
}
