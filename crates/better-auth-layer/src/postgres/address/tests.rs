//! Addresses as people and platforms write them.

use super::*;

fn parse(url: &str) -> Address {
    Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn mode(url: &str) -> SslMode {
    parse(url).config.get_ssl_mode()
}

#[test]
fn other_languages_addresses_are_understood() {
    for url in [
        "postgres://u:p@h/d",
        "postgresql://u:p@h:5432/d",
        "postgresql+psycopg2://u:p@h/d",
        "postgresql+asyncpg://u:p@h/d?ssl=require&prepared_statement_cache_size=0",
        "postgres://u:p@h/d?pgbouncer=true&connection_limit=5&pool_timeout=10&gssencmode=disable",
        "postgres://u:p@h-pooler.example.com/d?sslmode=require&channel_binding=require",
        "postgres://u:p@h/d?options=endpoint%3Dabc",
        "postgres://u:p@h1:1,h2:2/d?target_session_attrs=read-write",
        " postgres://u:p@h/d\n",
    ] {
        let config = parse(url).config;
        assert_eq!(config.get_user(), Some("u"), "{url}");
        assert_eq!(config.get_dbname(), Some("d"), "{url}");
    }
}

#[test]
fn tls_is_verified_for_every_host_that_is_not_local() {
    for url in [
        "postgres://u@db.example.com/d",
        "postgres://u@db.example.com/d?sslmode=prefer",
        "postgres://u@db.example.com/d?sslmode=require",
        "postgres://u@db.example.com/d?sslmode=verify-full",
        "postgres://u@10.0.0.7/d",
        "postgres://u@localhost,db.example.com/d",
        "postgres://u@localhost/d?hostaddr=10.0.0.7",
        "postgres://u@localhost/d?sslmode=verify-full",
        "postgres://u@h/d?ssl=true",
    ] {
        assert_eq!(mode(url), SslMode::Require, "{url}");
    }
    for url in [
        "postgres://u@localhost/d",
        "postgres://u@127.0.0.1/d",
        "postgres://u@[::1]/d",
        "postgres://u@%2Fvar%2Frun%2Fpostgresql/d",
        "postgres://u@/d?host=/var/run/postgresql",
        "postgres://u@localhost/d?sslmode=prefer",
        "postgres://u@db.example.com/d?sslmode=disable",
    ] {
        assert_eq!(mode(url), SslMode::Disable, "{url}");
    }
}

#[test]
fn what_is_neither_encrypted_nor_on_this_machine_is_known_for_it() {
    for (url, transport) in [
        ("postgres://u@db.example.com/d", Transport::Encrypted),
        (
            "postgres://u@localhost/d?sslmode=require",
            Transport::Encrypted,
        ),
        ("postgres://u@localhost/d", Transport::Local),
        (
            "postgres://u@/d?host=/run/pg&sslmode=disable",
            Transport::Local,
        ),
        (
            "postgres://u@db.example.com/d?sslmode=disable",
            Transport::ClearText,
        ),
        (
            "postgres://u@localhost/d?hostaddr=10.0.0.7&sslmode=disable",
            Transport::ClearText,
        ),
    ] {
        assert_eq!(parse(url).transport, transport, "{url}");
    }
}

#[test]
fn prismas_schema_and_the_root_certificate_are_taken_off() {
    let address = parse("postgres://u@h/d?schema=app%20one&sslrootcert=/etc/ca%20one.pem");
    assert_eq!(address.schema.as_deref(), Some("app one"));
    assert_eq!(
        address.root_certificates,
        Some(PathBuf::from("/etc/ca one.pem"))
    );
    assert_eq!(
        parse("postgres://u@h/d?sslrootcert=system").root_certificates,
        None
    );
}

#[test]
fn connections_are_kept_alive_as_the_address_says_else_often() {
    let idle = |url| parse(url).config.get_keepalives_idle();
    assert_eq!(idle("postgres://u@h/d"), KEEPALIVES_IDLE);
    assert_eq!(
        idle("postgres://u@h/d?keepalives_idle=77"),
        Duration::from_secs(77)
    );
    assert!(
        !parse("postgres://u@h/d?keepalives=0")
            .config
            .get_keepalives()
    );
}

#[test]
fn errors_say_what_to_write_and_repeat_nothing() {
    for (url, says) in [
        ("", "write `postgres://"),
        ("hunter2", "write `postgres://"),
        ("mysql://u:hunter2@h/d", "write `postgres://"),
        ("postgres:///d", "names no host"),
        ("postgres://u:hunter2@h:port/d", "write `postgres://"),
        ("postgres://u@h/d?sslmode=verify-ca", "sslmode=verify-full"),
        ("postgres://u@h/d?sslmode=allow", "sslmode=disable"),
        ("postgres://u@h/d?sslmode=no-verify", "sslmode=verify-full"),
        (
            "postgres://u@h/d?sslcert=hunter2",
            "`sslcert`, which is not supported",
        ),
        ("postgres://u:p?hunter2@h/d", "%3F"),
        ("postgres://u@h/d?hunter2=1", "not known"),
    ] {
        let error = Address::parse(url).map(|_| ()).unwrap_err();
        assert_eq!(error.setting(), "DATABASE_URL");
        let text = error.to_string();
        assert!(text.contains(says), "{url}: {text}");
        assert!(
            !format!("{text} {error:?}").contains("hunter2"),
            "{url}: {text}"
        );
    }
}
