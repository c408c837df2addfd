//! End-to-end tests over TCP.

#[cfg(test)]
mod client;
#[cfg(test)]
mod events;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod world;
