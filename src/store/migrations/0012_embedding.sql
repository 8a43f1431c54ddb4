-- Vectors of texts, so that none is computed or paid for twice. The text is not here; when it goes from the store, its
-- vector goes with the next grouping.
create table embedding (
    model     text not null,                                              -- which model, exactly
    text_hash text not null,
    vector    blob not null check (length(vector) > 0 and length(vector) % 2 = 0), -- half-precision, little-endian
    primary key (model, text_hash)
) strict;
create index embedding_text on embedding (text_hash);

-- What the newest assignments under a codebook were made by.
create table grouping_recipe (
    codebook text primary key references codebook (hash) on delete cascade,
    embedder text not null
) strict, without rowid;
