//! What the SQL stores share.

mod answer;
mod layout;
mod limits;
mod record;

pub(crate) use self::answer::{Pair, answer};
pub(crate) use self::layout::{FoundTables, Layout, LayoutError, candidate_tables};
pub(crate) use self::limits::check_limits;
pub(crate) use self::record::{Record, read_session, read_user};
pub(crate) use super::schema::Quoted;
