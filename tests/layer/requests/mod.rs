//! What stands behind the layer, and what is set up around it: modes, policies, sources of credentials, refusals of the
//! application's own, the end of sessions, spans and metrics.

mod ended;
mod fixtures;
mod membership;
mod modes;
mod policies;
mod refusals;
mod sources;
mod telemetry;
