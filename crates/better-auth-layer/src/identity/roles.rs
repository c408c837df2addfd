//! Parsing of role columns.

/// The roles of a role column, which Better Auth stores as a comma-separated list.
pub(super) fn roles(column: Option<&str>) -> impl Iterator<Item = &str> {
    column
        .into_iter()
        .flat_map(|roles| roles.split(','))
        .map(str::trim)
        .filter(|role| !role.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_split_and_trimmed() {
        let roles_found: Vec<_> = roles(Some("admin, editor,,")).collect();
        assert_eq!(roles_found, ["admin", "editor"]);
        assert_eq!(roles(Some(" , ")).count(), 0);
        assert_eq!(roles(None).count(), 0);
    }
}
