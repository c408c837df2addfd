//! Several roles in one column.

/// The single roles of a role column, in which Better Auth keeps several between commas.
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
    fn roles_are_split_at_commas_and_trimmed() {
        let several: Vec<_> = roles(Some("admin, editor,,")).collect();
        assert_eq!(several, ["admin", "editor"]);
        assert_eq!(roles(Some(" , ")).count(), 0);
        assert_eq!(roles(None).count(), 0);
    }
}
