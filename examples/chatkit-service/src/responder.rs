//! The text of the assistant. There is no model: the reply repeats the question.

/// Limits the length of a reply, so that it takes seconds and fits into its thread.
pub(crate) const MAX_ECHO_BYTES: usize = 500;

/// The words of the reply, in order.
pub(crate) fn respond(user_id: &str, question: &str) -> Vec<String> {
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
