//! Code that the fuzz targets share.

mod deployment;

pub use self::deployment::Deployment;
