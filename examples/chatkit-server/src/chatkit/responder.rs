//! What the assistant says. There is no model: it repeats the question.

/// So that a reply takes seconds and always fits into its thread, however long the question is.
pub(super) const MAX_ECHO_BYTES: usize = 500;

/// The pieces of the reply, in the order in which they are said.
pub(super) fn respond(user_id: &str, question: &str) -> Vec<String> {
    let mut bytes = 0;
    let fits = |word: &&str| {
        bytes += word.len() + 1;
        bytes <= MAX_ECHO_BYTES
    };
    let mut words = vec!["Hello".to_owned(), format!("{user_id},")];
    words.extend(["you", "said:"].map(str::to_owned));
    words.extend(question.split(' ').take_while(fits).map(str::to_owned));
    if bytes > MAX_ECHO_BYTES {
        words.push("…".to_owned());
    }
    words.into_iter().map(|word| word + " ").collect()
}
