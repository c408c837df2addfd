//! End-to-end tests with tonic's client and a test deployment.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod open;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod world;
