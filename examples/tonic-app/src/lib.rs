//! A gRPC service behind `BetterAuthLayer`, and what its client needs. The README says what is to be seen here.

mod app;
mod bearer;
mod board;

pub use self::app::app;
pub use self::bearer::Bearer;
pub use self::board::NoticeBoard;

/// Messages, client and server, generated from `proto/board/v1/board.proto`.
#[expect(
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code has habits of its own"
)]
pub mod proto {
    tonic::include_proto!("board.v1");

    /// The definition itself, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("board");
}
