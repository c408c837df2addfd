//! The surroundings of the `chatkit-server` example: a small ChatKit service in memory, a proxy to a
//! full ChatKit server, and a demo in place of a Better Auth deployment.

mod backend;
mod chatkit;
mod demo_deployment;
mod event;
mod item;
mod operation;
mod page;
mod proxy;
mod reply;
mod responder;
mod response;
#[cfg(test)]
mod tests;
mod thread;
mod thread_store;
mod upstream_error;

pub use self::backend::Backend;
pub use self::chatkit::ChatKit;
pub use self::demo_deployment::DemoDeployment;
pub use self::proxy::Proxy;
pub use self::response::{BoxBody, BoxError, ErrorResponse, json};
pub use self::upstream_error::UpstreamError;
