//! What a cache is told has changed is not given any more.

mod handle;
