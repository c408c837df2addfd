//! End-to-end tests: the program as a process, with requests over TCP and signals.
#![cfg(unix)]

#[cfg(test)]
mod authentication;
#[cfg(test)]
mod check;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod http;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod program;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod token;
#[cfg(test)]
mod upstream;
