-- Whom a message of a chat speaks to, so that a channel's stream can be cut into conversations. Pseudonyms only; the text
-- itself says '@user'.

create table mention (
    post   text not null references post (id) on delete cascade,
    author text not null check (author like 'a\_%' escape '\'),  -- pseudonym
    primary key (post, author)
) strict, without rowid;
