//! Membership in organizations, of Better Auth's organization plugin.
//!
//! Memberships have a trait separate from [`UserStore`](crate::UserStore): not every store has them,
//! and they are looked up for an authenticated user. The active organization of a session does
//! not prove that the user is still a member.

mod erased;
mod future;
mod layer;
mod membership_fn;
mod service;
mod store;

use self::erased::DynMembershipStore;
pub use self::future::MembershipFuture;
pub use self::layer::MembershipLayer;
pub use self::membership_fn::membership_fn;
pub use self::service::Membership;
pub use self::store::MembershipStore;
pub use crate::identity::Member;
