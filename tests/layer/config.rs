//! Configuration from the environment and from a `.env` file, and the errors of `build`.

use support::prelude::*;
fn environment(variables: &[(&str, &str)]) -> Env {
    variables.iter().copied().collect()
}

fn with_file(variables: &[(&str, &str)], file: &str) -> Result<Env, ConfigError> {
    let folder = TemporaryFolder::new();
    let path = folder.path().join(".env");
    std::fs::write(&path, file).unwrap();
    environment(variables).with_file(path)
}

#[test]
fn all_variables_are_read() {
    let settings = Config::from_env(&environment(&[
        ("DATABASE_URL", "postgresql+psycopg2://u:p@h/d"),
        ("BETTER_AUTH_SECRETS", "2:the-current-secret-of-the-list,1:the-one-before-it-in-the-list"),
        ("BETTER_AUTH_SECRET", "not-looked-at-beside-the-list"),
        ("BETTER_AUTH_ISSUER", "https://app.example.com"),
        ("BETTER_AUTH_AUDIENCE", "chatkit, support"),
        ("BETTER_AUTH_SCHEMA", "snake"),
        ("BETTER_AUTH_USER_TABLE", "users"),
        ("BETTER_AUTH_SESSION_TABLE", "auth.sessions"),
    ]))
    .unwrap();
    assert!(settings.has_database());
    assert_eq!(settings.secrets().unwrap().current().expose(), b"the-current-secret-of-the-list");
    assert_eq!(settings.issuer(), Some("https://app.example.com"));
    assert_eq!(settings.audiences(), ["chatkit", "support"]);
    let schema = Schema::snake().with_user_table("users").with_session_table("auth.sessions");
    assert_eq!(settings.schema(), &schema);
}

#[test]
fn empty_variables_are_unset() {
    let names = [
        "DATABASE_URL",
        "BETTER_AUTH_SECRET",
        "BETTER_AUTH_SECRETS",
        "BETTER_AUTH_ISSUER",
        "BETTER_AUTH_AUDIENCE",
        "BETTER_AUTH_SCHEMA",
        "BETTER_AUTH_USER_TABLE",
    ];
    for environment in [environment(&[]), environment(&names.map(|name| (name, "")))] {
        let settings = Config::from_env(&environment).unwrap();
        assert!(!settings.has_database());
        assert!(settings.secrets().is_none());
        assert_eq!(settings.issuer(), None);
        assert!(settings.audiences().is_empty());
        assert_eq!(settings.schema(), &Schema::auto());
    }
}

#[tokio::test]
async fn missing_variable_is_named() {
    let setting = async |variables: &[(&str, &str)]| {
        let error = BetterAuthLayer::from_env(&environment(variables)).await.unwrap_err();
        error.setting().to_owned()
    };
    assert_eq!(setting(&[("BETTER_AUTH_SECRET", SECRET)]).await, "DATABASE_URL");
    assert_eq!(setting(&[("DATABASE_URL", "sqlite:x")]).await, "BETTER_AUTH_SECRET");
    assert_eq!(
        setting(&[("DATABASE_URL", "sqlite:nowhere.sqlite"), ("BETTER_AUTH_SECRET", SECRET)]).await,
        "DATABASE_URL"
    );
}

#[tokio::test]
async fn environment_configures_a_layer() {
    let folder = TemporaryFolder::new();
    let path = folder.path().join("auth.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(fixtures::SQLITE_TABLES).unwrap();
    database
        .execute_batch(
            r#"INSERT INTO "user" VALUES ('u', 'n', 'ada@example.com', 1, NULL, 'x', 'x', NULL, NULL, NULL, NULL);
            INSERT INTO "session" VALUES ('s', '2126-11-30T11:36:16.843Z', 't', 'x', 'x', NULL, NULL, 'u', NULL, NULL)"#,
        )
        .unwrap();
    let url = format!("sqlite:{}", path.display());
    let environment = environment(&[
        ("DATABASE_URL", &url),
        ("BETTER_AUTH_SECRET", SECRET),
        ("BETTER_AUTH_ISSUER", "https://app.example.com"),
    ]);
    let builder = BetterAuthLayer::from_env(&environment).await.unwrap().clock(clock());
    let app = App::of(builder);
    let issued = sign(&claims_with(
        "ada@example.com",
        serde_json::json!({ "iss": "https://app.example.com" }),
    ));
    app.accepts(&issued, "issued", "u", "s").await;
    app.rejects(&token_for("ada@example.com"), "no issuer", InvalidCredential).await;
}

#[test]
fn environment_overrides_the_file() {
    let read = |variables: &[(&str, &str)], file: &str, name: &str| {
        let environment = with_file(variables, file).unwrap();
        environment.get(name).unwrap().map(str::to_owned)
    };
    let file = "# a comment\nA=from-file\nexport B='with # and $ and \"quotes\"'\nC=\"two\\nlines\" # comment\nEMPTY=\n\nD=x=y\r\n";
    assert_eq!(read(&[], file, "A").as_deref(), Some("from-file"));
    assert_eq!(read(&[("A", "from-environment")], file, "A").as_deref(), Some("from-environment"));
    assert_eq!(read(&[("A", "")], file, "A").as_deref(), Some("from-file"));
    assert_eq!(read(&[], file, "B").as_deref(), Some("with # and $ and \"quotes\""));
    assert_eq!(read(&[], file, "C").as_deref(), Some("two\nlines"));
    assert_eq!(read(&[], file, "EMPTY"), None);
    assert_eq!(read(&[], file, "D").as_deref(), Some("x=y"));
    assert_eq!(read(&[("A", "x")], "", "A").as_deref(), Some("x"));
    let nowhere = TemporaryFolder::new();
    assert!(environment(&[]).with_file(nowhere.path().join(".env")).is_ok());
}

#[test]
fn malformed_env_file_is_not_quoted() {
    for (file, place) in [
        ("A=1\nB=2\nhunter2 hunter2\n", "after the variable B"),
        ("A=\"hunter2\n", "at the beginning"),
        ("A=1\n\n# hunter2\n=hunter2\n", "after the variable A"),
        ("A=hunter2 hunter2\n", "at the beginning"),
    ] {
        let error = with_file(&[], file).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(place), "{file:?}: {text}");
        assert!(!format!("{text} {error:?}").contains("hunter2"), "{text}");
    }
    let folder = TemporaryFolder::new();
    let error = environment(&[]).with_file(folder.path()).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn unquoted_dollar_is_rejected() {
    for line in [
        "SECRET=abc$def",
        "SECRET=\"abc${def}\"",
        "export SECRET=$abc",
        "OTHER=1\nSECRET=x$y # c",
        "export\tSECRET=abc$HOME",
        "SECRET=\\\\$HOME",
        "SECRET=a\\ #$HOME",
    ] {
        let environment = with_file(&[], line).unwrap();
        let error = environment.get("SECRET").unwrap_err();
        assert_eq!(error.setting(), "SECRET");
        assert!(error.to_string().contains("single quotes"), "{error}");
        assert!(!error.to_string().contains("abc"), "{error}");
    }
    for (line, value) in [
        ("SECRET='abc$def'", "abc$def"),
        ("SECRET=abc # costs $5", "abc"),
        ("SECRET=abc\\$def", "abc$def"),
        ("OTHER=$x\nSECRET=abc", "abc"),
        ("# $x\nSECRET=abc", "abc"),
    ] {
        let environment = with_file(&[], line).unwrap();
        assert_eq!(environment.get("SECRET").unwrap(), Some(value), "{line}");
    }
    // A `$` in an environment variable is allowed.
    let environment = with_file(&[("SECRET", "a$b")], "SECRET=x$y").unwrap();
    assert_eq!(environment.get("SECRET").unwrap(), Some("a$b"));
}

#[test]
fn build_errors_suggest_a_fix() {
    struct TokensOnly;
    impl UserStore for TokensOnly {
        async fn resolve(&self, _: Lookup<'_>) -> Result<Resolution, StoreError> {
            Ok(Resolution::NoActiveSession)
        }
        fn supports(&self, kind: LookupKind) -> bool {
            kind == LookupKind::SessionToken
        }
    }
    let good = || builder(fixtures::memory());
    assert!(good().build().is_ok());
    assert!(good().leeway(Duration::from_secs(300)).build().is_ok());
    let secret = || Secret::new(SECRET).unwrap();
    for (builder, setting, says) in [
        (BetterAuthLayer::builder(), "secret", "BETTER_AUTH_SECRET"),
        (BetterAuthLayer::builder().secret(secret()), "store", "PostgresStore"),
        (builder(TokensOnly), "store", "by email"),
        (good().leeway(Duration::from_secs(301)), "leeway", "at most 300 s"),
        (good().lookup_timeout(Duration::ZERO), "lookup_timeout", "some time"),
        (good().issuer(""), "issuer", "leave it out"),
        (good().audience(""), "audience", "leave it out"),
        (good().require_audience(), "require_audience", "add `audience`"),
        (good().session_id_claim(""), "session_id_claim", "use `sid`"),
        (good().session_id_claim("email"), "session_id_claim", "use `sid`"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.setting(), setting);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn weak_settings_are_logged_once() {
    let (log, _guard) = CapturedLog::start();
    builder(fixtures::memory())
        .secret(Secret::new("quickstart-secret-27-bytes!").unwrap())
        .build()
        .unwrap();
    let text = log.take();
    assert_eq!(text.matches("fewer than 32 bytes").count(), 1, "{text}");
    assert_eq!(text.matches("BETTER_AUTH_ISSUER").count(), 1, "{text}");
    builder(fixtures::memory()).issuer("https://app.example.com").build().unwrap();
    assert_eq!(log.take(), "");
}
