//! Deltas of packs: a text as copies from another one and letters of its own.

use super::objects::MAX_OBJECT;

/// What a delta makes of its base; nothing if it is broken or makes more than is read.
pub fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    let from = size(&mut rest)?;
    let to = size(&mut rest)?;
    if from != base.len() || to > MAX_OBJECT {
        return None;
    }
    let mut made = Vec::with_capacity(to);
    while let Some((&operation, tail)) = rest.split_first() {
        rest = tail;
        let part = match operation {
            0 => return None,
            1..=127 => {
                let (own, tail) = rest.split_at_checked(usize::from(operation))?;
                rest = tail;
                own
            }
            _ => {
                let offset = number(&mut rest, operation, 0, 4)?;
                let length = match number(&mut rest, operation, 4, 3)? {
                    0 => 0x10000,
                    length => length,
                };
                base.get(offset..offset.checked_add(length)?)?
            }
        };
        if made.len() + part.len() > to {
            return None;
        }
        made.extend_from_slice(part);
    }
    (made.len() == to).then_some(made)
}

/// A number of which the operation says which bytes are there.
fn number(rest: &mut &[u8], operation: u8, first: u32, bytes: u32) -> Option<usize> {
    let mut value = 0;
    for byte in 0..bytes {
        if operation & (1 << (first + byte)) != 0 {
            let (head, tail) = rest.split_first()?;
            value |= usize::from(*head) << (8 * byte);
            *rest = tail;
        }
    }
    Some(value)
}

/// Seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..).step_by(7).take(9) {
        let (head, tail) = rest.split_first()?;
        *rest = tail;
        value |= usize::from(head & 0x7f).checked_shl(shift)?;
        if head & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_letters() {
        // Base of 5, result of 7: copy 3 from 1, then 4 letters.
        assert_eq!(apply(b"abcde", &[5, 7, 0x91, 1, 3, 4, b'w', b'x', b'y', b'z']).as_deref(), Some(&b"bcdwxyz"[..]));
    }

    #[test]
    fn broken_deltas_make_nothing() {
        for delta in [
            &[][..],
            &[5],
            &[4, 1, 1, b'x'],
            &[5, 1, 0],
            &[5, 1, 2, b'x', b'y'],
            &[5, 2, 1, b'x'],
            &[5, 9, 0x91, 1, 9],
            &[5, 1, 0x91],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(apply(b"abcde", delta), None, "{delta:?}");
        }
    }
}
