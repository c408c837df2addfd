//! The sources themselves: the direction of dependencies, and the statements of the documentation.

mod documentation;
mod layering;
