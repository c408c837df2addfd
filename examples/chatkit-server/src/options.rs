//! The command line.

use std::ffi::OsString;

use crate::start_error::StartError;

pub(crate) const USAGE: &str = "\
A ChatKit endpoint behind BetterAuthLayer.

usage: chatkit-server
           serve; without DATABASE_URL, BETTER_AUTH_SECRET and BETTER_AUTH_URL a demo with a
           user of its own
       chatkit-server check
           look at everything that serving needs: settings, database, tables, public keys,
           clocks; one line for each, with what to do where it is not `ok`. Serves nobody.
           Exits with 0 if nothing has `failed`, else with 1
       chatkit-server token --email ADDRESS [--sub USER_ID]
           print a token for this user, signed with BETTER_AUTH_SECRET and good for an hour
       chatkit-server --help

Variables, from the environment or from `.env` in the working directory:
  DATABASE_URL         postgres://user:password@host:5432/database or sqlite:path/to/file
  BETTER_AUTH_SECRET   the secret that Better Auth runs with
  BETTER_AUTH_URL      its address, such as https://app.example.com: for the tokens of its own
  BETTER_AUTH_ISSUER   the `iss` that tokens signed with the secret must have
  DATABASE_DIRECT_URL  the same database without a pooler, with BETTER_AUTH_CACHE=listen
  HOST, PORT           where to listen (127.0.0.1, 8000; PORT=0 picks a free port)
  CORS_ORIGINS         web pages that may call, between commas (those of this machine)
  CHATKIT_UPSTREAM     a ChatKit server to pass requests on to (the built-in demo)
  RUST_LOG             what to log on standard error (info)
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    Check,
    Token {
        email: String,
        subject: Option<String>,
    },
    Help,
}

impl Command {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, StartError> {
        let mut arguments = Arguments(arguments.into_iter());
        let Some(command) = arguments.next()? else {
            return Ok(Self::Serve);
        };
        match command.as_str() {
            "help" | "--help" | "-h" => Ok(Self::Help),
            "check" => match arguments.next()?.as_deref() {
                None => Ok(Self::Check),
                Some("--help" | "-h") => Ok(Self::Help),
                Some(other) => Err(unknown(other)),
            },
            "token" => Self::parse_token(arguments),
            other => Err(unknown(other)),
        }
    }

    fn parse_token(
        mut arguments: Arguments<impl Iterator<Item = OsString>>,
    ) -> Result<Self, StartError> {
        let (mut email, mut subject) = (None, None);
        while let Some(argument) = arguments.next()? {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let slot = match name {
                "--email" => &mut email,
                "--sub" => &mut subject,
                "--help" | "-h" => return Ok(Self::Help),
                other => return Err(unknown(other)),
            };
            let value = match value {
                Some(value) => Some(value),
                None => arguments.next()?,
            };
            let value = value
                .filter(|value| !value.is_empty())
                .ok_or_else(|| misused(&format!("{name} needs a value")))?;
            if slot.replace(value).is_some() {
                return Err(misused(&format!("{name} is there twice")));
            }
        }
        let email = email.ok_or_else(|| misused("token needs --email"))?;
        Ok(Self::Token { email, subject })
    }
}

struct Arguments<I>(I);

impl<I: Iterator<Item = OsString>> Arguments<I> {
    fn next(&mut self) -> Result<Option<String>, StartError> {
        let argument = self.0.next().map(OsString::into_string).transpose();
        argument.map_err(|_| misused("an argument is not valid UTF-8"))
    }
}

fn unknown(argument: &str) -> StartError {
    misused(&format!(
        "{argument:?} is not an argument of chatkit-server"
    ))
}

fn misused(problem: &str) -> StartError {
    StartError::new(format!("{problem}\n\n{}", USAGE.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, StartError> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn every_form_is_read() {
        let token = |subject: Option<&str>| Command::Token {
            email: "a@example.com".to_owned(),
            subject: subject.map(str::to_owned),
        };
        for (line, expected) in [
            ("", Command::Serve),
            ("help", Command::Help),
            ("--help", Command::Help),
            ("-h", Command::Help),
            ("check", Command::Check),
            ("check --help", Command::Help),
            ("token --help", Command::Help),
            ("token --email a@example.com", token(None)),
            ("token --email=a@example.com", token(None)),
            ("token --sub 7 --email a@example.com", token(Some("7"))),
            ("token --email a@example.com --sub=a=b", token(Some("a=b"))),
        ] {
            assert_eq!(parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn whatever_else_is_there_gets_the_usage() {
        for (line, problem) in [
            ("serve", "\"serve\" is not an argument"),
            ("check all", "\"all\" is not an argument"),
            ("--port 1", "\"--port\" is not an argument"),
            ("token", "token needs --email"),
            ("token --sub 7", "token needs --email"),
            ("token --email", "--email needs a value"),
            ("token --email=", "--email needs a value"),
            ("token --email a --email b", "--email is there twice"),
            (
                "token a@example.com",
                "\"a@example.com\" is not an argument",
            ),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{line}: {error}");
            assert!(error.contains("usage: chatkit-server"), "{line}: {error}");
        }
    }
}
