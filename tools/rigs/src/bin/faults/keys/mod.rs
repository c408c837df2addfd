//! Faults of the issuer, of its keys, and of clocks.

pub(crate) mod clock;
pub(crate) mod cold;
pub(crate) mod skew;
pub(crate) mod storm;
pub(crate) mod warm;
