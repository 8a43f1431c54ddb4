//! Contractions and the words they stand for, for whoever counts words.

/// A word as it is written, and the words it stands for.
pub(crate) type Short = (&'static str, &'static [&'static str]);

/// Contractions that lose their apostrophe in chats and notes, and what is as commonly written short.
pub(crate) const BARE: [Short; 30] = [
    ("dont", &["do", "not"]),
    ("doesnt", &["does", "not"]),
    ("didnt", &["did", "not"]),
    ("cant", &["can", "not"]),
    ("cannot", &["can", "not"]),
    ("couldnt", &["could", "not"]),
    ("wont", &["will", "not"]),
    ("wouldnt", &["would", "not"]),
    ("isnt", &["is", "not"]),
    ("wasnt", &["was", "not"]),
    ("arent", &["are", "not"]),
    ("werent", &["were", "not"]),
    ("havent", &["have", "not"]),
    ("hasnt", &["has", "not"]),
    ("hadnt", &["had", "not"]),
    ("aint", &["is", "not"]),
    ("im", &["i", "am"]),
    ("ive", &["i", "have"]),
    ("thats", &["that", "'s"]),
    ("whats", &["what", "'s"]),
    ("theres", &["there", "'s"]),
    ("youre", &["you", "are"]),
    ("theyre", &["they", "are"]),
    ("u", &["you"]),
    ("pls", &["please"]),
    ("plz", &["please"]),
    ("thx", &["thanks"]),
    ("gonna", &["going", "to"]),
    ("wanna", &["want", "to"]),
    ("gotta", &["have", "to"]),
];

/// Suffixes after an apostrophe, and the word they stand for.
pub(crate) const SUFFIXES: [(&str, &str); 6] =
    [("'m", "am"), ("'re", "are"), ("'ve", "have"), ("'ll", "will"), ("'d", "would"), ("'s", "'s")];
