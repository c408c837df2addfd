//! Random ids, tokens and keys in Better Auth's formats.

use aws_lc_rs::rand;

use super::panic::must;

/// The characters of ids and session tokens.
const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The characters of API keys.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An id, a session token or a secret: 32 letters and digits.
pub(super) fn id() -> String {
    text(32, LETTERS_AND_DIGITS)
}

/// The part of an API key after its prefix: 64 letters.
pub(super) fn api_key() -> String {
    text(64, LETTERS)
}

/// A UUID of version 4 (RFC 9562 §5.4).
pub(super) fn uuid() -> String {
    let random = u128::from_be_bytes(bytes());
    let versioned = random & !(0xf << 76) | 0x4 << 76;
    let hex = format!("{:032x}", versioned & !(0x3 << 62) | 0x2 << 62);
    let mut rest = hex.as_str();
    let groups = [8, 4, 4, 4, 12].map(|length| {
        let (group, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        group
    });
    groups.join("-")
}

fn text(length: usize, alphabet: &[u8]) -> String {
    let mut random = vec![0; length];
    must("random bytes", rand::fill(&mut random));
    // The modulo bias is irrelevant in tests.
    let characters = random
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len()));
    characters.map(|byte| char::from(*byte)).collect()
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut random = [0; N];
    must("random bytes", rand::fill(&mut random));
    random
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_are_unique() {
        assert_eq!((id().len(), api_key().len()), (32, 64));
        assert_ne!(id(), id());
        assert!(id().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(api_key().bytes().all(|byte| byte.is_ascii_alphabetic()));
    }

    #[test]
    fn uuid_has_version_and_variant() {
        for _ in 0..32 {
            let uuid = uuid();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            let digit = |index| uuid.chars().nth(index).unwrap();
            assert_eq!(digit(14), '4', "{uuid}");
            assert!("89ab".contains(digit(19)), "{uuid}");
        }
    }
}
