//! A seeded generator, so that failures are reproducible.

/// A pseudorandom sequence.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator with a seed. Zero would be a fixed point and is replaced.
    pub fn new(seed: u64) -> Self {
        Self(if seed == 0 { 0x9e37_79b9_7f4a_7c15 } else { seed })
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// The index of an element of a non-empty slice.
    pub fn index<T>(&mut self, of: &[T]) -> usize {
        usize::try_from(self.below(of.len() as u64)).unwrap()
    }

    /// One of several words.
    pub fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.index(of)]
    }
}
