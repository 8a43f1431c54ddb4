-- What a CRM keeps beside notes.

alter table note add column modified_at integer;                -- when last changed there
create index note_opportunity on note (opportunity);

create table account (
    id     text primary key,                                    -- as in note.account
    name   text,                                                -- what the firm is called
    domain text,                                                -- of its web site
    owner  text                                                 -- the rep
) strict;
create index account_name on account (lower(name));
create index account_domain on account (domain);

create table opportunity (
    id          text primary key,                               -- as in note.opportunity
    account     text,                                           -- the firm; null when not stated
    name        text,                                           -- what the deal is called
    owner       text,                                           -- the rep
    stage       text,                                           -- its stage now, as spelled there
    outcome     text not null check (outcome in ('open', 'won', 'lost')),
    amount      real,                                           -- in the CRM's currency
    opened_at   integer,                                        -- when entered
    closed_at   integer,                                        -- when it ended; null while open
    modified_at integer                                         -- when last changed there
) strict;
create index opportunity_name on opportunity (lower(name));

-- When a deal came to which stage. It outlives later corrections of the deal itself, so it tells best when a deal ended.
create table stage_change (
    opportunity text not null,                                  -- the deal; need not be in the store
    at          integer not null,                               -- when entered
    stage       text not null,                                  -- as spelled there
    primary key (opportunity, at, stage)
) strict, without rowid;

-- People at firms, so that their names can be masked. Never shown, never set beside an author of the community.
create table contact (
    id      text primary key,                                   -- the CRM's id, or a content hash
    account text,                                               -- their firm
    name    text,
    email   text                                                -- lower case
) strict;
create index contact_email on contact (email);

-- Reps by the name that records give them.
create table owner (
    id   text primary key,                                      -- as in note.owner
    name text not null                                          -- what they are called
) strict;
