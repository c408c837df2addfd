//! Modes, policies, credential sources, rejections, session ends, spans and metrics.

mod fixtures;
mod membership;
mod optional;
mod policies;
mod rejections;
mod session_end;
mod sources;
mod telemetry;
