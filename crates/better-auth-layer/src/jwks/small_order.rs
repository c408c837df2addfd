//! Ed25519 keys that verify signatures which nobody made.

/// The two points of order eight, by their `y` (RFC 8032 §5.1.2).
const OF_ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether a key is one of the eight points whose order divides eight, in any of their spellings. With such a key an
/// empty signature is good for one message in eight, or for all of them.
pub(super) fn is_small(key: &[u8]) -> bool {
    let Some((last, rest)) = key.split_last() else {
        return false;
    };
    // The first bit is the sign of `x`, and each of these points has its negative among them.
    let last = last & 0x7f;
    let is = |point: &[u8; 32]| rest.iter().chain(&[last]).eq(point);
    let (low, middle) = rest.split_first().unwrap_or((&0, &[]));
    // Zero and one; and minus one, zero and one again, as p - 1, p and p + 1.
    let is_near_zero = *low <= 1 && last == 0 && middle.iter().all(|byte| *byte == 0);
    let is_near_p =
        matches!(low, 0xec..=0xee) && last == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    is_near_zero || is_near_p || OF_ORDER_EIGHT.iter().any(is)
}
