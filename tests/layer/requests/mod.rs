//! Modes, policies, credential sources, rejections, session ends, spans and metrics.

mod ended;
mod fixtures;
mod membership;
mod modes;
mod policies;
mod refusals;
mod sources;
mod telemetry;
