//! The program as its users see it: started, asked over TCP, stopped by a signal.
#![cfg(unix)]

#[cfg(test)]
mod authentication;
#[cfg(test)]
mod check;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod program;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod sign_out;
#[cfg(test)]
mod token;
#[cfg(test)]
mod upstream;
