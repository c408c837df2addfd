//! What the SQL stores share.

mod layout;
mod record;

pub(crate) use self::layout::{FoundTables, Layout, LayoutError, candidate_tables};
pub(crate) use self::record::{Record, read_session, read_user};
pub(crate) use super::schema::Quoted;
