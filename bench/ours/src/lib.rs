//! better-auth-layer as its users set it up.

mod arguments;
mod store;

pub use self::arguments::{Arguments, StoreKind};
pub use self::store::layer;
