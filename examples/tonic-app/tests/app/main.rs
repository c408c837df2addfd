//! The server over real sockets, with tonic's own clients and the library's test kit.

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
