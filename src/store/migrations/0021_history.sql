-- Every list there was, in order. One that becomes current again, or is frozen or thawed, is a version anew; of a codebook's own
-- columns `version`, `made_by` and `frozen_at` are those of its first.
create table codebook_version (
    version   integer primary key check (version > 0),          -- 1, 2, ...; the highest is the current one
    codebook  text not null references codebook (hash) on delete cascade,
    made_by   text not null,                                    -- 'machine', 'edited' or 'hand'
    frozen_at integer not null
) strict;
insert into codebook_version (version, codebook, made_by, frozen_at) select version, hash, made_by, frozen_at from codebook;

-- The list that a label was made for. Null: there was none yet, or an older Candor did not keep it.
alter table label add column codebook text;
