//! A gRPC service behind `BetterAuthLayer`, and the interceptor of its client.

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
    reason = "generated code"
)]
pub mod proto {
    tonic::include_proto!("board.v1");

    /// The service definition, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("board");
}
