//! better-auth-layer with the configuration that applications use.

mod arguments;
mod store;

pub use self::arguments::{Arguments, StoreKind};
pub use self::store::layer;
