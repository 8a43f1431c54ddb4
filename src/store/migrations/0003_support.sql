-- A second look at each quote: does it bear out the act it was quoted for? And for notes, how many quotes were not in the text.

alter table signal add column support text check (support in ('supported', 'unsupported', 'unclear')); -- null: not looked at
alter table note_reading add column rejected integer not null default 0 check (rejected >= 0);        -- as in post_reading
