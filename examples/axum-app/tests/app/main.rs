//! The application over real sockets.

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
