//! RSA keys of a generator whose keys can be factored.

/// Primes modulo which the moduli of that generator are powers of 65537.
const PRIMES: [u32; 23] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
];

/// Whether a modulus has the mark of CVE-2017-15361: it is a power of 65537 modulo every one of the primes. One modulus
/// in some hundred millions of others has it by chance.
pub(super) fn has_mark(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let remainder = modulus.iter().fold(0, |remainder, byte| {
            (remainder * 256 + u32::from(*byte)) % prime
        });
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        powers.take(prime as usize).any(|power| power == remainder)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_the_generator_have_the_mark_and_others_do_not() {
        let fourth_power = 65_537u128.pow(4);
        assert!(has_mark(&fourth_power.to_be_bytes()));
        assert!(!has_mark(&(fourth_power + 2).to_be_bytes()));
        assert!(!has_mark(&[0]));
    }
}
