-- Everything Candor knows, at rest. Instants are integer milliseconds since 1970 UTC; ids are text.
-- Constraints state the truth, so a row that breaks an invariant cannot be written.

create table meta (
    key   text primary key,   -- what it is: 'index_note', 'seed', ...
    value text not null       -- as text
) strict;

-- A conversation. Fields the source has not told yet are empty and filled by a later batch.
create table thread (
    id         text primary key,                                -- '<source>:<native id>'
    source     text not null,                                   -- 'reddit', 'discord', 'discourse', 'jsonl'
    community  text not null,                                   -- as people name it: 'r/x', a guild, a forum's host
    title      text not null,                                   -- '' when none
    url        text,                                            -- where a reader finds it
    started_at integer                                          -- when it began
) strict;

create table post (
    id         text primary key,                                -- '<source>:<native id>'
    thread     text not null references thread (id),            -- its conversation
    parent     text,                                            -- the post it answers; need not be in the store
    source     text not null,                                   -- as in thread
    community  text not null,                                   -- as in thread
    author     text check (author like 'a\_%' escape '\'),      -- pseudonym; null when deleted or not stated
    written_at integer,                                         -- when written
    edited_at  integer,                                         -- when last edited
    url        text,                                            -- where a reader finds it
    text       text not null check (length(text) > 0),          -- plain text that spans point into
    bot        integer not null check (bot in (0, 1)),          -- written by a bot or a webhook
    quoted     integer not null check (quoted in (0, 1)),       -- words of others were cut out
    future     integer not null check (future in (0, 1)),       -- dated after its collection: no place in a window
    hash       text not null,                                   -- content hash: tells known from updated
    revision   integer not null unique check (revision > 0)     -- grows with every insert or change; the index reads by it
) strict;
create index post_thread on post (thread);
create index post_author on post (author);

-- Deleted at the source: the words and the author are gone, the fact that there was a post stays.
create table removed_post (
    id       text primary key,                                  -- the post's id
    revision integer not null unique check (revision > 0)       -- as in post, so the index learns of it
) strict;

-- How far a live source has been read. Written in the same transaction as the posts it accounts for.
create table cursor (
    source   text primary key,                                  -- what is read: 'discourse https://… latest'
    position text not null check (json_valid(position))         -- where to go on, in the site's own terms
) strict;

-- What went wrong and was survived. A repeated run does not repeat the row.
create table failure (
    stage  text not null,                                       -- 'collect', 'crm', ...
    unit   text not null,                                       -- file and record, or address
    reason text not null,                                       -- what, in words a user can act on
    primary key (stage, unit, reason)
) strict;

-- That a post was read under a recipe, whether or not it held a signal.
create table post_reading (
    post     text not null references post (id) on delete cascade,
    recipe   text not null,                                     -- what read it
    voice    text not null,                                     -- METHOD 1.1 G1
    lang     text,                                              -- ISO 639-3; null when too short to tell
    rejected integer not null check (rejected >= 0),            -- proposed quotes that are not in the text
    primary key (post, recipe)
) strict, without rowid;

-- One act of one post. The quote is not stored: it is cut from the post's text when read.
create table signal (
    id         text primary key,                                -- hash of post, act, span, recipe
    post       text not null references post (id) on delete cascade,
    recipe     text not null,
    act        text not null check (act in ('complaint', 'failed_workaround', 'workaround', 'ask', 'switch', 'praise')),
    detail     text not null check (json_valid(detail)),        -- the act's own fields; spans as [start, end]
    start_byte integer not null check (start_byte >= 0),        -- into post.text
    end_byte   integer not null check (end_byte > start_byte),
    fit        text not null check (fit in ('exact', 'normalized', 'fuzzy')),
    voice      text not null,                                   -- as in post_reading
    confidence real not null check (confidence between 0 and 1) -- estimated probability that the act is there
) strict;
create index signal_post on signal (post);

create table texture (
    post       text not null references post (id) on delete cascade,
    recipe     text not null,
    slot       text not null,                                   -- METHOD 1.3
    start_byte integer not null check (start_byte >= 0),        -- into post.text
    end_byte   integer not null check (end_byte > start_byte),
    value      text not null check (json_valid(value)),         -- normalised value
    primary key (post, recipe, slot, start_byte, end_byte)
) strict, without rowid;

create table note (
    id          text primary key,                               -- the CRM's id, or a content hash
    account     text not null,                                  -- the firm
    opportunity text,                                           -- the deal
    owner       text,                                           -- the rep
    kind        text not null check (kind in ('note', 'call', 'meeting', 'email', 'task', 'system')),
    written_at  integer,                                        -- when entered
    happened_at integer,                                        -- when what it tells of happened
    stage       text,                                           -- the deal's stage, as spelled there
    amount      real,                                           -- the deal's amount
    text        text not null check (length(text) > 0),
    hash        text not null                                   -- content hash
) strict;
create index note_account on note (account);

-- What a reader made of a note. Spans in the payload point into note.text.
create table note_reading (
    note     text not null references note (id) on delete cascade,
    recipe   text not null,
    interest integer check (interest between 0 and 4),          -- null when the note claims nothing
    asked    integer not null check (asked in (0, 1)),          -- we asked the buyer for something
    payload  text not null check (json_valid(payload)),         -- compliments, fluff, objections, commitments
    primary key (note, recipe)
) strict, without rowid;

create table claimed_pain (
    id          text primary key,                               -- hash of note, span, recipe
    note        text not null references note (id) on delete cascade,
    recipe      text not null,
    start_byte  integer not null check (start_byte >= 0),       -- into note.text
    end_byte    integer not null check (end_byte > start_byte),
    elicitation text not null check (elicitation in ('volunteered', 'prompted', 'rep_inferred')),
    specific    integer not null check (specific in (0, 1))
) strict;

-- Frozen lists of problems. The newest is the current one.
create table codebook (
    hash      text primary key,                                 -- of its content
    version   integer not null unique check (version > 0),      -- 1, 2, ... in order of freezing
    made_by   text not null,                                    -- 'machine' or 'hand'
    frozen_at integer not null
) strict;

create table problem (
    codebook text not null references codebook (hash) on delete cascade,
    id       text not null,
    body     text not null check (json_valid(body)),            -- name, statement, terms, include, exclude
    primary key (codebook, id)
) strict, without rowid;

-- Which problem a signal or a claimed pain belongs to. No row: not assigned yet; null problem: 'other'.
create table assignment (
    codebook text not null references codebook (hash) on delete cascade,
    side     text not null check (side in ('community', 'crm')),
    unit     text not null,                                     -- signal id or claimed pain id
    problem  text,                                              -- null: fits none
    score    real not null,                                     -- similarity to the problem, for ordering quotes
    primary key (codebook, side, unit)
) strict, without rowid;

-- Units drawn for hand labelling, with known probabilities.
create table sample_unit (
    side   text not null check (side in ('community', 'crm')),
    unit   text not null,                                       -- author key or account id
    weight real not null check (weight >= 1),                   -- inverse of the probability of being drawn
    primary key (side, unit)
) strict, without rowid;

-- What a person said about one post or note. A unit counts as labelled when all its items in the window are.
create table label (
    side      text not null check (side in ('community', 'crm')),
    item      text not null,                                    -- post id or note id
    annotator text not null,
    answer    text not null check (json_valid(answer)),         -- problems present, voice; for notes also interest, backed, asked
    primary key (side, item, annotator)
) strict, without rowid;

-- The newest comparison, as it was published.
create table comparison (
    recipe     text not null,
    codebook   text not null,
    body       text not null check (json_valid(body)),          -- compare --json
    made_at    integer not null,
    primary key (recipe, codebook)
) strict, without rowid;
