//! Protection against cross-site request forgery.

mod origin_guard;
mod trusted_origin;

pub(crate) use self::origin_guard::OriginGuard;
pub use self::trusted_origin::TrustedOrigin;
