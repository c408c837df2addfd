//! A page for administrators. The layer on the route checks the role.

use better_auth_layer::User;

pub(crate) async fn show(user: User) -> String {
    format!("{} is an administrator\n", user.id())
}
