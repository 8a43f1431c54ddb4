-- What a codebook's assignments were made from. Null: not sorted since a person changed the list, or by an older Candor.
alter table codebook add column basis text;                     -- hash of the units sorted and of how they are sorted

-- What became of each problem when one version of the codebook followed another.
create table lineage (
    from_hash text not null references codebook (hash) on delete cascade,
    to_hash   text not null references codebook (hash) on delete cascade,
    kind      text not null check (kind in ('kept', 'renamed', 'edited', 'split', 'merged', 'new', 'retired')),
    from_id   text,                                             -- null: new
    to_id     text,                                             -- null: retired
    shared    integer not null check (shared >= 0),             -- units that belong to both
    check (from_id is not null or to_id is not null),
    check ((kind = 'new') = (from_id is null) and (kind = 'retired') = (to_id is null)),
    unique (from_hash, to_hash, from_id, to_id)
) strict;
