//! A small generator, so that a failure can be repeated.

/// Numbers that look random and follow from a seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as they did with the same seed before. Zero has them all fall alike, and is another seed here.
    pub fn new(seed: u64) -> Self {
        Self(if seed == 0 { 0x9e37_79b9_7f4a_7c15 } else { seed })
    }

    /// A number below another.
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// The index of something in a slice that is not empty.
    pub fn index<T>(&mut self, of: &[T]) -> usize {
        usize::try_from(self.throw(of.len() as u64)).unwrap()
    }

    /// One of several words.
    pub fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.index(of)]
    }
}
